package orchestrator

// Making the result of a run from what the providers reported.

import (
	"cmp"
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

// votesAndFailures gives what has come so far, each by provider name.
func (r *run) votesAndFailures() (votes []signal.Vote, failures []signal.Failure) {
	votes = make([]signal.Vote, 0, len(r.entries))
	failures = []signal.Failure{} // an empty list in JSON, not null
	for i := range r.calls {
		switch c := &r.calls[i]; {
		case !c.done:
		case c.report.Err == nil:
			votes = append(votes, r.vote(i))
		default:
			failures = append(failures, r.failure(i))
		}
	}
	return votes, failures
}

func (r *run) name(i int) string { return r.entries[i].Provider.Name() }

// model is the model that answered a call, or the one that was asked if the answer does not
// name any.
func (r *run) model(i int) string {
	report, asked := &r.calls[i].report, r.entries[i].Provider.Model()
	if report.Err != nil {
		return cmp.Or(report.Err.Model, asked)
	}
	return cmp.Or(report.Answer.Model, asked)
}

func (r *run) vote(i int) signal.Vote {
	report := &r.calls[i].report
	answer, usage := &report.Answer, report.Usage
	return signal.Vote{
		Provider: r.name(i), Model: r.model(i),
		Decision: answer.Decision, Confidence: answer.Confidence, Weight: r.weights[i],
		Reasoning: answer.Reasoning, RiskLevel: answer.RiskLevel, StopLoss: answer.StopLoss, TakeProfit: answer.TakeProfit,
		LatencyMS: milliseconds(report.Ended.Sub(report.Started)), Attempts: report.Attempts,
		InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens, CostUSD: usage.CostUSD, BillsUnknown: report.BillsUnknown,
	}
}

func (r *run) failure(i int) signal.Failure {
	report := &r.calls[i].report
	err, usage := report.Err, report.Usage
	failure := signal.Failure{
		Provider: r.name(i), Model: r.model(i), Error: err.Kind, Message: err.Message, Retryable: err.Retryable,
		LatencyMS: milliseconds(report.Ended.Sub(report.Started)), Attempts: report.Attempts,
		InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens, CostUSD: usage.CostUSD, BillsUnknown: report.BillsUnknown,
	}
	if left := r.calls[i].leftOut; left != nil {
		failure.Reason, failure.Until = left.Reason, new(left.Until.UTC().Truncate(time.Millisecond))
	}
	return failure
}

// conclude makes the result. A panic of the aggregation, or a number outside its range, is
// an error, so that nobody trades on it.
func (o *Orchestrator) conclude(ctx context.Context, r *run, votes []signal.Vote, failures []signal.Failure) (result *signal.Consensus, failed *Error) {
	if o.options.Tracer != nil {
		end := o.options.Tracer.Vote(ctx)
		defer func() { // runs after the one below, which makes an error of a panic
			decision := signal.Decision("")
			if result != nil {
				decision = result.Decision
			}
			end(decision)
		}()
	}
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("Aggregation panicked:", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			result, failed = nil, &Error{kind: ErrAggregation, Failures: failures}
		}
	}()
	outcome := consensus.Aggregate(votes, r.policy)
	if !isShare(outcome.Confidence) || !isShare(outcome.AgreementScore) || math.IsNaN(outcome.WeightedVotes.Sum()) {
		return nil, &Error{kind: ErrAggregation, Failures: failures, Cause: errors.New("the aggregation gave a number outside its range")}
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
	r.warnAboutCandles(now)
	r.warnAboutCosts()
	result.Warnings = append(outcome.Warnings, r.warnings...)
	elapsed := time.Since(r.started)
	result.TotalLatencyMS = milliseconds(elapsed)
	result.OverheadMS = milliseconds(elapsed - r.waited())
	return result, nil
}

// warnAboutCosts warns of everything that is missing in the totals.
func (r *run) warnAboutCosts() {
	for i := range r.calls {
		report, name := &r.calls[i].report, r.name(i)
		if _, costs := r.entries[i].Provider.(provider.Priced); costs && report.Err == nil && !report.Usage.Known {
			r.warn(signal.WarnUnknownUsage, name, name+" did not say what it used: neither its tokens nor its cost are in the totals")
		}
		if report.Usage.Known && report.Usage.CostUSD == nil {
			r.warn(signal.WarnUnknownPrice, name, fmt.Sprintf("no price is known for model %s: its cost is not in total_cost_usd", r.model(i)))
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

// waited is the time from the start of the first call to the end of the last one.
func (r *run) waited() time.Duration {
	var first, last time.Time
	for i := range r.calls {
		report := &r.calls[i].report
		if !r.calls[i].asked {
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

// retryAfter is the time after which enough providers for the quorum can be asked again.
// Those are the ones that voted, and the ones whose failure is temporary. It is 0 if there
// are too few of them.
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
