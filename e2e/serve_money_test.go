package e2e

// What keeps callers from paying twice, or more than they want to.

import (
	"net/http"
	"strconv"
	"testing"
)

// The same question under one key is paid for once, however often and however
// many at once send it.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	const senders = 30
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	send := func(int) reply {
		return s.do(t.Context(), http.MethodPost, "/v1/consensus", about("BTC/USDT"), "Idempotency-Key", "bot-7:BTC/USDT:5m")
	}
	release := p.hold()
	refused := make(chan reply, senders)
	answered := make(chan []reply)
	go func() {
		answered <- many(senders, func(i int) reply {
			r := send(i)
			refused <- r
			return r
		})
	}()
	for range senders - 1 { // all but the one that is being worked on
		if r := <-refused; r.status != 409 || r.header.Get("Retry-After") == "" {
			t.Errorf("while it is being worked on: %v %d %s", r.err, r.status, r.body)
		}
	}
	release()
	<-answered
	first := resultOf(t, <-refused)
	for _, r := range many(senders, send) {
		if got := resultOf(t, r); got.ID != first.ID || r.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("a replay: %v %s", r.header, r.body)
		}
	}
	if r := s.ask(t, about("ETH/USDT"), "Idempotency-Key", "bot-7:BTC/USDT:5m"); r.status != 422 {
		t.Errorf("another body: %d %s", r.status, r.body)
	}
	for provider, asked := range p.Requests() {
		if asked != 1 {
			t.Errorf("%s was asked %d times", provider, asked)
		}
	}
	s.terminate(t, sigterm)
	// The key outlives the process.
	s = startServer(t, s.file, p.env()...)
	if got := resultOf(t, s.ask(t, about("BTC/USDT"), "Idempotency-Key", "bot-7:BTC/USDT:5m")); got.ID != first.ID {
		t.Errorf("after a restart it is another answer")
	}
	s.terminate(t, sigterm)
}

// The day's budget holds, however many ask at once, and over a restart.
func TestDailyBudget(t *testing.T) {
	t.Parallel()
	const budget = 0.2
	p := gated(t)
	file := storeFile(t)
	env := append(p.env(), "DAILY_BUDGET_USD="+strconv.FormatFloat(budget, 'f', -1, 64))
	s := startServer(t, file, env...)
	spent, decided, low := 0.0, 0, false
	take := func(replies []reply) {
		for _, r := range replies {
			switch r.status {
			case http.StatusOK:
				c := resultOf(t, r)
				spent, decided = spent+c.TotalCostUSD, decided+1
				low = low || containsWarning(r.body, "budget_low")
			case http.StatusTooManyRequests:
				if seconds, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 24*60*60 {
					t.Errorf("Retry-After %q is not the rest of the day", r.header.Get("Retry-After"))
				}
			default:
				t.Errorf("%v %d %s", r.err, r.status, r.body)
			}
		}
	}
	ask := func(int) reply { return s.do(t.Context(), http.MethodPost, "/v1/consensus", about("BTC/USDT")) }
	take(many(200, ask))
	if decided == 0 || decided == 200 {
		t.Errorf("%d of 200 were decided", decided)
	}
	for before := -1; before != decided; { // until nobody gets in any more
		before = decided
		take(many(8, ask))
	}
	t.Logf("%d runs for $%f", decided, spent)
	if spent > budget || !low {
		t.Errorf("$%f are spent of $%f; warned: %t", spent, budget, low)
	}
	s.terminate(t, sigterm)
	s = startServer(t, file, env...)
	if r := s.ask(t, about("BTC/USDT")); r.status != http.StatusTooManyRequests {
		t.Errorf("after a restart: %d %s", r.status, r.body)
	}
	if total, _ := s.count(t); total != decided {
		t.Errorf("%d runs are counted, want %d: a refused question is none", total, decided)
	}
	s.terminate(t, sigterm)
}
