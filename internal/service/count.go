package service

// What one run adds to the counters of its hour.

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
	return s.apart(count)
}

func (s *Service) countFailure(e *orchestrator.Error) store.Count {
	count := s.newCount(time.Now().UTC(), e.Total.CostUSD, e.Total.Tokens, "failures")
	countVotes(count, e.Votes)
	countFailures(count, e.Failures)
	return s.apart(count)
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

// simulatedPrefix begins the counters of simulated runs, so that they never mix
// with those of real ones in the same hour.
const simulatedPrefix = "simulated#"

// apart puts the counters of simulated runs under names of their own.
func (s *Service) apart(count store.Count) store.Count {
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

// own gives the counters of this service's kind of run, by their plain names.
func own[V any](m map[string]V, simulated bool) map[string]V {
	kept := make(map[string]V, len(m))
	for name, value := range m {
		if plain, is := strings.CutPrefix(name, simulatedPrefix); is == simulated {
			kept[plain] = value
		}
	}
	return kept
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

// configured ends the name of the text that says whether a provider had a key.
const configured = ".configured"

func countFailures(count store.Count, failures []signal.Failure) {
	for i := range failures {
		f := &failures[i]
		name := f.Provider + "."
		count.Add[name+"failures."+string(f.Error)]++
		addUsage(count, name, f.InputTokens, f.OutputTokens, f.CostUSD)
		if f.Error.IsFault() { // else it says nothing new about the provider
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

// nearestMicroUSD rounds to the nearest millionth: sums of counters stay near the
// sums of what was answered. Budgets round up.
func nearestMicroUSD(usd float64) int64 { return int64(math.Round(usd * 1e6)) }

func yesNo(yes bool) string {
	if yes {
		return "true"
	}
	return "false"
}
