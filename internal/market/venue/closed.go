package venue

// From the rows of an answer to the closed candles that a caller may rely on.

import (
	"fmt"
	"slices"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// closed sorts rows by time, leaves out what opened after last (the open candle,
// and what closed after the moment that the caller means), a row that is there
// twice, and all but the newest signal.MaxCandles. It gives a kind, and why, where
// the candles are too old, on another grid, or contradict themselves or each other.
// Intervals without a candle stay without one.
func closed(rows []signal.Candle, series market.Series, last time.Time) (candles []signal.Candle, kind market.Kind, why string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(c signal.Candle) bool { return c.Time.After(last) })
	slices.SortStableFunc(rows, func(a, b signal.Candle) int { return a.Time.Compare(b.Time) })
	const advice = "; try again later, or name a further venue"

	offGrid := 0
	for i, c := range rows {
		if !series.Timeframe.Open(c.Time).Equal(c.Time) {
			offGrid++
			continue
		}
		if i > 0 && c.Time.Equal(rows[i-1].Time) {
			if c != rows[i-1] {
				return nil, market.ErrMalformed, fmt.Sprintf("its answer has two different candles for %s%s", clock(c.Time), advice)
			}
			continue
		}
		if fault := contradiction(c); fault != "" {
			return nil, market.ErrMalformed, fmt.Sprintf("its candle of %s can't be believed: %s%s", clock(c.Time), fault, advice)
		}
		candles = append(candles, c)
	}
	switch {
	case offGrid > 0 && len(candles) == 0:
		return nil, market.ErrUnsupported, fmt.Sprintf("its candles of this length begin at other times than ours (one at %s): name a venue whose candles begin at %s",
			clock(rows[0].Time), clock(last))
	case offGrid > 0:
		return nil, market.ErrMalformed, "its answer has candles that begin between two of this length" + advice
	case len(candles) == 0:
		return nil, market.ErrStaleData, fmt.Sprintf("it has no closed candle up to %s: nothing is traded there, or it lags; name a venue where the pair is traded", clock(last))
	}
	if newest := candles[len(candles)-1].Time; market.IsStale(newest, last, series.Timeframe) {
		return nil, market.ErrStaleData, fmt.Sprintf("its newest closed candle opened at %s, and that of %s was wanted: nothing has been traded there since, or it lags; name a venue where the pair is traded",
			clock(newest), clock(last))
	}
	return candles[max(0, len(candles)-signal.MaxCandles):], "", ""
}

// contradiction says what is wrong with a closed candle by itself.
func contradiction(c signal.Candle) string {
	open, high, low, shut := c.Open.Float64(), c.High.Float64(), c.Low.Float64(), c.Close.Float64()
	switch {
	case min(open, high, low, shut) <= 0:
		return "a price is not above 0"
	case low > min(open, shut) || high < max(open, shut):
		return fmt.Sprintf("open %s and close %s do not lie between low %s and high %s", c.Open, c.Close, c.Low, c.High)
	case c.Volume.Float64() < 0:
		return "its volume is below 0"
	}
	return ""
}

func clock(at time.Time) string { return at.UTC().Format(time.RFC3339) }
