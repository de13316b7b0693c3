package service

// Scheduled questions: one run for each occasion, even if several processes ask.

import (
	"context"
	"time"

	"thalas/internal/orchestrator"
)

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
	keep := s.ResultRetention
	if keep == 0 {
		keep = forEver
	}
	c := claim{key: "idem#" + occasion, payload: "occasion", budget: gatherTimeout + orchestrator.MaxTimeout, keepFor: keep}
	gathered := func(ctx context.Context, id string) (Answer, error) {
		gathering, done := context.WithTimeout(ctx, gatherTimeout)
		defer done()
		request, err := gather(gathering)
		if err != nil {
			return Answer{}, err
		}
		if err := s.Orchestrator.Check(request); err != nil {
			return Answer{}, err
		}
		request.ID = id
		return s.run(ctx, request)
	}
	return s.uninterrupted(ctx, func(uninterrupted context.Context) (Answer, error) {
		return s.once(uninterrupted, c, func(running context.Context, id string) (Answer, error) {
			return s.withRunSlot(ctx, scheduleCaller, clockSize, func() (Answer, error) { return gathered(running, id) })
		})
	})
}
