package browsertest

// Every view and state, in both themes and at both sizes: axe-core finds nothing,
// the console is silent, nobody else is asked, nothing costs, nothing overflows.

import (
	"testing"
)

func TestViews(t *testing.T) {
	ids := worlds().named
	decision := func(name string) string { return "#/decision/" + ids[name] }
	const chart = ".chart canvas"
	tests := []struct {
		name  string
		state state
		hash  string
		ready string
		looks []look
	}{
		{"now", state{}, "#/now", ".now tbody tr:nth-child(9)", looks},
		{"decision", state{}, decision("settled"), chart, looks},
		{"history", state{}, "#/history?pair=BTC%2FUSDT&timeframe=1h", ".history tbody tr:nth-child(50)", looks},
		{"scores", state{}, "#/scores", ".board:nth-of-type(4)", looks},
		{"cost", state{}, "#/cost", ".cost tbody tr", looks},
		{"ask", state{}, "#/ask", ".ask button:not(:disabled)", looks},

		{"decision-pending", state{}, decision("pending"), chart, looks[:1]},
		{"decision-held", state{}, decision("held"), chart, looks[1:3]},
		{"decision-one-vote", state{}, decision("one"), chart, looks[1:3]},
		{"decision-twelve-votes", state{}, decision("twelve"), chart, looks[:3]},
		{"decision-hostile", state{}, decision("hostile"), ".vote", looks[:3]},
		{"decision-unknown", state{}, "#/decision/019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", ".note.bad", looks[:1]},
		{"decision-simulated", state{simulated: true}, decision("settled"), chart, looks[:1]},

		{"now-empty", state{empty: true}, "#/now", ".state", looks[1:3]},
		{"now-poor", state{poor: true}, "#/now", ".note.warn", looks},
		{"now-simulated", state{simulated: true}, "#/now", ".now tbody tr:nth-child(9)", looks[:3]},
		{"now-broken", state{broken: true}, "#/now", ".note.bad", looks[:1]},
		{"now-loading", state{silent: true}, "#/now", ".state", looks[:1]},
		{"now-many", state{many: true}, "#/now", ".now tbody tr:nth-child(40)", looks[1:3]},
		{"key", state{key: true}, "#/now", ".key", looks},
		{"history-day", state{}, "#/history", ".history tbody tr", looks[:1]},
		{"history-empty", state{empty: true}, "#/history", ".state h2", looks[:1]},
		{"history-broken", state{broken: true}, "#/history", "main .note.bad", looks[:1]},
		{"scores-empty", state{empty: true}, "#/scores", ".state h2", looks[:1]},
		{"cost-empty", state{empty: true}, "#/cost", ".state h2", looks[:1]},
		{"cost-poor", state{poor: true}, "#/cost?days=92", ".cost tbody tr", looks[2:3]},
	}
	for _, tt := range tests {
		for _, l := range tt.looks {
			t.Run(tt.name+"/"+l.name, func(t *testing.T) {
				b := open(t, newServer(t, tt.state), l, tt.hash, tt.ready)
				t.Logf("first paint after %.0f ms", eval[float64](b, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"))
				b.checkFits()
				b.shoot(tt.name + "-" + l.name)
				b.checkAxe()
				b.checkQuiet(0)
			})
		}
	}
}
