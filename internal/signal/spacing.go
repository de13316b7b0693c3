package signal

// How far apart candles lie, which tells their timeframe.

import "time"

// Spacing is the time that most candles lie before the next one, the least where
// several are as frequent; 0 where they carry no times or there are not two. Candles
// are oldest first.
func Spacing(candles []Candle) time.Duration {
	if len(candles) < 2 || candles[0].Time.IsZero() {
		return 0
	}
	counts := map[time.Duration]int{}
	var usual time.Duration
	for i := 1; i < len(candles); i++ {
		d := gap(candles, i)
		counts[d]++
		if n := counts[d] - counts[usual]; n > 0 || n == 0 && d < usual {
			usual = d
		}
	}
	return usual
}

func gap(candles []Candle, i int) time.Duration { return candles[i].Time.Sub(candles[i-1].Time) }

// Contradicted reports whether the candles can't be of the timeframe, and words how
// far apart they are: 1h, or 7m0s where no timeframe is so long. Closed markets and
// candles without a trade leave gaps, so what lies too far apart proves something
// only where every gap is a multiple of the usual one.
func (f Timeframe) Contradicted(candles []Candle) (apart string, contradicted bool) {
	length, fitting := f.Duration(), 0
	for i := 1; i < len(candles); i++ {
		if gap(candles, i) == length {
			fitting++
		}
	}
	if 2*fitting >= len(candles)-1 {
		return "", false
	}
	spacing := Spacing(candles)
	if spacing <= 0 || spacing == length || spacing > length && (len(candles) < 3 || !multiples(candles, spacing)) {
		return "", false
	}
	if known, ok := TimeframeOf(spacing); ok {
		return string(known), true
	}
	return spacing.String(), true
}

// multiples reports whether every gap between candles is a multiple of spacing.
func multiples(candles []Candle, spacing time.Duration) bool {
	for i := 1; i < len(candles); i++ {
		if gap(candles, i)%spacing != 0 {
			return false
		}
	}
	return true
}
