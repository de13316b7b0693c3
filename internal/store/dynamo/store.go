package dynamo

// The store, and the errors of its requests.

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// ErrClosed means that the store has been closed.
var ErrClosed = errors.New("the store is closed")

// Tables are the names of the tables, and how the counters are written.
type Tables struct {
	Results      string
	Metrics      string
	Coordination string

	// MetricsShards is over how many items the counters of an hour are spread. 0 and 1
	// mean one item.
	MetricsShards int
}

// Store is a store.Store in DynamoDB.
type Store struct {
	client *dynamodb.Client
	tables Tables
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// New makes a store in these tables. It makes no request: a missing table is reported by
// the first operation that needs it.
func New(client *dynamodb.Client, tables Tables) *Store {
	return &Store{client: client, tables: tables}
}

const (
	attempts   = 5
	firstDelay = 25 * time.Millisecond
	mostDelay  = 400 * time.Millisecond
)

// Retrying is an option of the client. It makes it retry soon, because requests take
// milliseconds and a write has about a second in all. The client's own rules may wait a
// second before the first retry.
func Retrying(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return delay(attempt), nil })
	})
}

// Close makes every later call give ErrClosed. The client belongs to the caller and stays
// open.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// usable gives an error if no request can be made: the context or the store has ended.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return ErrClosed
	}
	return nil
}

// failed makes the error of a request. It names the table, for the log.
func failed(doing, table string, err error) error {
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return fmt.Errorf("%s: there is no table %s: create it, or correct its name: %w", doing, table, err)
	}
	return fmt.Errorf("%s, table %s: %w", doing, table, err)
}

// refusal reports whether err says that the condition of a write did not hold, alone or in
// a transaction. It gives the item as it was then, which is empty if there was none.
func refusal(err error) (item map[string]types.AttributeValue, refused bool) {
	if one := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &one) {
		return one.Item, true
	}
	if several := (*types.TransactionCanceledException)(nil); errors.As(err, &several) {
		for _, reason := range several.CancellationReasons {
			if aws.ToString(reason.Code) == "ConditionalCheckFailed" {
				return reason.Item, true
			}
		}
	}
	return nil, false
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
