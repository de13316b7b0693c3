package service

// Ask: idempotency, budget, run, keep, answer.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// writeTimeout bounds each write before a run, and those that keep nothing that was
	// paid: longer than a busy machine takes, not than a caller waits.
	writeTimeout = 3 * time.Second
	// paidTimeout bounds the write of what was paid for: a machine that is busy, or a disk
	// that is slow, is waited for. A server that ends waits for it too.
	paidTimeout = 10 * time.Second
	// answerTime is what such a write leaves of a caller's deadline for the answer.
	answerTime = 250 * time.Millisecond
	// keysRetryAfter is when keys that could not be read may be there.
	keysRetryAfter = 5 * time.Second
)

// Question is a request with what makes it safe to repeat.
type Question struct {
	orchestrator.Request
	IdempotencyKey string // empty: every request is a run of its own
	Caller         string // who asks: keys of different callers never meet, and callers share the runs at once
	Route          string // likewise keys of different routes never meet; empty: the usual one
	Payload        string // a hash of the request as it was sent
	Size           int    // bytes of the request as it was sent, which tell what memory its run needs
}

// Answer is a decision.
type Answer struct {
	Consensus *signal.Consensus
	Body      []byte // Consensus as it was stored; nil where it was not, or is replayed
	Replayed  bool   // an earlier answer to the same Idempotency-Key; nobody was asked
}

// Ask asks the models and keeps the result. Candles without indicators are completed
// by market.Complete, which the result's warnings tell. A caller that goes away does not
// stop a run: its answers are paid for, so it is finished and stored.
//
// Errors: signal.FieldErrors, *orchestrator.Error, and *Error of the kinds
// ErrInFlight, ErrOtherBody, ErrBusy, ErrDailyBudget, ErrRequestBudget,
// ErrNoBudget, ErrKeys and ErrStore. A result that can't be stored is no error: it is
// answered with the warning not_stored.
func (s *Service) Ask(ctx context.Context, q Question) (Answer, error) {
	// What is wrong with a request is said before anything is claimed for it.
	if err := s.Orchestrator.Check(q.Request); err != nil {
		return Answer{}, err
	}
	completed := func(ctx context.Context, id string) (Answer, error) {
		request := q.Request
		request.ID = id
		request.Warnings = slices.Concat(request.Warnings, market.Complete(&request.MarketData, request.Timeframe))
		return s.run(ctx, request)
	}
	return s.uninterrupted(ctx, func(uninterrupted context.Context) (Answer, error) {
		asked := func(running context.Context, id string) (Answer, error) {
			return s.withRunSlot(ctx, q.Caller, q.Size, func() (Answer, error) { return completed(running, id) })
		}
		if q.IdempotencyKey == "" {
			return asked(uninterrupted, "")
		}
		return s.once(uninterrupted, q.claim(), asked)
	})
}

// uninterrupted answers in a context that a caller that goes away does not end; it
// ends at the caller's deadline. Wait waits for the answer.
func (s *Service) uninterrupted(ctx context.Context, answer func(context.Context) (Answer, error)) (Answer, error) {
	s.runs.Add(1)
	defer s.runs.Done()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
	} else {
		ctx = context.WithoutCancel(ctx)
	}
	return answer(ctx)
}

// withRunSlot runs in one of the slots of runs at once, and within the memory that
// they may hold; size is that of the question in bytes. Only the wait for a slot ends
// with ctx: who went away before its run began asks nobody.
func (s *Service) withRunSlot(ctx context.Context, caller string, size int, run func() (Answer, error)) (Answer, error) {
	free, err := s.memory.take(size)
	if err != nil {
		return Answer{}, err
	}
	defer free()
	if err := s.slots.acquire(ctx, caller); err != nil {
		return Answer{}, err
	}
	defer s.slots.release(caller)
	return run()
}

// prepare makes the providers ready.
func (s *Service) prepare(ctx context.Context) error {
	if s.Prepare == nil {
		return nil
	}
	if err := s.Prepare(ctx); err != nil {
		return &Error{Message: "The providers' keys could not be read: " + err.Error(), RetryAfter: keysRetryAfter, kind: ErrKeys, cause: err}
	}
	return nil
}

// run asks within the budget and keeps what came of it.
func (s *Service) run(ctx context.Context, request orchestrator.Request) (Answer, error) {
	if err := s.prepare(ctx); err != nil {
		s.Meter.Undecided("", nil, nil, 0, 0)
		s.countKeyless(ctx)
		return Answer{}, err
	}
	if s.budget.daily > 0 || s.RequestBudgetUSD > 0 {
		request = request.WithPrompt() // for its length
	}
	reserved, err := s.reserve(ctx, request)
	if err != nil {
		return Answer{}, err
	}
	result, err := s.Orchestrator.GenerateConsensusSignal(ctx, request)
	if err != nil {
		var undecided *orchestrator.Error
		errors.As(err, &undecided)
		s.keepFailure(ctx, undecided, reserved)
		return Answer{}, err
	}
	body := s.keep(ctx, result, reserved)
	s.Meter.Decided(result, body != nil)
	return Answer{Consensus: result, Body: body}, nil
}

// countKeyless counts a run that could ask nobody for want of keys, which tells
// processes without keys of it. A caller's deadline that passed meanwhile says
// nothing of the keys.
func (s *Service) countKeyless(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := ending(ctx, writeTimeout)
	defer cancel()
	if err := s.Store.Record(ctx, nil, s.countFailure(&orchestrator.Error{})); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Run not counted:", slog.String("error", err.Error()))
	}
}

// ending is the context of what is done after a run, whatever became of the caller:
// it takes at most so long and ends before the caller's deadline, at which a
// function is killed and its answer lost.
func ending(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	until := time.Now().Add(most)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerTime).Before(until) {
		until = deadline.Add(-answerTime)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}

// keep stores a result, counts its run and settles its budget, at the same time.
// It gives the bytes that were stored, nil where they could not be.
func (s *Service) keep(ctx context.Context, result *signal.Consensus, reserved *reservation) []byte {
	ctx, cancel := ending(ctx, paidTimeout)
	defer cancel()
	cost := result.TotalCostUSD + reserved.unreportedCost(result.Responses, result.Failures)
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		s.settle(ctx, reserved, cost)
	}()
	defer func() { <-settled }()

	if reserved.low(cost) {
		result.Warnings = append(result.Warnings, signal.Warning{Code: signal.WarnBudgetLow,
			Message: fmt.Sprintf("the day's budget of %s is used up by %.0f %%", dollars(s.budget.daily), 100*reserved.used(cost))})
	}
	record, err := s.record(result)
	if err == nil {
		err = s.Store.Record(ctx, record, s.countResult(result))
	}
	s.unwritten.Store(err != nil)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Result not stored:", slog.String("run", result.ID), slog.String("error", err.Error()))
		if record != nil {
			if lost := s.unstored.add(record, s.countResult(result)); lost != "" {
				s.log.LogAttrs(ctx, slog.LevelError, "Result lost, since too many others are not stored:", slog.String("run", lost))
			}
		}
		result.Warnings = append(result.Warnings, notStored)
		return nil
	}
	s.storeBacklog(ctx, time.Now().Add(backlogTime))
	return record.Body
}

// keepFailure counts a run without a decision and settles its budget.
func (s *Service) keepFailure(ctx context.Context, undecided *orchestrator.Error, reserved *reservation) {
	ctx, cancel := ending(ctx, paidTimeout)
	defer cancel()
	if undecided == nil { // the request was refused: nobody was asked
		s.settle(ctx, reserved, 0)
		return
	}
	s.Meter.Undecided(undecided.RunID, undecided.Votes, undecided.Failures, undecided.Total.LatencyMS, undecided.Total.CostUSD)
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		s.settle(ctx, reserved, undecided.Total.CostUSD+reserved.unreportedCost(undecided.Votes, undecided.Failures))
	}()
	if err := s.Store.Record(ctx, nil, s.countFailure(undecided)); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Run not counted:", slog.String("run", undecided.RunID), slog.String("error", err.Error()))
	}
	<-settled
}

// record is the stored form of a result.
func (s *Service) record(c *signal.Consensus) (*store.Result, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.recordOf(c, body, c.Timestamp), nil
}

// recordOf is the stored form of a result with that body, kept from that time on.
func (s *Service) recordOf(c *signal.Consensus, body []byte, from time.Time) *store.Result {
	r := &store.Result{
		ID: c.ID, Schema: schemaVersion, Body: body,
		Series:   store.SeriesKey(c.Pair.String(), string(c.Timeframe), c.Simulated),
		Position: store.PositionKey(c.CandleTime, c.ID),
		Day:      store.DayKey(c.Timestamp, c.Simulated),
		Decision: string(c.Decision), Status: string(c.Status), CreatedAt: c.Timestamp,
	}
	if s.ResultRetention > 0 {
		r.ExpiresAt = from.Add(s.ResultRetention)
	}
	return r
}

// schemaVersion is the form of stored results.
const schemaVersion = 1
