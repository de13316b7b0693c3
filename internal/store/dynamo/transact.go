package dynamo

// Writes of several items that are made together or not at all.

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// transactions is the most attempts at a transaction that meets others on its items.
	transactions = 30
	// transactionsAtOnce is the most concurrent transactions of one call.
	transactionsAtOnce = 16
)

// refused is what a transaction failed at: an item whose condition did not hold.
type refused struct {
	write int                             // its number in the transaction
	item  map[string]types.AttributeValue // as it was, if the write asked for it
}

// transact makes writes together, or none of them. If the condition of one does not hold,
// it gives the first such write. While another transaction is at one of the items, it
// waits and tries again.
func (s *Store) transact(ctx context.Context, doing string, writes []types.TransactWriteItem) (*refused, error) {
	for attempt := 1; ; attempt++ {
		// The client fills in a token, so that writes that are sent again are made once.
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		if err == nil {
			return nil, nil
		}
		var cancelled *types.TransactionCanceledException
		if errors.As(err, &cancelled) {
			for i, reason := range cancelled.CancellationReasons {
				if aws.ToString(reason.Code) == "ConditionalCheckFailed" {
					return &refused{i, reason.Item}, nil
				}
			}
		}
		if cancelled == nil || attempt == transactions || !slices.ContainsFunc(cancelled.CancellationReasons, passes) {
			return nil, s.untransacted(doing, err)
		}
		select {
		case <-time.After(delay(attempt - 1)):
		case <-ctx.Done():
			return nil, s.untransacted(doing, ctx.Err())
		}
	}
}

// untransacted makes the error of a transaction, which does not say which table it met.
func (s *Store) untransacted(doing string, err error) error {
	return failed(doing, s.tables.Results+" or "+s.tables.Metrics, err)
}

// passes reports whether a transaction may succeed at another attempt.
func passes(reason types.CancellationReason) bool {
	switch aws.ToString(reason.Code) {
	case "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError":
		return true
	}
	return false
}
