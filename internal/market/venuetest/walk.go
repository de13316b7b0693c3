package venuetest

// Made-up prices: they look random but depend only on the pair and the time, so that every
// request gets the same past.

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// Row is one candle as it goes over the wire, numbers as text.
type Row struct {
	Time                           time.Time
	Open, High, Low, Close, Volume string
	IsOpen                         bool // it has not closed yet
}

// walk is the price of one pair: waves of 1 minute, 4 minutes, 16 minutes and so on up to 45
// days. Each is twice as high as the one before, as in a random walk.
type walk struct {
	phase float64
	start float64
}

func walkOf(base, quote string) walk {
	h := fnv.New64a()
	_, _ = h.Write([]byte(base + "/" + quote))
	phase := float64(h.Sum64()>>11) / (1 << 53) // 0 … 1
	switch base {
	case "BTC":
		return walk{phase, 60_000}
	case "ETH":
		return walk{phase, 3_000}
	}
	return walk{phase, math.Pow(10, 6*phase-3)} // 0.001 … 1000
}

// at gives the price of a moment.
func (w walk) at(t time.Time) float64 {
	sum := 0.0
	for period, height := 60.0, 0.0004; period < 5e6; period, height = 4*period, 2*height {
		sum += height * math.Sin(2*math.Pi*(float64(t.Unix())/period+w.phase*period))
	}
	return w.start * math.Exp(sum)
}

// row gives the candle that opens at a time, as it is at now.
func (w walk) row(opened time.Time, length time.Duration, now time.Time) Row {
	end := opened.Add(length)
	r := Row{Time: opened, IsOpen: end.After(now)}
	if r.IsOpen {
		end = now
	}
	open, shut := w.at(opened), w.at(end)
	high, low := max(open, shut), min(open, shut)
	for step := range time.Duration(4) {
		p := w.at(opened.Add(end.Sub(opened) / 5 * (step + 1)))
		high, low = max(high, p), min(low, p)
	}
	r.Open, r.High, r.Low, r.Close = w.write(open), w.write(high), w.write(low), w.write(shut)
	traded := (1.5 + math.Sin(w.phase*float64(opened.Unix()))) * end.Sub(opened).Minutes()
	r.Volume = strconv.FormatFloat(traded, 'f', 8, 64)
	return r
}

// write rounds as an exchange does: fewer decimals for dearer coins.
func (w walk) write(price float64) string {
	decimals := 8
	switch {
	case w.start >= 100:
		decimals = 2
	case w.start >= 1:
		decimals = 4
	}
	return strconv.FormatFloat(price, 'f', decimals, 64)
}
