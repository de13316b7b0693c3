//go:build unix

package e2e

// Sharing votes between processes: four of them over one DynamoDB Local, and 100 equal
// questions at once.

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"testing"

	"thalas/internal/signal"
	"thalas/internal/simulator"
)

func TestFourProcessesAskOnce(t *testing.T) {
	const processes, questions = 4, 100
	engine := dynamoDB(t)
	for name, killed := range map[string]bool{"all live": false, "the leader is killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := gated(t)
			env := append(newCloud(t, engine, "").env, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "LOG_LEVEL=debug", "LISTEN_ADDR=127.0.0.1:0")
			var servers [processes]*server
			for i := range servers {
				servers[i] = startCommand(t, child(t, append(env, plantedAt(p.http.URL)...), "serve"))
			}
			weight := func(i int) float64 { return float64(i) / questions }
			ask := func(s *server, i, timeout int) reply {
				return s.do(context.Background(), http.MethodPost, "/v1/consensus", fmt.Sprintf(
					`{"pair": "BTC/USDT", "current_price": 50000.5, "market_data": {"rsi": 30, "macd": 150}, "timeout_seconds": %d, "provider_weights": {"anthropic": %g}}`, timeout, weight(i)))
			}
			awaitWaiting := func(s *server, n int) {
				t.Helper()
				if s.log.await(regexp.MustCompile(fmt.Sprintf(`(?s)(Waiting for the votes of another run.*){%d}`, n)), s.done) == nil {
					t.Fatalf("a process has ended while its requests waited:\n%s", s.log)
				}
			}

			release := p.hold()
			answers := make(chan []reply)
			leading := make(chan struct{})
			go func() {
				answers <- many(questions, func(i int) reply {
					timeout := 20
					switch {
					case i > 0:
						<-leading
					case killed:
						timeout = 8 // two seconds later it is taken to be killed
					}
					r := ask(servers[i%processes], i, timeout)
					if r.err != nil && killed {
						r = ask(servers[1], i, 20) // as a bot does
					}
					return r
				})
			}()
			p.awaitHeld(t, 1)
			close(leading)
			const each = questions / processes
			for i, s := range servers {
				if i == 0 {
					awaitWaiting(s, each-1)
				} else {
					awaitWaiting(s, each)
				}
			}
			if killed {
				servers[0].kill()
				awaitWaiting(servers[1], 2*each)
				p.awaitHeld(t, 1) // one of the others has taken over
			}
			release()

			misses := 0
			for i, r := range <-answers {
				var c signal.Consensus
				if r.err != nil || r.status != http.StatusOK || json.Unmarshal([]byte(r.body), &c) != nil {
					t.Fatalf("question %d: status %d, %v: %s", i, r.status, r.err, r.body)
				}
				switch {
				case c.Cache == signal.CacheMiss:
					misses++
				case c.Cache != signal.CacheCoalesced || c.TotalCostUSD != 0:
					t.Errorf("question %d: %s for $%g", i, c.Cache, c.TotalCostUSD)
				}
				sums := map[signal.Decision]float64{}
				for _, v := range c.Responses {
					if v.Provider == simulator.Anthropic && v.Weight != weight(i) {
						t.Errorf("question %d was decided by the weight %g", i, v.Weight)
					}
					sums[v.Decision] += v.Weight * v.Confidence
				}
				got := c.WeightedVotes
				if len(c.Responses) != len(simulator.Providers) || math.Abs(got.Buy-sums[signal.Buy])+math.Abs(got.Sell-sums[signal.Sell])+math.Abs(got.Hold-sums[signal.Hold]) > 1e-9 {
					t.Errorf("question %d: %+v are not the sums of the votes %+v", i, got, c.Responses)
				}
			}
			if misses != 1 {
				t.Errorf("%d requests led a run that answered, want 1", misses)
			}
			want := map[string]int{}
			for _, name := range simulator.Providers {
				want[name] = 1
			}
			if got := p.Requests(); !maps.Equal(got, want) || len(p.arrived) > 0 {
				t.Errorf("calls %v, want %v", got, want)
			}
			told := 0
			for _, s := range servers {
				told += len(regexp.MustCompile(`"msg":"Consensus reached:".*"cache":"coalesced","shared_from":"`).FindAllString(s.log.String(), -1))
			}
			if told != questions-1 {
				t.Errorf("the logs tell of %d shared answers, want %d", told, questions-1)
			}
			if total, successful := servers[1].count(t); total != questions || successful != questions {
				t.Errorf("%d runs and %d decisions are counted, want %d", total, successful, questions)
			}
		})
	}
}
