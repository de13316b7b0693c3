package service

// Counters: what one run adds to the counters of its hour.

import (
	"math"
	"strings"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

func (s *Service) countResult(c *signal.Consensus) store.Count {
	count := s.newCount(c.Timestamp, c.TotalCostUSD, c.TotalTokens, "successes")
	countVotes(count, c.Responses)
	countFailures(count, c.Failures)
	return s.markSimulated(count)
}

func (s *Service) countFailure(e *orchestrator.Error) store.Count {
	count := s.newCount(time.Now().UTC(), e.Total.CostUSD, e.Total.Tokens, "failures")
	countVotes(count, e.Votes)
	countFailures(count, e.Failures)
	return s.markSimulated(count)
}

func countVotes(count store.Count, votes []signal.Vote) {
	for i := range votes {
		v := &votes[i]
		name := v.Provider + "."
		count.Add[name+"successes"]++
		count.Add[name+bucketOf(v.LatencyMS)]++
		addUsage(count, name, v.InputTokens, v.OutputTokens, v.CostUSD)
		count.Set[name+"last_success"] = count.At.Format(time.RFC3339Nano)
	}
}

// simulatedPrefix begins the names of counters of simulated runs, which are in the same
// hour as those of real runs.
const simulatedPrefix = "simulated#"

// markSimulated puts simulatedPrefix before the names if the service is simulated.
func (s *Service) markSimulated(count store.Count) store.Count {
	if s.Simulated {
		count.Add, count.Set = prefixed(count.Add), prefixed(count.Set)
	}
	return count
}

func prefixed[V any](m map[string]V) map[string]V {
	renamed := make(map[string]V, len(m))
	for name, value := range m {
		renamed[simulatedPrefix+name] = value
	}
	return renamed
}

// ofKind gives the counters of simulated runs or of real ones, without the prefix.
func ofKind[V any](m map[string]V, simulated bool) map[string]V {
	chosen := make(map[string]V, len(m))
	for name, value := range m {
		if plain, isSimulated := strings.CutPrefix(name, simulatedPrefix); isSimulated == simulated {
			chosen[plain] = value
		}
	}
	return chosen
}

func (s *Service) newCount(at time.Time, costUSD float64, tokens int, outcome string) store.Count {
	count := store.Count{
		At:  at,
		Add: map[string]int64{"requests": 1, outcome: 1, "cost_micro_usd": nearestMicroUSD(costUSD), "tokens": int64(tokens)},
		Set: map[string]string{},
	}
	if s.MetricsRetention > 0 {
		count.ExpiresAt = at.Add(s.MetricsRetention)
	}
	for _, e := range s.Registry.Entries() {
		if e.Disabled {
			continue
		}
		name := e.Provider.Name() + "."
		count.Set[name+"model"] = e.Provider.Model()
		count.Set[e.Provider.Name()+configured] = yesNo(e.Unavailable == "")
	}
	return count
}

// configured is the end of the name of a text that says whether a provider had a key.
const configured = ".configured"

func countFailures(count store.Count, failures []signal.Failure) {
	for i := range failures {
		f := &failures[i]
		name := f.Provider + "."
		count.Add[name+"failures."+string(f.Error)]++
		addUsage(count, name, f.InputTokens, f.OutputTokens, f.CostUSD)
		if f.Error.IsFault() { // other kinds say nothing about the provider
			count.Set[name+"last_error"] = count.At.Format(time.RFC3339Nano) + " " + string(f.Error)
		}
	}
}

func addUsage(count store.Count, name string, input, output int, costUSD *float64) {
	count.Add[name+"input_tokens"] += int64(input)
	count.Add[name+"output_tokens"] += int64(output)
	if costUSD != nil {
		count.Add[name+"cost_micro_usd"] += nearestMicroUSD(*costUSD)
	}
}

// nearestMicroUSD rounds to the nearest millionth of a USD, so that the sums of counters
// are close to the sums of the answers. Budgets round up instead.
func nearestMicroUSD(usd float64) int64 { return int64(math.Round(usd * 1e6)) }

func yesNo(yes bool) string {
	if yes {
		return "true"
	}
	return "false"
}
