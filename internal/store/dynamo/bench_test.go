package dynamo_test

// Benchmarks of reads on DynamoDB Local, on the same machine. The real service has another
// speed, but gets the same requests.

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

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
		var all errgroup.Group
		all.SetLimit(4)
		for few := range slices.Chunk(results, 25) {
			all.Go(func() error {
				var puts []types.WriteRequest
				for _, r := range few {
					item, err := dynamo.EncodeResult(r)
					if err != nil {
						return err
					}
					puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
				}
				_, err := client.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{tables.Results: puts}})
				return err
			})
		}
		if err := all.Wait(); err != nil {
			b.Fatal(err)
		}
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
