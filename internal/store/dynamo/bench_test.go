package dynamo_test

// Benchmarks of reads on DynamoDB Local, on the same machine. The real service has another
// speed, but gets the same requests.

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

func BenchmarkRead(b *testing.B) {
	server := engines[0].start(b)
	used := &usage{}
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
		return dynamo.New(server.Client(used.option), tables)
	}, used.watch)
}

// usage counts requests and the read units that they consumed.
type usage struct {
	mu       sync.Mutex
	requests int     // guarded by mu
	units    float64 // guarded by mu
}

func (u *usage) watch(b *testing.B) (report func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests, u.units = 0, 0
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		b.ReportMetric(float64(u.requests)/float64(b.N), "requests/op")
		b.ReportMetric(u.units/float64(b.N), "units/op")
	}
}

func (u *usage) option(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("usage", u.see), middleware.Before)
	})
}

func (u *usage) see(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	const total = types.ReturnConsumedCapacityTotal
	switch input := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		input.ReturnConsumedCapacity = total
	case *dynamodb.BatchGetItemInput:
		input.ReturnConsumedCapacity = total
	case *dynamodb.QueryInput:
		input.ReturnConsumedCapacity = total
	}
	out, metadata, err = next.HandleInitialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	var consumed []types.ConsumedCapacity
	switch output := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		consumed = append(consumed, *output.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		consumed = output.ConsumedCapacity
	case *dynamodb.QueryOutput:
		consumed = append(consumed, *output.ConsumedCapacity)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	for _, c := range consumed {
		u.units += *c.CapacityUnits
	}
	return out, metadata, err
}
