package browsertest

// Every view and state, in both themes and at both sizes: axe-core finds nothing,
// the console is silent, nobody else is asked, nothing costs, nothing overflows.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"thalas/internal/outcome"
	"thalas/internal/service"
)

func TestViews(t *testing.T) {
	t.Parallel()
	ids := usual(t).named
	decision := func(name string) string { return "#/decision/" + ids[name] }
	const chart = ".chart canvas"
	both, small := []look{desk, phone}, []look{phone}
	tests := []struct {
		name  string
		state state
		hash  string
		ready string
		looks []look
	}{
		{"now", state{}, "#/now", ".now tbody tr:nth-child(9)", both},
		{"decision", state{}, decision("settled"), chart, both},
		{"history", state{}, "#/history?pair=BTC%2FUSDT&timeframe=1h", ".history tbody tr:nth-child(50)", both},
		{"scores", state{}, "#/scores", ".board:nth-of-type(4)", both},
		{"cost", state{}, "#/cost", ".cost tbody tr", both},
		{"ask", state{}, "#/ask", ".ask button:not(:disabled)", both},

		{"decision-pending", state{}, decision("pending"), chart, small},
		{"decision-held", state{}, decision("held"), chart, both},
		{"decision-one-vote", state{}, decision("one"), chart, both},
		{"decision-twelve-votes", state{}, decision("twelve"), chart, both},
		{"decision-hostile", state{}, decision("hostile"), ".vote", both},
		{"decision-imported", state{}, decision("imported"), ".vote", small},
		{"decision-unknown", state{}, "#/decision/019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", ".note.bad", small},
		{"decision-simulated", state{}, decision("simulated"), chart, small},

		{"now-empty", state{empty: true}, "#/now", ".state", both},
		{"now-poor", state{poor: true}, "#/now", ".note.warn", both},
		{"now-simulated", state{simulated: true}, "#/now", ".now tbody tr:nth-child(4)", both},
		{"now-broken", state{broken: true}, "#/now", ".note.bad", small},
		{"now-loading", state{silent: true}, "#/now", ".state", small},
		{"key", state{key: true}, "#/now", ".key", both},
		{"history-day", state{}, "#/history", ".history tbody tr", both},
		{"history-empty", state{empty: true}, "#/history", ".state h2", small},
		{"history-broken", state{broken: true}, "#/history", "main .note.bad", small},
		{"scores-empty", state{empty: true}, "#/scores", ".state h2", small},
		{"cost-empty", state{empty: true}, "#/cost", ".state h2", small},
		{"cost-poor", state{poor: true}, "#/cost?days=92", ".cost tbody tr", small},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.state)
			b := open(t, s, tt.looks[0], tt.hash, tt.ready)
			for i, l := range tt.looks {
				b.look(l)
				b.checkLook(tt.name+"-"+l.name, i == 0)
			}
			b.checkQuiet(0)
		})
	}
}

// The same with 10,000 outcomes, 40 series, names of 300 characters, twelve long reasonings
// and a run that failed; and the figures are those of what is stored.
func TestMuch(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{big: true})
	tests := []struct{ name, hash, ready string }{
		{"now", "#/now", ".now tbody tr:nth-child(41)"},
		{"decision-long", "#/decision/" + s.world.named["long"], ".vote:nth-child(12)"},
		{"decision-unbroken", "#/decision/" + s.world.named["unbroken"], ".vote"},
		{"history", "#/history?pair=COIN07%2FUSDT&timeframe=1h", ".history tbody tr:nth-child(50)"},
		{"history-day", "#/history", ".history tbody tr:nth-child(2)"},
		{"scores", "#/scores", ".board:nth-of-type(2)"},
		{"cost", "#/cost?days=92", ".cost tbody tr"},
	}
	var scores outcome.Scoreboard
	s.read(t, "/v1/scoreboard", &scores)
	var metrics service.Metrics
	s.read(t, "/v1/metrics?window=day&from="+s.world.now.AddDate(0, 0, -91).Format(time.DateOnly)+"T00:00:00Z", &metrics)
	settled, decided := scores.Boards[0].Settled, metrics.SuccessfulRequests
	if settled < 10_000 || decided < 10_000 {
		t.Fatalf("%d outcomes and %d results are stored, want 10,000", settled, decided)
	}
	grouped := func(n int64) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
	says := map[string]string{
		"now":           "The last round of DOT/USDT 1h failed: insufficient responses",
		"scores":        grouped(int64(settled)) + " settled decisions",
		"cost":          "over " + grouped(decided) + " decisions",
		"history":       "50 decisions loaded; there are older ones",
		"decision-long": "Show all 4,000 characters",
	}
	for _, tt := range tests {
		b := open(t, s, desk, tt.hash, tt.ready)
		for _, l := range []look{desk, phone} {
			b.look(l)
			b.checkLook("much-"+tt.name+"-"+l.name, false)
		}
		if got := b.text("main"); !strings.Contains(got, says[tt.name]) {
			t.Errorf("%s does not say %q: %.500s", tt.name, says[tt.name], got)
		}
		b.checkQuiet(0)
	}
}
