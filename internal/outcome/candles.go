package outcome

// The candles that results are settled against.

import (
	"fmt"
	"slices"
	"time"

	"thalas/internal/signal"
)

// Candles are closed candles of one series that passed [NewCandles]. The zero Candles are
// none.
type Candles struct {
	sorted []signal.Candle // by time, each time once
}

// CandleError says which candle can't be used, and why.
type CandleError struct {
	Index  int       // its place in the list that was given, from 0
	Other  int       // the place of the candle of the same time that it differs from; Index for another reason
	Time   time.Time // when it opened
	Reason string    // such as "its close 110 is above its high 100"
}

func (e *CandleError) Error() string {
	return fmt.Sprintf("candle %d, %s: %s", e.Index+1, e.Time.UTC().Format(time.RFC3339), e.Reason)
}

// NewCandles checks candles of one timeframe, which may come in any order. It leaves out
// those that have not closed by now, and takes the same candle given twice as one. Its
// error is a [*CandleError]: a candle that is off the timeframe's grid, two that differ at
// one time, a price of 0 or less, and prices that can't be of one candle.
func NewCandles(timeframe signal.Timeframe, candles []signal.Candle, now time.Time) (Candles, error) {
	type placed struct {
		*signal.Candle
		index int
	}
	step := timeframe.Duration()
	closed := make([]placed, 0, len(candles))
	for i := range candles {
		c := &candles[i]
		if c.Time.Add(step).After(now) {
			continue
		}
		if reason := contradiction(timeframe, c); reason != "" {
			return Candles{}, &CandleError{Index: i, Other: i, Time: c.Time, Reason: reason}
		}
		closed = append(closed, placed{c, i})
	}
	slices.SortStableFunc(closed, func(a, b placed) int { return a.Time.Compare(b.Time) })
	sorted := make([]signal.Candle, 0, len(closed))
	for i, c := range closed {
		if i > 0 && c.Time.Equal(closed[i-1].Time) {
			if !same(c.Candle, closed[i-1].Candle) {
				return Candles{}, &CandleError{Index: c.index, Other: closed[i-1].index, Time: c.Time, Reason: fmt.Sprintf("it differs from candle %d, which opened at the same time: give each candle once", closed[i-1].index+1)}
			}
			continue
		}
		sorted = append(sorted, *c.Candle)
	}
	return Candles{sorted}, nil
}

// contradiction says what is wrong with a candle; empty: nothing.
func contradiction(timeframe signal.Timeframe, c *signal.Candle) string {
	if c.Time.Nanosecond() != 0 || !timeframe.Open(c.Time).Equal(c.Time) {
		return fmt.Sprintf("no candle of %s opens then: give the open times of %s candles, in UTC", timeframe, timeframe)
	}
	for _, p := range [...]struct {
		name  string
		price *signal.Number
	}{{"open", &c.Open}, {"high", &c.High}, {"low", &c.Low}, {"close", &c.Close}} {
		if !p.price.IsKnown() || !(p.price.Float64() > 0) {
			return "its " + p.name + " is not above 0"
		}
	}
	return c.Contradiction()
}

func same(a, b *signal.Candle) bool {
	for _, pair := range [...][2]*signal.Number{{&a.Open, &b.Open}, {&a.High, &b.High}, {&a.Low, &b.Low}, {&a.Close, &b.Close}, {&a.Volume, &b.Volume}} {
		if known := pair[0].IsKnown(); known != pair[1].IsKnown() || known && pair[0].Float64() != pair[1].Float64() {
			return false
		}
	}
	return true
}

// at gives the candle that opened at a time, or nil.
func (c Candles) at(open time.Time) *signal.Candle {
	i, found := slices.BinarySearchFunc(c.sorted, open, func(c signal.Candle, open time.Time) int { return c.Time.Compare(open) })
	if !found {
		return nil
	}
	return &c.sorted[i]
}

// reach reports whether a candle opened at a time or later.
func (c Candles) reach(at time.Time) bool {
	return len(c.sorted) > 0 && !c.sorted[len(c.sorted)-1].Time.Before(at)
}

// beginAt reports whether there are candles, and all of them opened at a time or later.
func (c Candles) beginAt(at time.Time) bool {
	return len(c.sorted) > 0 && !c.sorted[0].Time.Before(at)
}
