package service

// Asking a question: its claim, its budget, the run, and storing what came of it. A
// scheduled question is asked once for each occasion, even if several processes ask.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/outcome"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// writeTimeout bounds each write that stores nothing that was paid for: those before
	// a run, for example. A busy machine takes less, and a caller waits longer.
	writeTimeout = 3 * time.Second
	// paidTimeout bounds the write of a result that was paid for. It is long enough for a
	// slow disk. A server that shuts down waits for it too.
	paidTimeout = 10 * time.Second
	// answerTime is the part of a caller's deadline that a write after the run leaves for
	// sending the answer.
	answerTime = 250 * time.Millisecond
	// keysRetryAfter tells the caller when to ask again after keys could not be read.
	keysRetryAfter = 5 * time.Second
)

// Question is a request, and what is needed to repeat it without paying twice.
type Question struct {
	orchestrator.Request
	IdempotencyKey string // empty: every request is a run of its own
	Caller         string // who asks: the same key of another caller is another key, and callers share the run slots
	Route          string // the same key on another route is another key; empty: the usual route
	Payload        string // a hash of the request as it was sent
	Cancelable     bool   // the run ends with the caller: nobody else would read its result
	Size           int    // bytes of the request as it was sent: the memory of its run is estimated from it

	MaxAge  time.Duration // votes about the same question that are at most so old will do; 0: none that are there already
	NoCache bool          // it shares votes with nobody
	Waiting func()        // is called when it begins to wait for another run: its body is not needed any more; may be nil
}

// Answer is a decision. Where Consensus.SharedFrom is set, its votes are those of another run.
type Answer struct {
	Consensus *signal.Consensus
	Body      []byte // Consensus as it was stored; nil if it was not stored or is an earlier answer
	Replayed  bool   // it is an earlier answer to the same Idempotency-Key; no model was asked
}

// Ask asks the models and stores the result. For candles without indicators
// [market.Complete] computes them, and a warning of the result says so. A run goes on
// when its caller goes away: its answers are paid for, so it is finished and stored.
// Questions that are the same share the votes of one run, as Options.ShareVotes says.
//
// Errors are [signal.FieldErrors], [*orchestrator.Error], and [*Error] of the kinds
// ErrInFlight, ErrOtherBody, ErrBusy, ErrStillAsked, ErrDailyBudget, ErrRequestBudget, ErrNoBudget,
// ErrKeys and ErrStore. A result that can't be stored is not an error: it is answered
// with the warning not_stored.
func (s *Service) Ask(ctx context.Context, q Question) (Answer, error) {
	// A request with mistakes is refused before it claims a key.
	checked, err := s.Orchestrator.Check(q.Request)
	if err != nil {
		return Answer{}, err
	}
	running := ctx
	if !q.Cancelable {
		var done func()
		running, done = s.uninterrupted(ctx)
		defer done()
	}
	ask := func(running context.Context, id string) (Answer, error) {
		completed := checked.Completed(id, AddIndicators)
		checked, q.Request = orchestrator.Checked{}, orchestrator.Request{} // not held while it waits
		return s.shared(ctx, running, q, completed)
	}
	if q.IdempotencyKey != "" {
		return s.once(running, q.claim(), ask)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Answer{}, err
	}
	return ask(running, id.String())
}

// AddIndicators adds the indicators that all candles give, as [market.Complete] does, and
// removes all but the newest candles that a question may have.
func AddIndicators(data *signal.MarketData, timeframe signal.Timeframe) []signal.Warning {
	warnings := market.Complete(data, timeframe)
	data.Candles = data.Candles[max(0, len(data.Candles)-signal.MaxCandles):]
	return warnings
}

// uninterrupted gives a context that goes on when the caller goes away, and ends at the
// caller's deadline. The caller must call done, for which [Service.Wait] waits.
func (s *Service) uninterrupted(ctx context.Context) (running context.Context, done func()) {
	s.runs.Add(1)
	running, cancel := context.WithoutCancel(ctx), func() {}
	if deadline, ok := ctx.Deadline(); ok {
		running, cancel = context.WithDeadline(running, deadline)
	}
	return running, func() {
		cancel()
		s.runs.Done()
	}
}

// takeSlot takes one of the run slots and the memory for a question of size bytes, until
// free is called. ctx is the caller's: it ends only the wait for a slot, so that a caller
// who goes away while waiting starts no run.
func (s *Service) takeSlot(ctx context.Context, caller string, size int) (free func(), err error) {
	freeMemory, err := s.memory.take(size)
	if err != nil {
		return nil, err
	}
	if err := s.slots.acquire(ctx, caller); err != nil {
		freeMemory()
		return nil, err
	}
	return func() {
		s.slots.release(caller)
		freeMemory()
	}, nil
}

// prepare calls Options.Prepare.
func (s *Service) prepare(ctx context.Context) error {
	if s.Prepare == nil {
		return nil
	}
	if err := s.Prepare(ctx); err != nil {
		return &Error{Message: "The providers' keys could not be read: " + err.Error(), RetryAfter: keysRetryAfter, kind: ErrKeys, cause: err}
	}
	return nil
}

// run asks the models within the budget and stores the result. It calls land as soon as they
// have answered.
func (s *Service) run(ctx context.Context, request orchestrator.Checked, land func(landing)) (Answer, error) {
	defer s.hear(ctx)()
	if err := s.prepare(ctx); err != nil {
		s.Meter.Undecided("", nil, nil, 0, 0)
		s.countKeyless(ctx, request)
		return Answer{}, err
	}
	reserved, err := s.reserve(ctx, request)
	if err != nil {
		return Answer{}, err
	}
	probability, end := s.probability(ctx, request.Timeframe())
	defer end()
	var market []byte
	var zipping sync.WaitGroup
	zipping.Go(func() { market = marketOf(request.MarketData()) })
	defer zipping.Wait()
	result, err := s.Orchestrator.Run(ctx, request.WithProbability(probability))
	var telling sync.WaitGroup
	telling.Go(func() { s.tell(ctx) })
	defer telling.Wait()
	if err != nil {
		var undecided *orchestrator.Error
		if errors.As(err, &undecided) {
			land(landingOf(request, nil, undecided))
		}
		s.storeFailure(ctx, request, undecided, reserved)
		return Answer{}, err
	}
	land(landingOf(request, result, nil))
	zipping.Wait()
	body := s.storeResult(ctx, result, market, reserved)
	s.Meter.Decided(result, body != nil)
	return Answer{Consensus: result, Body: body}, nil
}

// countKeyless counts a run that could ask no provider because the keys could not be
// read. Processes without keys learn from the counters that keys are missing. Nothing
// is counted after the caller's deadline: the deadline may be why the keys were not read.
func (s *Service) countKeyless(ctx context.Context, request orchestrator.Checked) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := writeContext(ctx, writeTimeout)
	defer cancel()
	s.recordFailure(ctx, "", s.countFailure(request, &orchestrator.Error{}, ErrKeys))
}

// writeContext gives the context of the writes after a run. It goes on when the caller
// has gone away, but ends after most, and earlier than the caller's deadline: then a
// Lambda function is stopped, and its answer would be lost.
func writeContext(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	until := time.Now().Add(most)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerTime).Before(until) {
		until = deadline.Add(-answerTime)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}

// storeResult stores a result with what the models saw, which may be nil, counts its run and
// settles its budget, all at the same time. It returns the stored bytes, or nil if the result could not be stored.
func (s *Service) storeResult(ctx context.Context, result *signal.Consensus, market []byte, reserved *reservation) []byte {
	ctx, cancel := writeContext(ctx, paidTimeout)
	defer cancel()
	cost := result.TotalCostUSD + reserved.unreportedCost(result.Responses, result.Failures)
	var settling sync.WaitGroup
	settling.Go(func() { s.settle(ctx, reserved, cost) })
	defer settling.Wait()

	if reserved.low(cost) {
		result.Warnings = append(result.Warnings, signal.Warning{Code: signal.WarnBudgetLow,
			Message: fmt.Sprintf("the day's budget of %s is used up by %.0f %%", dollars(s.budget.daily), 100*reserved.used(cost))})
	}
	var record *store.Result
	count := s.countResult(result)
	body, err := json.Marshal(result)
	if err == nil {
		record = s.recordOf(result, body, result.Timestamp)
		record.Market = market
		record.Unsettled, err = unsettled(result, outcome.Of(result, false))
	}
	if err == nil {
		err = s.Store.Record(ctx, record, count)
	}
	s.writeFailed.Store(err != nil)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Result not stored:", slog.String("run", result.ID), slog.String("error", err.Error()))
		if record != nil {
			if lost := s.unstored.add(record, count); lost != "" {
				s.log.LogAttrs(ctx, slog.LevelError, "Result lost, since too many others are not stored:", slog.String("run", lost))
			}
		}
		result.Warnings = append(result.Warnings, notStored)
		return nil
	}
	s.storeBacklog(ctx, time.Now().Add(backlogTime))
	return body
}

// storeFailure counts a run without a decision and settles its budget.
func (s *Service) storeFailure(ctx context.Context, request orchestrator.Checked, undecided *orchestrator.Error, reserved *reservation) {
	ctx, cancel := writeContext(ctx, paidTimeout)
	defer cancel()
	if undecided == nil { // the request was refused, and no model was asked
		s.settle(ctx, reserved, 0)
		return
	}
	s.Meter.Undecided(undecided.RunID, undecided.Votes, undecided.Failures, undecided.Total.LatencyMS, undecided.Total.CostUSD)
	var settling sync.WaitGroup
	settling.Go(func() {
		s.settle(ctx, reserved, undecided.Total.CostUSD+reserved.unreportedCost(undecided.Votes, undecided.Failures))
	})
	defer settling.Wait()
	s.recordFailure(ctx, undecided.RunID, s.countFailure(request, undecided, signal.CodeOf(undecided)))
}

// recordFailure adds a run without a decision to the counters.
func (s *Service) recordFailure(ctx context.Context, run string, count store.Count) {
	if err := s.Store.Record(ctx, nil, count); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Run not counted:", slog.String("run", run), slog.String("error", err.Error()))
	}
}

// recordOf gives the stored form of a result with that body. The retention period
// begins at from.
func (s *Service) recordOf(c *signal.Consensus, body []byte, from time.Time) *store.Result {
	return &store.Result{
		ID: c.ID, Schema: schemaVersion, Body: body,
		Series:   store.SeriesKey(c.Pair.String(), string(c.Timeframe), c.Simulated),
		Position: store.PositionKey(c.CandleTime, c.ID),
		Day:      store.DayKey(c.Timestamp, c.Simulated),
		Decision: string(c.Decision), Status: string(c.Status), CreatedAt: c.Timestamp,
		ExpiresAt: expiry(from, s.ResultRetention),
	}
}

// expiry gives when what is kept for a time expires; zero: it is kept for ever.
func expiry(from time.Time, kept time.Duration) time.Time {
	if kept == 0 {
		return time.Time{}
	}
	return from.Add(kept)
}

// schemaVersion is the version of the bodies that are stored.
const schemaVersion = 1

const (
	// gatherTimeout bounds a call of [Gather].
	gatherTimeout = 15 * time.Second
	// OccasionHeld is the longest time that an occasion stays claimed without an answer.
	// After it another process may ask, even if the first one was killed.
	OccasionHeld = gatherTimeout + orchestrator.MaxTimeout + claimSlack
	// forEver is the life of a claim whose answer never expires.
	forEver = 10 * 365 * day
	day     = 24 * time.Hour
	// scheduleCaller is the caller of scheduled questions, where callers share the run slots.
	scheduleCaller = "schedule"
	// candlesShown are the newest candles that the models see. The indicators are
	// computed of all.
	candlesShown = 60
	// candlesEnough are those that every indicator is known and settled by.
	candlesEnough = 250
)

// Gather makes the request for an occasion: it fetches the candles, for example.
type Gather func(context.Context) (orchestrator.Request, error)

// AskOnce asks the request that gather gives, once for each occasion. The occasion names
// what may be asked once, such as a series and a candle. If it was answered before,
// AskOnce calls neither gather nor a model, and returns the earlier answer with Replayed
// set. The occasion is remembered as long as the answer.
//
// After an attempt without an answer the next call asks again. After an answer that
// could not be stored it does not, because that answer is paid for: this process returns
// it and tries to store it again, and other processes return ErrNotFound.
//
// Errors are those of gather and of [Service.Ask]; ErrInFlight while another process
// works on the occasion; ErrNotFound if the earlier answer is not stored, or not any more.
func (s *Service) AskOnce(ctx context.Context, occasion string, gather Gather) (Answer, error) {
	lifetime := s.ResultRetention
	if lifetime == 0 {
		lifetime = forEver
	}
	c := claim{key: "idem#" + occasion, payload: "occasion", budget: gatherTimeout + orchestrator.MaxTimeout, lifetime: lifetime}
	running, done := s.uninterrupted(ctx)
	defer done()
	return s.once(running, c, func(running context.Context, id string) (Answer, error) {
		request, err := s.gathered(ctx, running, gather)
		if err != nil {
			return Answer{}, err
		}
		checked, err := s.Orchestrator.Check(request)
		if err != nil {
			return Answer{}, err
		}
		return s.shared(ctx, running, Question{Caller: scheduleCaller, Size: clockSize, IdempotencyKey: occasion}, checked.Completed(id, addFetchedIndicators))
	})
}

// gathered makes a request in a slot, which it gives back: waiting for another run that asks
// the same needs none.
func (s *Service) gathered(ctx, running context.Context, gather Gather) (orchestrator.Request, error) {
	free, err := s.takeSlot(ctx, scheduleCaller, clockSize)
	if err != nil {
		return orchestrator.Request{}, err
	}
	defer free()
	running, cancel := context.WithTimeout(running, gatherTimeout)
	defer cancel()
	return gather(running)
}

// addFetchedIndicators is [AddIndicators] for candles that were fetched. Where there are enough of
// them, no warning says that the indicators are computed.
func addFetchedIndicators(data *signal.MarketData, timeframe signal.Timeframe) []signal.Warning {
	fetched := len(data.Candles)
	warnings := market.Complete(data, timeframe)
	data.Candles = data.Candles[max(0, fetched-candlesShown):]
	if fetched >= candlesEnough {
		return nil
	}
	return warnings
}
