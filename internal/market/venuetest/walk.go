package venuetest

// Made-up prices: a walk that looks random but depends only on the pair and the time, so
// that every request gets the same past.

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

// walk is the price of one pair.
type walk struct {
	seed  uint64
	start float64
}

func walkOf(base, quote string) walk {
	h := fnv.New64a()
	_, _ = h.Write([]byte(base + "/" + quote))
	w := walk{seed: h.Sum64()}
	switch base {
	case "BTC":
		w.start = 60_000
	case "ETH":
		w.start = 3_000
	default:
		w.start = math.Pow(10, 3*unit(mix(w.seed))) // 0.001 … 1000
	}
	return w
}

// octaves of 1 minute, 4 minutes, 16 minutes and so on up to 45 days. Each is
// twice as strong as the one before, as in a random walk.
const (
	octaves  = 9
	strength = 0.0004
)

// at gives the price of a moment.
func (w walk) at(t time.Time) float64 {
	sum, period, weight := 0.0, 60.0, strength
	for octave := range uint64(octaves) {
		position := float64(t.Unix()) / period
		whole := math.Floor(position)
		from, to := w.noise(octave, whole), w.noise(octave, whole+1)
		sum += weight * (from + (to-from)*(position-whole))
		period *= 4
		weight *= 2
	}
	return w.start * math.Exp(sum)
}

func (w walk) noise(octave uint64, place float64) float64 {
	return unit(mix(w.seed + octave*0x9e3779b97f4a7c15 + mix(uint64(int64(place)))))
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
	traded := (1.5 + w.noise(octaves, float64(opened.Unix()))) * end.Sub(opened).Minutes()
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

// mix scatters the bits of a number (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unit gives a number from -1 to 1.
func unit(x uint64) float64 { return float64(x>>11)/(1<<52) - 1 }
