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
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

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
	if err := store.ValidateAll(settlements); err != nil {
		return 0, fmt.Errorf("add outcomes: %w", err)
	}
	type sums struct{ scores, day, pair string }
	groups := map[sums][]store.Settlement{}
	for _, one := range settlements {
		of := sums{one.Scores, one.Day, one.Pair}
		groups[of] = append(groups[of], one)
	}
	return forEach(ctx, s, slices.Collect(maps.Values(groups)), func(ctx context.Context, _ int, group []store.Settlement) (added int, err error) {
		for _, one := range group {
			isNew, err := s.settle(ctx, one)
			if err != nil {
				return added, err
			}
			if isNew {
				added++
			}
		}
		return added, nil
	})
}

// settle stores a final outcome, unless there is one or the result does not exist.
func (s *Store) settle(ctx context.Context, one store.Settlement) (isNew bool, err error) {
	return s.changeOpen(ctx, "add an outcome", one.Unsettled, types.Update{
		UpdateExpression:          aws.String("SET outcome = :outcome REMOVE unsettled"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":outcome": text(string(one.Outcome))},
	}, s.settling(one)...)
}

// settling gives the writes that go with a final outcome: what it adds to the sums, and
// that its result leaves the list.
func (s *Store) settling(one store.Settlement) []types.TransactWriteItem {
	return append(s.addSums(one), types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.tables.Metrics, Key: metricsKey(one.Group, one.Position),
	}})
}

// changeOpen updates a result that exists and has no final outcome, together with other
// writes. For any other result it only removes the entry of the list, which may have been
// left by a result that was recorded again at another position.
func (s *Store) changeOpen(ctx context.Context, doing string, u store.Unsettled, change types.Update, with ...types.TransactWriteItem) (changed bool, err error) {
	change.TableName, change.Key = &s.tables.Results, resultKey(u.ID)
	change.ConditionExpression = aws.String("attribute_exists(id) AND attribute_not_exists(outcome) AND (attribute_not_exists(expires_at) OR expires_at >= :now)")
	change.ExpressionAttributeValues[":now"] = moment(time.Now())
	err = s.transact(ctx, doing, append([]types.TransactWriteItem{{Update: &change}}, with...))
	if _, refused := refusal(err); refused {
		return false, s.leaveList(ctx, u)
	}
	return err == nil, err
}

func (s *Store) leaveList(ctx context.Context, u store.Unsettled) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.tables.Metrics, Key: metricsKey(u.Group, u.Position)})
	if err != nil {
		return failed("remove a settled result from the list", s.tables.Metrics, err)
	}
	return nil
}

// NoteUnsettled implements store.Outcomes.
func (s *Store) NoteUnsettled(ctx context.Context, notes []store.Unsettled) error {
	if err := store.ValidateAll(notes); err != nil {
		return fmt.Errorf("note unsettled results: %w", err)
	}
	_, err := forEach(ctx, s, notes, func(ctx context.Context, _ int, u store.Unsettled) (int, error) { return 0, s.note(ctx, u) })
	return err
}

// note reads the result first, because its entry of the list expires with it.
func (s *Store) note(ctx context.Context, u store.Unsettled) error {
	stored, err := s.Result(ctx, u.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return s.leaveList(ctx, u)
	case err != nil:
		return err
	}
	entry, err := s.listing(u, stored.ExpiresAt)
	if err != nil {
		return err
	}
	_, err = s.changeOpen(ctx, "note an unsettled result", u, types.Update{
		UpdateExpression:          aws.String("SET unsettled = :unsettled"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":unsettled": text(string(u.Outcome))},
	}, entry)
	return err
}

// listing gives the write that puts a result on the list.
func (s *Store) listing(u store.Unsettled, expires time.Time) (types.TransactWriteItem, error) {
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
	query := within("day", group, "hour", bounds)
	query.ConsistentRead = aws.Bool(true)
	err = s.eachItem(ctx, "list unsettled results", query, func(attributes map[string]types.AttributeValue) error {
		var e entry
		err := attributevalue.UnmarshalMap(attributes, &e)
		if err == nil && e.Position < bounds.Above {
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
