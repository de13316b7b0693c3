package service

// Questions by the clock: asked once for each occasion, however often and by how
// many processes.

import (
	"context"
	"time"

	"thalas/internal/orchestrator"
)

const (
	// gatherTimeout is what finding out the question may take before the run.
	gatherTimeout = 15 * time.Second
	// OccasionHeld is how long an occasion may be in flight at the most: it is free then,
	// even if the process that was at it was killed.
	OccasionHeld = gatherTimeout + orchestrator.MaxTimeout + claimSlack
	// forEver is how long a claim is kept whose answer is kept for ever.
	forEver = 10 * 365 * day
	day     = 24 * time.Hour
)

// Gather finds out what is to be asked.
type Gather func(context.Context) (orchestrator.Request, error)

// AskOnce asks what gather gives unless that was done before: then nothing is
// gathered, nobody is asked, and the earlier answer comes with Replayed set. The
// occasion names what may happen once, such as a series and a candle; it is
// remembered as long as the answer. An attempt that came to no stored answer does
// not count: the next one asks.
//
// Errors: those of gather, and those of Ask; ErrInFlight where another process is
// at it, ErrNotFound where the answer of then is kept no longer.
func (s *Service) AskOnce(ctx context.Context, occasion string, gather Gather) (Answer, error) {
	keep := s.ResultRetention
	if keep == 0 {
		keep = forEver
	}
	c := claim{key: "idem#" + occasion, payload: "occasion", budget: gatherTimeout + orchestrator.MaxTimeout, keepFor: keep}
	free, err := s.memory.take(clockSize)
	if err != nil {
		return Answer{}, err
	}
	defer free()
	return s.inSlot(ctx, func(ctx context.Context) (Answer, error) {
		return s.once(ctx, c, func(ctx context.Context, id string) (Answer, error) {
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
		})
	})
}
