package dynamo

// What became of results, and the list of those without a final outcome.
//
// A final outcome is the attribute outcome of the result's item, and what the last try to
// settle it found is the attribute unsettled. The list is items of the table of counters:
// their day is the group, and their hour the position. They expire with their result.

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
)

// isOpen is the condition of a result that exists and has no final outcome.
const isOpen = "attribute_exists(id) AND attribute_not_exists(outcome) AND (attribute_not_exists(expires_at) OR expires_at >= :now)"

// entry is the form of a [store.Unsettled] in its table.
type entry struct {
	Group     string `dynamodbav:"day"`
	Position  string `dynamodbav:"hour"`
	Pair      string `dynamodbav:"pair"`
	Scores    string `dynamodbav:"scores"`
	Reason    string `dynamodbav:"reason,omitempty"`
	ExpiresAt int64  `dynamodbav:"expires_at,omitempty"` // of the result
}

// AddOutcomes implements store.Outcomes. Settlements that add to the same sums are stored
// one after the other, because they would wait for each other.
func (s *Store) AddOutcomes(ctx context.Context, settlements []store.Settlement) (added int, err error) {
	type sums struct{ scores, day, pair string }
	groups := map[sums][]*store.Settlement{}
	for i := range settlements {
		one := &settlements[i]
		if err := one.Validate(); err != nil {
			return 0, fmt.Errorf("add outcomes: %w", err)
		}
		of := sums{one.Scores, one.Day, one.Pair}
		groups[of] = append(groups[of], one)
	}
	var count atomic.Int64
	all, inAll := errgroup.WithContext(ctx)
	all.SetLimit(transactionsAtOnce)
	for _, group := range groups {
		all.Go(func() error {
			for _, one := range group {
				isNew, err := s.settle(inAll, one)
				if err != nil {
					return err
				}
				if isNew {
					count.Add(1)
				}
			}
			return nil
		})
	}
	err = all.Wait()
	return int(count.Load()), err
}

// settle stores a final outcome, unless there is one or the result does not exist.
func (s *Store) settle(ctx context.Context, one *store.Settlement) (isNew bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, fmt.Errorf("add an outcome: %w", err)
	}
	writes := append([]types.TransactWriteItem{{Update: &types.Update{
		TableName: &s.tables.Results, Key: resultKey(one.ID),
		UpdateExpression: aws.String("SET outcome = :outcome REMOVE unsettled"), ConditionExpression: aws.String(isOpen),
		ExpressionAttributeValues: map[string]types.AttributeValue{":outcome": text(string(one.Outcome)), ":now": moment(time.Now())},
	}}}, s.settling(one)...)
	refused, err := s.transact(ctx, "add an outcome", writes)
	if err != nil || refused == nil {
		return err == nil, err
	}
	return false, s.leaveList(ctx, &one.Unsettled)
}

// settling gives the writes that go with a final outcome: what it adds to the sums, and
// that its result leaves the list.
func (s *Store) settling(one *store.Settlement) []types.TransactWriteItem {
	return append(s.addSums(one), types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.tables.Metrics, Key: metricsKey(one.Group, one.Position),
	}})
}

// leaveList removes the entry of a result that is settled or does not exist any more. It
// may have been left by a result that was recorded again at another position.
func (s *Store) leaveList(ctx context.Context, u *store.Unsettled) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.tables.Metrics, Key: metricsKey(u.Group, u.Position)})
	if err != nil {
		return failed("remove a settled result from the list", s.tables.Metrics, err)
	}
	return nil
}

// NoteUnsettled implements store.Outcomes.
func (s *Store) NoteUnsettled(ctx context.Context, notes []store.Unsettled) error {
	for i := range notes {
		if err := notes[i].Validate(); err != nil {
			return fmt.Errorf("note an unsettled result: %w", err)
		}
	}
	all, inAll := errgroup.WithContext(ctx)
	all.SetLimit(transactionsAtOnce)
	for i := range notes {
		all.Go(func() error { return s.note(inAll, &notes[i]) })
	}
	return all.Wait()
}

func (s *Store) note(ctx context.Context, u *store.Unsettled) error {
	const doing = "note an unsettled result"
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	result := &types.Update{
		TableName: &s.tables.Results, Key: resultKey(u.ID),
		UpdateExpression: aws.String("REMOVE unsettled"), ConditionExpression: aws.String(isOpen),
		ExpressionAttributeValues: map[string]types.AttributeValue{":now": moment(time.Now())},
	}
	if len(u.Outcome) > 0 {
		result.UpdateExpression = aws.String("SET unsettled = :unsettled")
		result.ExpressionAttributeValues[":unsettled"] = text(string(u.Outcome))
	}
	listed := &types.Update{
		TableName: &s.tables.Metrics, Key: metricsKey(u.Group, u.Position),
		UpdateExpression: aws.String("SET reason = :reason"), ConditionExpression: aws.String("attribute_exists(pair)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":reason": text(u.Reason)},
	}
	refused, err := s.transact(ctx, doing, []types.TransactWriteItem{{Update: result}, {Update: listed}})
	if err == nil && refused != nil && refused.write == 1 {
		// The result is not on the list yet. An entry of it expires with it.
		stored, err := s.Result(ctx, u.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		put, err := s.listing(u, stored.ExpiresAt)
		if err != nil {
			return err
		}
		refused, err = s.transact(ctx, doing, []types.TransactWriteItem{{Update: result}, put})
		if err != nil {
			return err
		}
	}
	if err != nil || refused == nil {
		return err
	}
	return s.leaveList(ctx, u)
}

// listing gives the write that puts a result on the list.
func (s *Store) listing(u *store.Unsettled, expires time.Time) (types.TransactWriteItem, error) {
	attributes, err := attributevalue.MarshalMap(entry{
		Group: u.Group, Position: u.Position, Pair: u.Pair, Scores: u.Scores, Reason: u.Reason, ExpiresAt: expiryOf(expires),
	})
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.Metrics, Item: attributes}}, err
}

// ListUnsettled implements store.Outcomes. It is read consistently.
func (s *Store) ListUnsettled(ctx context.Context, group string, from, to time.Time) (list []store.Unsettled, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	bounds := store.Range{From: from, To: to}.OfSeries()
	if store.ValidateText("group", group) != nil || bounds.Least >= bounds.Above {
		return nil, nil // no result can be in it
	}
	condition := "#day = :group AND #hour < :above"
	values := map[string]types.AttributeValue{":group": text(group), ":above": text(bounds.Above)}
	if bounds.Least != "" {
		condition = "#day = :group AND #hour BETWEEN :least AND :above"
		values[":least"] = text(bounds.Least)
	}
	err = s.eachItem(ctx, "list unsettled results", &dynamodb.QueryInput{
		KeyConditionExpression: &condition, ConsistentRead: aws.Bool(true),
		ExpressionAttributeNames:  map[string]string{"#day": store.DayName, "#hour": store.HourName},
		ExpressionAttributeValues: values,
	}, func(attributes map[string]types.AttributeValue) error {
		var e entry
		err := attributevalue.UnmarshalMap(attributes, &e)
		if err == nil && e.Position < bounds.Above && !expired(e.ExpiresAt, time.Now()) {
			list = append(list, store.Unsettled{
				ID: store.IDOf(e.Position), Group: group, Position: e.Position, Pair: e.Pair, Scores: e.Scores, Reason: e.Reason,
			})
		}
		return err
	})
	return list, err
}

func metricsKey(day, hour string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{store.DayName: text(day), store.HourName: text(hour)}
}
