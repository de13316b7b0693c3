//go:build unix

package e2e

// The function of the clock, over a venue's own wire format.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"thalas/internal/market/venuetest"
	"thalas/internal/store"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/watch"
)

// fire gives the waiting function an event of the schedule, and gives what it
// answered; failed where that is an error.
func (s *sandbox) fire(t *testing.T, event []byte, within time.Duration) invoked {
	t.Helper()
	s.count++
	i := &invocation{id: fmt.Sprintf("invocation-%d", s.count), event: event, deadline: time.Now().Add(within), answer: make(chan invoked, 1)}
	select {
	case s.events <- i:
	case <-s.ended:
		t.Fatalf("the function has ended:\n%s", s.log)
	}
	select {
	case got := <-i.answer:
		return got
	case <-s.ended:
		t.Fatalf("the function has ended:\n%s", s.log)
	case <-time.After(time.Until(i.deadline)):
		t.Fatal("no answer before the deadline")
	}
	panic("not reached")
}

func (s *sandbox) round(t *testing.T, event []byte) watch.Summary {
	t.Helper()
	got := s.fire(t, event, 3*time.Minute)
	s.ready(t)
	var summary watch.Summary
	if err := json.Unmarshal(got.body, &summary); err != nil || got.failed {
		t.Fatalf("failed %v, %v: %s", got.failed, err, got.body)
	}
	return summary
}

func lambdaSchedule(t *testing.T, engine *dynamotest.Server) {
	event, err := os.ReadFile("../events/schedule.json") // as of 2026-11-23T05:01:00Z, two series
	if err != nil {
		t.Fatal(err)
	}
	venue := venuetest.Serve(func() time.Time { return time.Date(2026, 11, 23, 5, 7, 0, 0, time.UTC) }) // the event is late
	t.Cleanup(venue.Close)
	c := newCloud(t, engine, "")
	env := append(c.env, "PROVIDER_KEYS_SECRET_ID=thalas/keys", "FUNCTION_ROLE=schedule", "METRICS_NAMESPACE=Test/Own",
		"KRAKEN_BASE_URL="+venue.BaseURL("kraken"), "COINBASE_BASE_URL="+venue.BaseURL("coinbase"), "OKX_BASE_URL="+venue.BaseURL("okx"))
	s := startSandbox(t, env...)
	s.ready(t)

	stored := func() (n int) {
		for _, series := range []string{"BTC/USDT#5m", "ETH/USDT#5m"} {
			page, err := c.store.Series(t.Context(), series, store.Range{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Results {
				if !strings.HasPrefix(r.Position, "2026-11-23T04:55:00Z#") {
					t.Errorf("%s has a result about %s", series, r.Position)
				}
				n++
			}
		}
		return n
	}
	if summary := s.round(t, event); summary.Decided != 2 || summary.CostUSD <= 0 || stored() != 2 {
		t.Errorf("%d stored, %+v", stored(), summary)
	}
	asked, fetched := len(c.models.Recorded()), len(venue.Requests("kraken"))
	if summary := s.round(t, event); summary.Skipped != 2 || summary.Series[0].Status != watch.Already || summary.CostUSD != 0 || stored() != 2 {
		t.Errorf("once more: %d stored, %+v", stored(), summary)
	}
	if len(c.models.Recorded()) != asked || len(venue.Requests("kraken")) != fetched {
		t.Error("the repeated event asked models or venues")
	}
	if asked != 6 || fetched != 2 {
		t.Errorf("%d calls of models and %d of the venue, want 6 and 2", asked, fetched)
	}

	// What may pass is an error, so that the event is sent again; then only what is
	// open is asked.
	later := strings.Replace(string(event), "05:01:00", "05:06:00", 1)
	for _, name := range []string{"kraken", "coinbase", "okx"} {
		venue.Script(name, venuetest.Status(http.StatusServiceUnavailable)) // of one of the two series
	}
	got := s.fire(t, []byte(later), 3*time.Minute)
	s.ready(t)
	if !got.failed || !strings.Contains(string(got.body), "1 of 2 series are open at 2026-11-23T05:06:00Z") {
		t.Errorf("failed %v: %s", got.failed, got.body)
	}
	if summary := s.round(t, []byte(later)); summary.Decided != 1 || summary.Skipped != 1 {
		t.Errorf("sent again: %+v", summary)
	}

	for _, wrong := range []string{`{}`, `{"time": "soon"}`, `{"time": "2026-11-23T05:01:00Z", "watchlist": {"pairs": ["BTC/USDT"], "timeframes": ["1m"]}}`} {
		got := s.fire(t, []byte(wrong), 3*time.Minute)
		s.ready(t)
		if !got.failed || !strings.Contains(string(got.body), " is wrong: ") {
			t.Errorf("%s: failed %v, %s", wrong, got.failed, got.body)
		}
	}
	if got := s.fire(t, event, 20*time.Second); !got.failed && !strings.Contains(string(got.body), `"not_reached":2`) || !strings.Contains(string(got.body), "not_reached") {
		t.Errorf("with too little time: %s", got.body) // already decided series are not looked up either
	}

	// The alarm on a silent schedule goes by the rounds that came to their end.
	counted := s.metrics(t, `"SeriesNotReached":[12].*\n`)["Function consensus"]
	if counted["ScheduledRuns"] != 5 || counted["SeriesDecided"] != 4 || counted["SeriesSkipped"] != 3 || counted["SeriesFailed"] != 1 || counted["Runs"] != 4 || counted["Decisions"] != 4 {
		t.Errorf("metrics of the rounds: %v", counted)
	}
}
