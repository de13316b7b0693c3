package service

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The bound that the comment and the docs give: from 100 ms on a percentile is
// off by less than half of its value, and lies in the bucket of the true one.
func TestPercentileIsInTheRightBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		latencies := rapid.SliceOfN(rapid.Float64Range(0, 32000), 1, 200).Draw(t, "latencies")
		share := rapid.SampledFrom([]float64{0.5, 0.95, 0.99, 1}).Draw(t, "share")
		var counts [len(buckets) + 1]int64
		for _, ms := range latencies {
			counts[slices.Index(bucketNames[:], bucketOf(ms))]++
		}
		slices.Sort(latencies)
		want := latencies[int(math.Ceil(share*float64(len(latencies))))-1]
		got := *percentile(counts, share)
		if bucketOf(got) != bucketOf(want) && got != float64(lower(want)) {
			t.Fatalf("got %v, the true one is %v of %v", got, want, latencies)
		}
		if want >= 100 && math.Abs(got-want) >= want/2 {
			t.Fatalf("got %v, half of the true %v away", got, want)
		}
	})
}

func lower(ms float64) int64 {
	low := int64(0)
	for _, bound := range buckets {
		if float64(bound) < ms {
			low = bound
		}
	}
	return low
}

func TestPercentileOfNothingAndOfTooMuch(t *testing.T) {
	var counts [len(buckets) + 1]int64
	if got := percentile(counts, 0.5); got != nil {
		t.Errorf("of nothing: %v", *got)
	}
	counts[len(buckets)] = 3
	if got := *percentile(counts, 0.5); got != 32000 {
		t.Errorf("beyond the last bound: %v", got)
	}
}
