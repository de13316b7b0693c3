package orchestrator

// From the reports of the providers to the result of the run.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// outcome gives the votes and failures that have come so far, by provider name.
func (r *run) outcome() (votes []signal.Vote, failures []signal.Failure) {
	votes = make([]signal.Vote, 0, len(r.entries))
	failures = []signal.Failure{} // an empty list in JSON, not null
	for i := range r.entries {
		switch c := &r.calls[i]; {
		case !c.ended:
		case c.report.Err == nil:
			votes = append(votes, r.vote(i))
		default:
			failures = append(failures, r.failure(i))
		}
	}
	return votes, failures
}

func (r *run) vote(i int) signal.Vote {
	report, p := r.calls[i].report, r.entries[i].Provider
	answer := report.Answer
	model := answer.Model
	if model == "" {
		model = p.Model()
	}
	return signal.Vote{
		Provider: p.Name(), Model: model,
		Decision: answer.Decision, Confidence: answer.Confidence, Weight: r.weights[i],
		Reasoning: answer.Reasoning, RiskLevel: answer.RiskLevel, StopLoss: answer.StopLoss, TakeProfit: answer.TakeProfit,
		LatencyMS: milliseconds(report.Ended.Sub(report.Started)), Attempts: report.Attempts,
		InputTokens: report.Usage.InputTokens, OutputTokens: report.Usage.OutputTokens, CostUSD: report.Usage.CostUSD, BillsUnknown: report.BillsUnknown,
	}
}

func (r *run) failure(i int) signal.Failure {
	report := r.calls[i].report
	model := report.Err.Model
	if model == "" {
		model = r.entries[i].Provider.Model()
	}
	failure := signal.Failure{
		Provider: r.entries[i].Provider.Name(), Error: report.Err.Kind, Message: report.Err.Message, Retryable: report.Err.Retryable,
		Attempts: report.Attempts, LatencyMS: milliseconds(report.Ended.Sub(report.Started)),
		InputTokens: report.Usage.InputTokens, OutputTokens: report.Usage.OutputTokens, CostUSD: report.Usage.CostUSD, Model: model, BillsUnknown: report.BillsUnknown,
	}
	if left := r.calls[i].leftOut; left != nil {
		failure.Reason, failure.Until = left.Reason, new(left.Until.UTC().Truncate(time.Millisecond))
	}
	return failure
}

// conclude aggregates the votes. An aggregation that panics or gives a number
// that is none is an error: nobody trades on it.
func (o *Orchestrator) conclude(ctx context.Context, r *run, votes []signal.Vote, failures []signal.Failure) (result *signal.Consensus, failed *Error) {
	if o.options.Tracer != nil {
		end := o.options.Tracer.Vote(ctx)
		defer func() { end(decisionOf(result)) }() // after the one below: a panic has become an error by then
	}
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("Aggregation panicked:", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			result, failed = nil, &Error{kind: ErrAggregation, Failures: failures}
		}
	}()
	outcome := consensus.Aggregate(votes, r.policy)
	if !isShare(outcome.Confidence) || !isShare(outcome.AgreementScore) || math.IsNaN(outcome.WeightedVotes.Sum()) {
		return nil, &Error{kind: ErrAggregation, Failures: failures, cause: errors.New("the aggregation gave a number outside its range")}
	}
	total, now := r.total(), time.Now().UTC()
	candle := candleTime(r.MarketData.Candles, r.Timeframe, now)
	result = &signal.Consensus{
		ID: r.id, Status: signal.Complete, Simulated: o.options.Simulated,
		Pair: r.Pair, Timeframe: r.Timeframe, CurrentPrice: r.policy.Price,
		Decision: outcome.Decision, RawDecision: outcome.RawDecision, HoldReason: outcome.HoldReason,
		Confidence: outcome.Confidence, WeightedConfidence: outcome.Confidence, AgreementScore: outcome.AgreementScore,
		Reasoning: outcome.Reasoning, RiskLevel: outcome.RiskLevel,
		SuggestedStopLoss: outcome.SuggestedStopLoss, SuggestedTakeProfit: outcome.SuggestedTakeProfit,
		TotalProviders: len(r.entries), ParticipatingProviders: len(votes),
		VoteBreakdown: outcome.VoteBreakdown, WeightedVotes: outcome.WeightedVotes,
		Policy:    &signal.Policy{MinProviders: r.MinProviders, MinConfidence: r.policy.MinConfidence, MinAgreement: r.policy.MinAgreement},
		Responses: outcome.Votes, Failures: failures, Explanation: outcome.Explanation,
		TotalCostUSD: total.CostUSD, TotalTokens: total.Tokens,
		Timestamp: now.Truncate(time.Millisecond), CandleTime: candle, ValidUntil: candle.Add(2 * r.Timeframe.Duration()),
		PromptVersion: provider.PromptVersion(), Cache: signal.CacheMiss,
	}
	result.VotesAt = result.Timestamp
	if r.Probability != nil {
		result.Probability = r.Probability(result.RawDecision, result.Confidence)
	}
	notNeeded := r.pending(func(c *call) bool { return c.report.Err != nil && c.report.Err.Kind == signal.FailureNotNeeded })
	if len(notNeeded) < len(failures) {
		result.Status = signal.Degraded
	}
	if len(notNeeded) > 0 {
		if span, ok := consensus.Decided(votes, notNeeded, r.policy); ok {
			result.DecidedEarly, result.ConfidenceRange = true, &span
		}
	}
	r.warnAbout(now)
	result.Warnings = append(outcome.Warnings, r.warnings...)
	if result.Warnings == nil {
		result.Warnings = []signal.Warning{}
	}
	elapsed := time.Since(r.started)
	result.TotalLatencyMS = milliseconds(elapsed)
	result.OverheadMS = milliseconds(elapsed - r.waited())
	return result, nil
}

// warnAbout adds what is worth knowing of the input and the costs.
func (r *run) warnAbout(now time.Time) {
	r.warnAboutCandles(now)
	for i := range r.calls {
		report := r.calls[i].report
		_, costs := r.entries[i].Provider.(provider.Priced)
		if costs && report.Err == nil && !report.Usage.Known {
			name := r.entries[i].Provider.Name()
			r.warn(signal.WarnUnknownUsage, name, name+" did not say what it used: neither its tokens nor its cost are in the totals")
		}
		if report.Usage.Known && report.Usage.CostUSD == nil {
			p := r.entries[i].Provider
			model := p.Model()
			switch {
			case report.Err == nil && report.Answer.Model != "":
				model = report.Answer.Model
			case report.Err != nil && report.Err.Model != "":
				model = report.Err.Model
			}
			r.warn(signal.WarnUnknownPrice, p.Name(), fmt.Sprintf("no price is known for model %s: its cost is not in total_cost_usd", model))
		}
	}
}

// total sums what all attempts used.
func (r *run) total() Total {
	total := Total{LatencyMS: milliseconds(time.Since(r.started))}
	for i := range r.calls {
		report := &r.calls[i].report
		total.Tokens += report.Usage.InputTokens + report.Usage.OutputTokens
		total.CostUSD += report.CostUSD
	}
	return total
}

// waited is the time from the first call's start to the last one's end.
func (r *run) waited() time.Duration {
	var first, last time.Time
	for i := range r.calls {
		report := &r.calls[i].report
		if !r.calls[i].begun {
			continue
		}
		if first.IsZero() || report.Started.Before(first) {
			first = report.Started
		}
		if report.Ended.After(last) {
			last = report.Ended
		}
	}
	return last.Sub(first)
}

// retryAfter is when enough providers for the quorum can be asked again: those that
// voted or whose failure may pass, after the waits that they are under.
func (r *run) retryAfter() time.Duration {
	var waits []time.Duration
	for i := range r.calls {
		switch c := &r.calls[i]; {
		case c.report.Err == nil:
			waits = append(waits, 0)
		case c.leftOut != nil && c.leftOut.Passes():
			waits = append(waits, time.Until(c.leftOut.Until))
		case c.leftOut == nil && c.report.Err.Retryable:
			waits = append(waits, c.report.Err.RetryAfter)
		}
	}
	if len(waits) < r.MinProviders {
		return 0
	}
	slices.Sort(waits)
	return max(waits[r.MinProviders-1], 0)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func voters(votes []signal.Vote) []string {
	names := make([]string, len(votes))
	for i, v := range votes {
		names[i] = v.Provider
	}
	return names
}

func failed(failures []signal.Failure) []string {
	list := make([]string, len(failures))
	for i, f := range failures {
		list[i] = f.Provider + ":" + string(f.Error)
	}
	return list
}
