package signal

// How far apart candles lie, which tells their timeframe.

import "time"

// Spacing is the least time from a candle to the next; 0 where they carry no times
// or there are not two. Candles are oldest first.
func Spacing(candles []Candle) time.Duration {
	var smallest time.Duration
	for i := 1; i < len(candles); i++ {
		if d := candles[i].Time.Sub(candles[i-1].Time); smallest == 0 || d < smallest {
			smallest = d
		}
	}
	return smallest
}

// Contradicted reports whether the candles can't be of the timeframe, and words how
// far apart they are: 1h, or 7m0s where no timeframe is so long. Closed markets
// leave gaps, so two candles that lie too far apart prove nothing.
func (f Timeframe) Contradicted(candles []Candle) (apart string, contradicted bool) {
	spacing, length := Spacing(candles), f.Duration()
	if spacing <= 0 || spacing == length || spacing > length && len(candles) < 3 {
		return "", false
	}
	if known, ok := TimeframeOf(spacing); ok {
		return string(known), true
	}
	return spacing.String(), true
}
