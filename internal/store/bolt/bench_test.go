package bolt

// What a write and a read cost, the wait for the disk included.

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/store"
)

// run gives what one run writes: a result of about 3 KB and 140 counters.
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
	for _, stored := range []int{1_000, 100_000} {
		s := open(b, tempFile(b), Options{})
		first := fill(b, s, stored)
		name, day := resultOf(first).Series, resultOf(first).Day
		middle := store.MadeAt(first).Add(time.Duration(stored) * time.Second / 2)
		for _, read := range []struct {
			name string
			read func() (int, error)
			want int
		}{
			{"latest", func() (int, error) { _, err := s.Latest(context.Background(), name); return 1, err }, 1},
			{"result", func() (int, error) { _, err := s.Result(context.Background(), first); return 1, err }, 1},
			{"series", func() (int, error) { return page(s.Series(context.Background(), name, store.Range{Limit: 50})) }, 50},
			{"day", func() (int, error) { return page(s.Day(context.Background(), day, store.Range{Limit: 50})) }, 50},
			{"range", func() (int, error) {
				return page(s.Series(context.Background(), name, store.Range{From: middle, To: middle.Add(50 * time.Second), Limit: 500}))
			}, 50},
		} {
			b.Run(fmt.Sprintf("%s/stored=%d", read.name, stored), func(b *testing.B) {
				for b.Loop() {
					if got, err := read.read(); err != nil || got != read.want {
						b.Fatalf("read %d, %v; want %d", got, err, read.want)
					}
				}
			})
		}
		_ = s.Close()
	}
}

func page(p store.Page, err error) (int, error) { return len(p.Results), err }

// fill records results of one series, a second apart, and gives the first's id.
func fill(b *testing.B, s *Store, count int) (first string) {
	b.Helper()
	s.db.NoSync = true
	defer func() { s.db.NoSync = false }()
	ids := make([]string, count)
	for i := range ids {
		ids[i] = idAt(anyTime.Add(time.Duration(i)*time.Second), 0)
	}
	var all sync.WaitGroup
	work := make(chan string)
	for range 256 {
		all.Go(func() {
			for id := range work {
				r := resultOf(id)
				if err := s.Record(context.Background(), &r, store.Count{}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	all.Wait()
	return ids[0]
}
