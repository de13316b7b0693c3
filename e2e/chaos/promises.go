package main

// The promises that every answer keeps, whatever went wrong.

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// broken lists the promises that an answer breaks, given the calls that reached the
// providers for it. A decision needs its quorum, each provider is listed once, and the
// attempts and the cost are those of the calls.
func (a *answer) broken(calls []*call, quorum int) (what []string) {
	report := func(format string, args ...any) { what = append(what, fmt.Sprintf(format, args...)) }
	if a.err != nil {
		return []string{"no answer that can be read"}
	}
	asked := map[string]int{} // attempts, by provider
	for _, made := range calls {
		asked[made.provider]++
	}
	failures := a.failures()
	var names []string
	switch a.status {
	case http.StatusOK:
		for _, vote := range a.Responses {
			names = append(names, vote.Provider)
			if vote.Attempts != asked[vote.Provider] {
				report("%s has voted after %d attempts, and got %d", vote.Provider, vote.Attempts, asked[vote.Provider])
			}
		}
		if a.Decision != signal.Buy || a.HoldReason != nil {
			report("the votes for BUY became %s", a.Decision)
		}
		if len(a.Responses) < quorum || a.ParticipatingProviders != len(a.Responses) {
			report("%d votes of %d count, and the quorum is %d", a.ParticipatingProviders, len(a.Responses), quorum)
		}
		if want := map[bool]signal.Status{true: signal.Complete, false: signal.Degraded}[len(failures) == 0]; a.Status != want || a.TotalProviders != len(simulator.Providers) {
			report("status %s of %d providers with %d failures", a.Status, a.TotalProviders, len(failures))
		}
		if low, high := reportedCost(calls, failures); a.TotalCostUSD < low-1e-9 || a.TotalCostUSD > high+1e-9 {
			report("total_cost_usd is %v, and the providers billed %v", a.TotalCostUSD, high)
		}
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		votes, mayPass := len(simulator.Providers)-len(failures), 0
		for _, f := range failures {
			if f.Retryable {
				mayPass++
			}
		}
		timeouts := slices.ContainsFunc(failures, func(f signal.Failure) bool { return f.Error == signal.FailureTimeout })
		if want := fmt.Sprintf("Insufficient successful provider responses: %d < %d", votes, quorum); a.problem.Detail != want || votes >= quorum {
			report("it says %q, want %q", a.problem.Detail, want)
		}
		if bytes.Contains(a.body, []byte(`"decision"`)) {
			report("there is a decision without a quorum")
		}
		if timeouts != (a.status == http.StatusGatewayTimeout) {
			report("status %d, with a timeout among the failures: %t", a.status, timeouts)
		}
		if a.problem.Retryable != (votes+mayPass >= quorum) {
			report("retryable is %t with %d votes and %d failures that may pass, of %d", a.problem.Retryable, votes, mayPass, quorum)
		}
		if a.header.Get("Retry-After") == "" {
			report("there is no Retry-After")
		}
	default:
		return []string{"it is neither a decision nor a missing quorum"}
	}
	for _, f := range failures {
		names = append(names, f.Provider)
		if f.Attempts != asked[f.Provider] || f.Message == "" || (f.Error == signal.FailureLeftOut) != (f.Attempts == 0) {
			report("%s got %d attempts, and the failure says %+v", f.Provider, asked[f.Provider], f)
		}
	}
	slices.Sort(names)
	all := slices.Sorted(slices.Values(simulator.Providers))
	if twice := len(slices.Compact(slices.Clone(names))) < len(names); twice || a.status == http.StatusOK && !slices.Equal(names, all) {
		report("the entries are of %s", strings.Join(names, ", "))
	}
	return what
}

// reportedCost bounds the cost that the providers reported in their answers to these
// calls, in USD. An answer that came at the deadline may not have been read.
func reportedCost(calls []*call, failures []signal.Failure) (low, high float64) {
	for _, made := range calls {
		high += made.usd
		if !isLate(made, failures) {
			low += made.usd
		}
	}
	return low, high
}

func isLate(made *call, failures []signal.Failure) bool {
	return slices.ContainsFunc(failures, func(f signal.Failure) bool {
		return f.Provider == made.provider && f.Error == signal.FailureTimeout
	})
}

// booked bounds the amount by which a run must increase the day's budget, in millionths of
// a USD: the reported costs, and the worst case of each attempt whose cost is unknown. The
// bounds differ by rounding only, unless an answer came at the deadline.
func (c *chaos) booked(calls []*call, failures []signal.Failure) (low, high int64) {
	least, most := reportedCost(calls, failures)
	low, high = micro(least), micro(most)
	for _, made := range calls {
		switch {
		case made.unknown:
			low, high = low+c.worst[made.provider]-1, high+c.worst[made.provider]
		case isLate(made, failures) && made.usd > 0:
			high += c.worst[made.provider]
		}
	}
	return low, high
}

// checkBudget compares the day's budget with bounds while nothing is asked, and returns
// the spent part. After midnight the scenario has two budgets and nothing is compared.
func (c *chaos) checkBudget(s *server, when string, low, high int64) int64 {
	spent, reserved, err := s.budget()
	if time.Now().UTC().YearDay() == c.day && (err != nil || spent < low || spent > high || reserved != 0) {
		c.failf("%s: %d millionths of a USD are spent and %d reserved, want %d to %d and none: %v", when, spent, reserved, low, high, err)
	}
	return spent
}

// micro returns millionths of a USD, rounded up as the server does.
func micro(usd float64) int64 { return int64(math.Ceil(usd*1e6 - 1e-6)) }
