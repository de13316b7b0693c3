package bolt

import (
	"math"
	"time"
)

// A commit syncs the file twice and writes the pages from the root down. One write costs
// nearly as much as ten. When writes come fast, the writer waits a moment for more of
// them, which then share a commit. Otherwise no write waits.
const (
	gatherFrom = 500 // writes a second; from this rate on a second write is likely within holdOpen
	holdOpen   = 4 * time.Millisecond

	// recently is the time after which a write counts for 1/e of a new one in the rate.
	recently = 50 * time.Millisecond
)

// rate estimates how many writes a second there were recently.
type rate struct {
	perSecond float64
	at        time.Time
}

// hold gives how long the writer waits for more writes before it commits.
func (r *rate) hold(now time.Time) time.Duration {
	if r.decayed(now) < gatherFrom {
		return 0
	}
	return holdOpen
}

// count adds a group of writes to the rate. If the writer waited in vain for a second
// write, it does not wait again until the rate is reached anew: a caller that makes one
// write after the other must not wait for writes that don't come.
func (r *rate) count(now time.Time, writes int, held time.Duration) {
	r.perSecond = r.decayed(now) + float64(writes)/recently.Seconds()
	r.at = now
	if held > 0 && writes == 1 {
		r.perSecond = 0
	}
}

func (r *rate) decayed(now time.Time) float64 {
	return r.perSecond * math.Exp(-float64(now.Sub(r.at))/float64(recently))
}
