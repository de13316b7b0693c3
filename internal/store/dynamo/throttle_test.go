package dynamo

// A simulation of the counters under load. No server on this machine throttles, so this is
// arithmetic with DynamoDB's published limit and with the attempts and waits of Retrying.

import (
	"math/rand/v2"
	"testing"
	"time"
)

const (
	// partitionUnits is the write units a second of a partition, and so the most of an item:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
	partitionUnits = 1000
	// countUnits is what a count costs in a full hour, as TestCapacityOfAFullHour measures it.
	countUnits = 5
)

// TestCountsUnderLoad logs what becomes of the counts of a minute, which -v shows.
func TestCountsUnderLoad(t *testing.T) {
	t.Log("runs a second, partitions that the items of the hour lie in: requests that are throttled, counts that fail")
	for _, rate := range []int{100, 200, 250, 500, 1000} {
		for _, partitions := range []int{1, 2, 4, 8} {
			throttled, failed := countMinute(rate, partitions)
			t.Logf("%4d, %d: %4.1f %%, %4.1f %%", rate, partitions, 100*throttled, 100*failed)
			switch most := partitions * partitionUnits / countUnits; {
			case rate <= most*4/5 && failed > 0:
				t.Errorf("%d runs a second, %d partitions: a share of %g fails, want none", rate, partitions, failed)
			case rate >= 2*most && failed < 0.4:
				t.Errorf("%d runs a second, %d partitions: only a share of %g fails, which the limit does not allow", rate, partitions, failed)
			}
		}
	}
}

// countMinute gives the shares of requests that are throttled and of counts that fail, if
// runs end evenly over a minute and each is counted in a random partition.
func countMinute(rate, partitions int) (throttled, failed float64) {
	type count struct{ partition, attempt int }
	const minute = 60_000 // milliseconds
	due := make([][]count, minute+int(attempts*mostDelay/time.Millisecond))
	for i := range 60 * rate {
		at := i * 1000 / rate
		due[at] = append(due[at], count{partition: rand.N(partitions), attempt: 1})
	}
	units := make([]float64, partitions) // what each partition has left
	requests, refused, lost := 0, 0, 0
	for now, counts := range due {
		for i := range units {
			units[i] = min(units[i]+partitionUnits/1000., partitionUnits)
		}
		for _, c := range counts {
			requests++
			if units[c.partition] >= countUnits {
				units[c.partition] -= countUnits
				continue
			}
			refused++
			if c.attempt == attempts {
				lost++
				continue
			}
			later := now + int(delay(c.attempt)/time.Millisecond)
			due[later] = append(due[later], count{c.partition, c.attempt + 1})
		}
	}
	return float64(refused) / float64(requests), float64(lost) / float64(60*rate)
}
