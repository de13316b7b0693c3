package outcome

// How sure a share or a mean is: Wilson's interval, and means of clustered results.

import (
	"maps"
	"math"
	"slices"
)

const (
	z95      = 1.959964 // standard errors of a 95 % interval
	zVerdict = 3        // of a verdict: boards are looked at again and again
)

// minBlocks is the least number of blocks that an interval of a mean is formed from.
const minBlocks = 10

// wilson gives Wilson's interval of a share that was observed in n independent trials, z
// standard errors wide.
func wilson(share, n, z float64) (low, high float64) {
	zz := float64(z * z)
	centre := (share + zz/(2*n)) / (1 + zz/n)
	half := z / (1 + zz/n) * math.Sqrt(share*(1-share)/n+zz/(4*n*n))
	return centre - half, centre + half
}

// Estimate is a mean and its 95 % interval. Mean is nil without results, Low and High are
// nil below ten blocks.
type Estimate struct {
	Mean *float64 `json:"mean"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// block is the number of results in a block, and the sum of their figures.
type block struct{ n, sum float64 }

// clusteredMean is a mean over results of which those of one block depend on each other.
type clusteredMean struct {
	n, mean float64
	blocks  float64
	step    float64 // of the interval, for each standard error; 0 below minBlocks
}

func newClusteredMean(blocks map[int64]block) clusteredMean {
	m := clusteredMean{blocks: float64(len(blocks))}
	numbers := slices.Sorted(maps.Keys(blocks)) // the order of additions decides the last bits
	var sum float64
	for _, number := range numbers {
		m.n += blocks[number].n
		sum += blocks[number].sum
	}
	if m.n == 0 {
		return m
	}
	m.mean = sum / m.n
	if m.blocks < minBlocks {
		return m
	}
	var squares float64
	for _, number := range numbers {
		b := blocks[number]
		rest := b.sum - float64(b.n*m.mean)
		squares += float64(rest * rest)
	}
	d := m.blocks
	standardError := math.Sqrt(squares*d/(d-1)) / m.n
	m.step = math.Sqrt((d-1)/(d-3)) * standardError
	return m
}

// within gives the interval that is z standard errors wide. It is valid from minBlocks on.
func (m clusteredMean) within(z float64) (low, high float64) {
	return m.mean - float64(z*m.step), m.mean + float64(z*m.step)
}

func (m clusteredMean) estimate() Estimate {
	var e Estimate
	if m.n > 0 {
		e.Mean = &m.mean
		if m.blocks >= minBlocks {
			low, high := m.within(z95)
			e.Low, e.High = &low, &high
		}
	}
	return e
}
