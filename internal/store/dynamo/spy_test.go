package dynamo_test

// A client that records each request and its cost.

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

type spy struct {
	mu       sync.Mutex
	requests []any                    // guarded by mu: inputs of operations
	consumed []types.ConsumedCapacity // guarded by mu
}

// openSpied gives an empty store, and the spy that records its requests.
func openSpied(t *testing.T, server *dynamotest.Server) (*dynamo.Store, dynamo.Tables, *spy) {
	t.Helper()
	watching := &spy{}
	tables := dynamotest.NewTables(t, server.Client())
	return dynamo.New(server.Client(watching.option), tables), tables, watching
}

func (s *spy) option(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("spy", s.see), middleware.Before)
	})
}

func (s *spy) see(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	const indexes = types.ReturnConsumedCapacityIndexes
	switch input := in.Parameters.(type) {
	case *dynamodb.PutItemInput:
		input.ReturnConsumedCapacity = indexes
	case *dynamodb.UpdateItemInput:
		input.ReturnConsumedCapacity = indexes
	case *dynamodb.TransactWriteItemsInput:
		input.ReturnConsumedCapacity = indexes
	case *dynamodb.GetItemInput:
		input.ReturnConsumedCapacity = indexes
	case *dynamodb.BatchGetItemInput:
		input.ReturnConsumedCapacity = indexes
	case *dynamodb.QueryInput:
		input.ReturnConsumedCapacity = indexes
	}
	out, metadata, err = next.HandleInitialize(ctx, in)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, in.Parameters)
	if err != nil {
		return out, metadata, err
	}
	switch output := out.Result.(type) {
	case *dynamodb.PutItemOutput:
		s.consumed = append(s.consumed, *output.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		s.consumed = append(s.consumed, *output.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		for _, c := range output.ConsumedCapacity {
			// A transaction costs twice its writes, but DynamoDB Local says four times.
			parts := []*float64{c.CapacityUnits, c.Table.CapacityUnits}
			for _, index := range c.GlobalSecondaryIndexes {
				parts = append(parts, index.CapacityUnits)
			}
			for _, units := range parts {
				*units /= 2
			}
			s.consumed = append(s.consumed, c)
		}
	case *dynamodb.GetItemOutput:
		s.consumed = append(s.consumed, *output.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		s.consumed = append(s.consumed, output.ConsumedCapacity...)
	case *dynamodb.QueryOutput:
		s.consumed = append(s.consumed, *output.ConsumedCapacity)
	}
	return out, metadata, err
}

// takeRequests gives the requests since the last call: their operations, and whether they
// are conditional or consistent.
func (s *spy) takeRequests() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, request := range s.requests {
		what := fmt.Sprintf("%T", request)
		switch input := request.(type) {
		case *dynamodb.PutItemInput:
			what = "PutItem" + conditional(input.ConditionExpression)
		case *dynamodb.UpdateItemInput:
			what = "UpdateItem" + conditional(input.ConditionExpression)
		case *dynamodb.DeleteItemInput:
			what = "DeleteItem"
		case *dynamodb.TransactWriteItemsInput:
			what = "TransactWriteItems:"
			for _, write := range input.TransactItems {
				switch {
				case write.Put != nil:
					what += " Put" + conditional(write.Put.ConditionExpression)
				case write.Update != nil:
					what += " Update" + conditional(write.Update.ConditionExpression)
				case write.Delete != nil:
					what += " Delete"
				}
			}
		case *dynamodb.GetItemInput:
			what = "GetItem" + consistent(input.ConsistentRead)
		case *dynamodb.BatchGetItemInput:
			for _, keys := range input.RequestItems {
				what = fmt.Sprintf("BatchGetItem of %d%s", len(keys.Keys), consistent(keys.ConsistentRead))
			}
		case *dynamodb.QueryInput:
			what = "Query" + consistent(input.ConsistentRead)
			if input.IndexName != nil {
				what += " of " + *input.IndexName
			}
		}
		all = append(all, what)
	}
	s.requests = nil
	return all
}

func conditional(expression *string) string {
	if expression == nil {
		return ""
	}
	return ", conditional"
}

func consistent(read *bool) string {
	if read == nil || !*read {
		return ""
	}
	return ", consistent"
}

// takeConsumed gives the capacity that was consumed since the last call, by table and
// index.
func (s *spy) takeConsumed(tables dynamo.Tables) map[string]float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := map[string]float64{}
	for _, c := range s.consumed {
		switch *c.TableName {
		case tables.Results:
			used["results"] += *c.Table.CapacityUnits
			for name, index := range c.GlobalSecondaryIndexes {
				used[name] += *index.CapacityUnits
			}
		case tables.Metrics:
			used["metrics"] += *c.CapacityUnits
		case tables.Coordination:
			used["coordination"] += *c.CapacityUnits
		}
	}
	s.consumed = nil
	return used
}
