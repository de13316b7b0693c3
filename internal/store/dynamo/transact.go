package dynamo

// Writes of several items that are made together or not at all, and calls that make
// several requests at the same time.

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// transactions is the most attempts at a transaction that meets others on its items.
const transactions = 30

// transact makes writes together, or none of them. While another transaction is at one of
// the items, it waits and tries again. The error is a refusal if a condition did not hold.
func (s *Store) transact(ctx context.Context, doing string, writes []types.TransactWriteItem) error {
	tables := s.tables.Results + " or " + s.tables.Metrics // the error of a transaction does not say which
	for attempt := 1; ; attempt++ {
		// The client fills in a token, so that writes that are sent again are made once.
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		if err == nil {
			return nil
		}
		var cancelled *types.TransactionCanceledException
		if _, refused := refusal(err); refused || attempt == transactions || !errors.As(err, &cancelled) || !slices.ContainsFunc(cancelled.CancellationReasons, passes) {
			return failed(doing, tables, err)
		}
		select {
		case <-time.After(delay(attempt - 1)):
		case <-ctx.Done():
			return failed(doing, tables, ctx.Err())
		}
	}
}

// passes reports whether a transaction may succeed at another attempt.
func passes(reason types.CancellationReason) bool {
	switch aws.ToString(reason.Code) {
	case "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError":
		return true
	}
	return false
}

// requestsAtOnce is the most concurrent requests of one call.
const requestsAtOnce = 16

// forEach calls do for each of all, several at the same time, and adds up what it gives, such
// as how many records are new. After an error it begins no more, and gives the first error.
func forEach[T any](ctx context.Context, s *Store, all []T, do func(ctx context.Context, i int, one T) (int, error)) (sum int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	var total atomic.Int64
	for i, one := range all {
		group.Go(func() error {
			if err := s.usable(ctx); err != nil { // another may have failed
				return err
			}
			n, err := do(ctx, i, one)
			total.Add(int64(n))
			return err
		})
	}
	err = group.Wait()
	return int(total.Load()), err
}
