package bolt

import (
	"math"
	"time"
)

// A commit costs two syncs of the file and the pages from the root down, for one
// write nearly as much as for ten. Where writes come fast, a group is held open
// for a moment, so that more of them share one; where they don't, nobody waits.
const (
	gatherFrom = 500 // writes a second, at which holdOpen brings a second one
	holdOpen   = 4 * time.Millisecond

	// recently is how far back the rate looks: e^-1 of it is older.
	recently = 50 * time.Millisecond
)

// rate is the writes a second of the recent past.
type rate struct {
	perSecond float64
	at        time.Time
}

// hold says how long the group that begins now is to be held open.
func (r *rate) hold(now time.Time) time.Duration {
	if r.decayed(now) < gatherFrom {
		return 0
	}
	return holdOpen
}

// count adds a group of writes. One that was held open and got no second write
// ends the holding until the rate was reached anew: a caller that waits for each
// of its writes must not wait for others that don't come.
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
