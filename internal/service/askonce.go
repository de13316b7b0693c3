package service

// Questions by the clock: asked once for each occasion, however often and by how
// many processes.

import (
	"context"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
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
	// scheduleCaller is who asks by the clock, among the callers that share the slots.
	scheduleCaller = "schedule"
	// candlesShown are the newest candles that the models see. The indicators are
	// computed of all.
	candlesShown = 60
	// candlesEnough are those that every indicator is known and settled by.
	candlesEnough = 250
)

// Gather finds out what is to be asked.
type Gather func(context.Context) (orchestrator.Request, error)

// AskOnce asks what gather gives unless that was done before: then nothing is
// gathered, nobody is asked, and the earlier answer comes with Replayed set. The
// occasion names what may happen once, such as a series and a candle; it is
// remembered as long as the answer. An attempt that came to no answer does not count:
// the next one asks. One whose answer could not be stored does count, since it is paid
// for: this process gives the answer and tries to store it again, others give ErrNotFound.
//
// Errors: those of gather, and those of Ask; ErrInFlight where another process is
// at it, ErrNotFound where the answer of then is not stored, or no longer.
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
		checked, err := s.Orchestrator.Check(request)
		if err != nil {
			return Answer{}, err
		}
		return s.run(ctx, checked.Completed(id, completeByClock))
	}
	return s.uninterrupted(ctx, func(uninterrupted context.Context) (Answer, error) {
		return s.once(uninterrupted, c, func(running context.Context, id string) (Answer, error) {
			return s.withRunSlot(ctx, scheduleCaller, clockSize, func() (Answer, error) { return gathered(running, id) })
		})
	})
}

// completeByClock is [Complete] for candles that were fetched. Where there are enough of
// them, that the indicators are computed goes without saying.
func completeByClock(data *signal.MarketData, timeframe signal.Timeframe) []signal.Warning {
	fetched := len(data.Candles)
	warnings := market.Complete(data, timeframe)
	data.Candles = data.Candles[max(0, fetched-candlesShown):]
	if fetched >= candlesEnough {
		return nil
	}
	return warnings
}
