package bolt

import (
	"testing"
	"time"
)

// drive counts groups of writes at a rate, one each interval. It gives how many of the
// last half were held open.
func drive(r *rate, start time.Time, interval time.Duration, groups, writes int) (held int, end time.Time) {
	now := start
	for i := range groups {
		now = now.Add(interval)
		hold := r.hold(now)
		if hold > 0 && i >= groups/2 {
			held++
		}
		r.count(now.Add(hold), writes, hold)
	}
	return held, now
}

func TestGroupsAreHeldOpenOnlyWhereWritesComeFast(t *testing.T) {
	start := time.Unix(0, 0)
	for name, test := range map[string]struct {
		interval time.Duration
		writes   int
		least    int
		most     int
	}{
		"300 a second, one at a time":                      {time.Second / 300, 1, 0, 0},
		"1,200 a second, four at a time":                   {time.Second / 300, 4, 500, 500},
		"one every second":                                 {time.Second, 1, 0, 0},
		"a burst of 20 every second":                       {time.Second, 20, 0, 0},
		"1,000 a second of one caller that waits for each": {time.Millisecond, 1, 1, 50}, // at most one in ten
	} {
		t.Run(name, func(t *testing.T) {
			held, _ := drive(&rate{}, start, test.interval, 1000, test.writes)
			if held < test.least || held > test.most {
				t.Errorf("%d of 500 groups were held open, not %d to %d", held, test.least, test.most)
			}
		})
	}

	t.Run("not after a pause", func(t *testing.T) {
		var r rate
		_, now := drive(&r, start, time.Second/300, 1000, 4)
		if hold := r.hold(now.Add(time.Second)); hold != 0 {
			t.Errorf("held open for %v after a second without writes", hold)
		}
	})
}
