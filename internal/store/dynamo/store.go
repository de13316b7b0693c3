package dynamo

// The store, and what its requests have in common.

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// ErrClosed: the store has been closed.
var ErrClosed = errors.New("the store is closed")

// Tables are the names of the tables.
type Tables struct {
	Results      string
	Metrics      string
	Coordination string
}

// Store is a store.Store in DynamoDB.
type Store struct {
	client *dynamodb.Client
	tables Tables
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// New makes the store of these tables. It asks nobody: a table that is missing
// shows with the first request to it.
func New(client *dynamodb.Client, tables Tables) *Store {
	return &Store{client: client, tables: tables}
}

const (
	attempts   = 5
	firstDelay = 25 * time.Millisecond
	mostDelay  = 400 * time.Millisecond
)

// Retrying is an option of the client: it retries soon and often, as fits
// requests that take milliseconds and writes that have a second in all. The
// client's own rules would wait for up to a second before the first retry.
func Retrying(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return delay(attempt), nil })
	})
}

// Close ends the store: whatever is called afterwards gives ErrClosed. There is
// nothing to wait for, and the client is the caller's.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// usable says why no request can be made, if so.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return ErrClosed
	}
	return nil
}

// failed is the error of a request: for the log, it names the table.
func failed(doing, table string, err error) error {
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return fmt.Errorf("%s: there is no table %s: create it, or correct its name: %w", doing, table, err)
	}
	return fmt.Errorf("%s, table %s: %w", doing, table, err)
}

// refusal gives what stood in the place of a conditional write, if err says that
// its condition did not hold. It is empty where nothing stood there.
func refusal(err error) (standing map[string]types.AttributeValue, refused bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Item, true
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
