package service

// Latencies are counted in buckets, so that the counts of all processes can be added up.
// Percentiles are estimated from the counts.

import "strconv"

// buckets are the upper bounds in milliseconds. From 100 ms on each is at most 1.5 times
// the one before it, so the error of a percentile is less than half of its value, and
// usually much less, because it is interpolated.
var buckets = [...]int64{25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 32000}

// bucketNames are the names of the buckets' counters, without the provider's name.
var bucketNames = func() (names [len(buckets) + 1]string) {
	for i, bound := range buckets {
		names[i] = "latency_le_" + strconv.FormatInt(bound, 10)
	}
	names[len(buckets)] = "latency_le_inf"
	return names
}()

// bucketOf names the one bucket that a latency is counted in.
func bucketOf(ms float64) string {
	for i, bound := range buckets {
		if ms <= float64(bound) {
			return bucketNames[i]
		}
	}
	return bucketNames[len(buckets)]
}

// percentile estimates the latency that a share of the calls did not exceed. It
// interpolates inside the bucket. It is nil if nothing was counted, and the last bound
// if the latency is above it.
func percentile(counts [len(buckets) + 1]int64, share float64) *float64 {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return nil
	}
	rank := share * float64(total)
	below := 0.0
	for i, n := range counts {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		if i == len(buckets) {
			break
		}
		low := 0.0
		if i > 0 {
			low = float64(buckets[i-1])
		}
		return new(low + (float64(buckets[i])-low)*(rank-below)/float64(n))
	}
	return new(float64(buckets[len(buckets)-1]))
}
