package dynamo_test

// Benchmarks of reads on DynamoDB Local, on the same machine. The real service has another
// speed, but gets the same requests.

import (
	"testing"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

func BenchmarkRead(b *testing.B) {
	server := engines[0].start(b)
	watching := &spy{}
	storetest.BenchmarkRead(b, []int{1_000, 10_000, 50_000}, func(b *testing.B, results []*store.Result) store.Store {
		client := server.Client()
		tables := dynamotest.NewTables(b, client)
		fill(b, client, tables, results)
		return dynamo.New(server.Client(watching.option), tables)
	}, watching.report)
}

// report reports the requests and the read units of each operation of a benchmark.
func (s *spy) report(b *testing.B) (report func()) {
	take := func() (requests int, units float64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		requests = len(s.requests)
		for _, c := range s.consumed {
			units += *c.CapacityUnits
		}
		s.requests, s.consumed = nil, nil
		return requests, units
	}
	take()
	return func() {
		requests, units := take()
		b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		b.ReportMetric(units/float64(b.N), "units/op")
	}
}
