package orchestrator

// Sharing votes: when two requests ask the models the same, and the result of a request
// whose votes another run brought.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Fingerprint identifies what a request asks the models: two requests have the same one if
// their votes may be shared. scope names who shares. It changes with the candle, so that
// votes are shared only within one.
//
// Weights, gates and quorum are in it only for WaitDecided, where they decide whose votes
// are waited for. The time that a request has is never in it.
func (o *Orchestrator) Fingerprint(request Checked, scope string, now time.Time) string {
	const version = "1" // of what follows
	r, hash := &request.request, sha256.New()
	part := func(texts ...string) {
		for _, text := range texts { // the length keeps "a", "bc" and "ab", "c" apart
			_, _ = io.WriteString(hash, strconv.Itoa(len(text))+":"+text)
		}
	}
	part(version, scope, strconv.FormatBool(o.options.Simulated), string(r.Timeframe), request.Candle(now).Format(time.RFC3339Nano), string(r.Wait))
	if r.Wait == WaitDecided {
		part(strconv.Itoa(r.MinProviders), number(*r.MinConfidence), number(*r.MinAgreement))
	}
	for _, e := range o.registry.Available() {
		part(e.Provider.Name(), e.Provider.Model())
		if identified, ok := e.Provider.(provider.Identified); ok {
			identified.WriteIdentity(hash)
		}
		if r.Wait == WaitDecided {
			part(number(request.weight(e)))
		}
	}
	provider.WriteMeaning(hash, r.Pair, r.Timeframe, r.CurrentPrice, r.MarketData)
	return hex.EncodeToString(hash.Sum(nil))
}

// weight is that of a provider's vote.
func (c Checked) weight(e provider.Entry) float64 {
	if weight, given := c.weights[e.Provider.Name()]; given {
		return weight
	}
	return e.VoteWeight()
}

// Possible reports whether enough providers are available for the quorum of a request.
func (o *Orchestrator) Possible(request Checked) bool {
	return len(o.registry.Available()) >= request.MinProviders()
}

// TimeLeft gives the time that the providers of a run would have that begins now.
func (o *Orchestrator) TimeLeft(ctx context.Context, request Checked) time.Duration {
	return timeLeft(ctx, request.request.Timeout, o.options.Reserve)
}

// ID is that of the run; empty: a new one.
func (c Checked) ID() string { return c.request.ID }

// MinProviders is the quorum: 1 or more.
func (c Checked) MinProviders() int { return c.request.MinProviders }

// WithTimeout sets the time that the providers have.
func (c Checked) WithTimeout(timeout time.Duration) Checked {
	c.request.Timeout = timeout
	return c
}

// WithMarketOf takes the market data of another request with the same Fingerprint, so that
// its own need not be kept. The zero Checked has none.
func (c Checked) WithMarketOf(other Checked) Checked {
	c.request.MarketData, c.prompt = other.request.MarketData, other.prompt
	return c
}

// Votes are what a run brought: every available provider is in one of the lists, by name.
type Votes struct {
	Run      string           `json:"run"`    // its id
	At       time.Time        `json:"at"`     // when it had them
	Candle   time.Time        `json:"candle"` // open time of the last candle that had closed then
	Votes    []signal.Vote    `json:"votes"`
	Failures []signal.Failure `json:"failures"`
}

// Share decides by the votes of another run of the same question, with the weights, the
// gates and the quorum of this request. No provider is asked. began is when the request
// came, and waited how long it has waited for the votes. Errors are those of Run.
func (o *Orchestrator) Share(ctx context.Context, request Checked, shared Votes, cache signal.Cache, began time.Time, waited time.Duration) (*signal.Consensus, error) {
	r, err := o.newRun(request)
	if err != nil {
		return nil, err
	}
	r.started, r.calls, r.waitedFor = began, nil, waited
	failures := slices.Clone(shared.Failures)
	if failures == nil {
		failures = []signal.Failure{} // an empty list in JSON, not null
	}
	if len(shared.Votes) < r.MinProviders {
		return nil, o.fail(ctx, r, &Error{kind: ErrInsufficientResponses, Have: len(shared.Votes), Need: r.MinProviders, Failures: failures})
	}
	votes := slices.Clone(shared.Votes)
	for i := range votes {
		if e, found := o.registry.Find(votes[i].Provider); found {
			votes[i].Weight = request.weight(e)
		}
	}
	result, failed := o.conclude(ctx, r, votes, failures)
	if failed != nil {
		return nil, o.fail(ctx, r, failed)
	}
	result.Cache, result.SharedFrom, result.VotesAt = cache, &shared.Run, shared.At
	result.CandleTime, result.ValidUntil = shared.Candle, shared.Candle.Add(2*r.Timeframe.Duration())
	r.reached(ctx, result, slog.String("cache", string(cache)), slog.String("shared_from", shared.Run))
	return result, nil
}
