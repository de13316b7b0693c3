package bolt

// Benchmarks of a write, with its wait for the disk, of reads, and of boards.

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
	"thalas/internal/store/storetest"
)

// run gives what the service writes after one run: a result of about 3 KB and 140 counters.
func run(id string) (store.Result, store.Count) {
	r := resultOf(id)
	r.ExpiresAt = r.CreatedAt.Add(90 * 24 * time.Hour)
	add := map[string]int64{"requests": 1}
	for i := range 139 {
		add[fmt.Sprintf("anthropic.latency_le_%d", i)] = int64(i)
	}
	return r, store.Count{At: r.CreatedAt, Add: add, ExpiresAt: r.ExpiresAt}
}

func BenchmarkRecord(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, tempFile(b), Options{})
			var (
				all  sync.WaitGroup
				mu   sync.Mutex
				took []time.Duration
			)
			work := make(chan bool)
			for range writers {
				all.Go(func() {
					var mine []time.Duration
					for range work {
						r, count := run(uuid.Must(uuid.NewV7()).String())
						begin := time.Now()
						if err := s.Record(context.Background(), &r, count); err != nil {
							b.Error(err)
						}
						mine = append(mine, time.Since(begin))
					}
					mu.Lock()
					took = append(took, mine...)
					mu.Unlock()
				})
			}
			for b.Loop() {
				work <- true
			}
			close(work)
			all.Wait()
			slices.Sort(took)
			for _, percent := range []int{50, 99} {
				b.ReportMetric(float64(took[(len(took)-1)*percent/100].Microseconds()), fmt.Sprintf("p%d-µs", percent))
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	storetest.BenchmarkRead(b, []int{1_000, 10_000, 100_000}, func(b *testing.B, results []*store.Result) store.Store {
		return filled(b, results)
	}, nil)
}

// filled opens a store that holds results.
func filled(b *testing.B, results []*store.Result) *Store {
	s := open(b, tempFile(b), Options{})
	s.db.NoSync = true
	defer func() { s.db.NoSync = false }()
	var all errgroup.Group
	all.SetLimit(256)
	for _, r := range results {
		all.Go(func() error { return s.Record(b.Context(), r, store.Count{}) })
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
	return s
}

func settlementsOf(results []*store.Result) []store.Settlement {
	settlements := make([]store.Settlement, len(results))
	for i, r := range results {
		settlements[i] = storetest.Settlement(r, i/10)
	}
	return settlements
}

// BenchmarkSettle settles 10,000 results of ten pairs, with the waits for the disk.
func BenchmarkSettle(b *testing.B) {
	results := storetest.Hourly(1000)
	settlements := settlementsOf(results)
	for b.Loop() {
		b.StopTimer()
		s := filled(b, results)
		b.StartTimer()
		if added, err := s.AddOutcomes(b.Context(), settlements); added != len(results) || err != nil {
			b.Fatalf("settled %d, %v", added, err)
		}
		b.StopTimer()
		_ = s.Close()
		b.StartTimer()
	}
}

// BenchmarkBoard reads the sums of a year of ten pairs, with five voters and a result each
// hour.
func BenchmarkBoard(b *testing.B) {
	results := storetest.Hourly(365 * 24)
	settlements := settlementsOf(results)
	s := filled(b, results)
	if added, err := s.AddOutcomes(b.Context(), settlements); added != len(results) || err != nil {
		b.Fatalf("settled %d, %v", added, err)
	}
	for _, pair := range []string{"", settlements[3].Pair} {
		b.Run(fmt.Sprintf("outcomes=%d/pair=%s", len(settlements), pair), func(b *testing.B) {
			for b.Loop() {
				sums, err := s.Sums(b.Context(), settlements[0].Scores, pair, settlements[0].Day, settlements[len(settlements)-1].Day)
				if err != nil || len(sums) != 5 {
					b.Fatalf("sums of %d voters, %v", len(sums), err)
				}
			}
		})
	}
}
