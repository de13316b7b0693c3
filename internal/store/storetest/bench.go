package storetest

// The benchmark of reads. A read should cost the same however many results are stored.

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
)

// pairs are the series of a store in the benchmark: the first has nearly all results.
const pairs = 20

// BenchmarkRead measures the reads of stores of these sizes. fill gives a store that holds
// the results. watch, which may be nil, is called before a read is measured, and what it
// gives is called after it.
func BenchmarkRead(b *testing.B, sizes []int, fill func(*testing.B, []*store.Result) store.Store, watch func(*testing.B) (report func())) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("stored=%d", size), func(b *testing.B) {
			results := year(size)
			s := fill(b, results)
			for _, r := range readsOf(s, results) {
				b.Run(r.name, func(b *testing.B) {
					if watch != nil {
						defer watch(b)()
					}
					for b.Loop() {
						if got, err := r.read(b.Context()); err != nil || got != r.want {
							b.Fatalf("read %d, %v; want %d", got, err, r.want)
						}
					}
				})
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// year makes results five minutes apart: nearly all of one series, and the last ones of a
// series each.
func year(size int) []*store.Result {
	body := strings.Repeat("x", 3000)
	results := make([]*store.Result, size)
	for i := range results {
		name, at := series, baseTime.Add(time.Duration(i-size)*5*time.Minute)
		if left := size - i; left < pairs {
			name = fmt.Sprintf("PAIR%d/USDT#5m", left)
		}
		results[i] = Sample(name, at.Add(-5*time.Minute), at.Add(time.Second))
		results[i].Body = []byte(`"` + body + `"`)
	}
	return results
}

type read struct {
	name string
	read func(context.Context) (int, error)
	want int
}

func readsOf(s store.Store, results []*store.Result) []read {
	size := len(results)
	page := func(list listing, r store.Range) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			p, err := list(ctx, r)
			return len(p.Results), err
		}
	}
	latest := func(ctx context.Context, names ...string) (int, error) {
		var reads errgroup.Group
		reads.SetLimit(8) // as the API does
		for _, name := range names {
			reads.Go(func() error { _, err := s.Latest(ctx, name); return err })
		}
		return len(names), reads.Wait()
	}
	all := []string{series}
	for i := 1; i < pairs; i++ {
		all = append(all, fmt.Sprintf("PAIR%d/USDT#5m", i))
	}
	candle := func(i int) time.Time { return results[i].CreatedAt.Add(-time.Second - 5*time.Minute) }
	middle := size / 2
	return []read{
		{"result", func(ctx context.Context) (int, error) { _, err := s.Result(ctx, results[middle].ID); return 1, err }, 1},
		{"latest", func(ctx context.Context) (int, error) { return latest(ctx, series) }, 1},
		{"latest_of_20", func(ctx context.Context) (int, error) { return latest(ctx, all...) }, pairs},
		{"newest_50", page(seriesOf(s, series), store.Range{Limit: 50}), 50},
		{"newest_500", page(seriesOf(s, series), store.Range{Limit: 500}), 500},
		{"50_in_the_middle", page(seriesOf(s, series), store.Range{From: candle(middle - 50), To: candle(middle), Limit: 500}), 50},
		{"500_up_to_the_middle", page(seriesOf(s, series), store.Range{To: candle(middle), Limit: 500}), 500},
		{"oldest_50", page(seriesOf(s, series), store.Range{To: candle(50), Limit: 500}), 50},
		{"50_of_a_day", page(dayOf(s, results[middle].Day), store.Range{Limit: 50}), 50},
	}
}
