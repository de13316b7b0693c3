package dynamo

// Storing results, and finding them by their ids.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
)

// Record implements store.Results. The result and its count are two concurrent writes.
// If one fails, the error says which, and the other is not undone: a stored result is
// true, and a counted run was paid for.
func (s *Store) Record(ctx context.Context, result *store.Result, count store.Count) error {
	err := count.Validate()
	if result != nil {
		err = errors.Join(result.Validate(), err)
	}
	if err == nil {
		err = s.usable(ctx)
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}

	var kept, counted error
	var both sync.WaitGroup
	if result != nil {
		both.Go(func() { kept = s.keep(ctx, result) })
	}
	counted = s.count(ctx, count)
	both.Wait()
	return errors.Join(kept, counted)
}

func (s *Store) keep(ctx context.Context, r *store.Result) error {
	return s.put(ctx, r, &dynamodb.PutItemInput{})
}

// put writes a result. The request may have a condition.
func (s *Store) put(ctx context.Context, r *store.Result, request *dynamodb.PutItemInput) error {
	attributes, err := encodeResult(r)
	if err != nil {
		return fmt.Errorf("keep the result: %w", err)
	}
	request.TableName, request.Item = &s.tables.Results, attributes
	if _, err := s.client.PutItem(ctx, request); err != nil {
		return failed("keep the result", s.tables.Results, err)
	}
	return nil
}

// putsAtOnce is the most results that Add writes at the same time.
const putsAtOnce = 16

// Add implements store.Results. If the answer of a request is lost, and the request is
// sent again, its result may be counted as one that was stored before.
func (s *Store) Add(ctx context.Context, results []*store.Result) (added int, err error) {
	for _, r := range results {
		if err := r.Validate(); err != nil {
			return 0, fmt.Errorf("add: %w", err)
		}
	}
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	var count atomic.Int64
	var puts errgroup.Group
	puts.SetLimit(putsAtOnce)
	for _, r := range results {
		puts.Go(func() error {
			err := s.put(ctx, r, &dynamodb.PutItemInput{
				ConditionExpression:       aws.String("attribute_not_exists(id) OR expires_at < :now"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":now": moment(time.Now())},
			})
			if _, refused := refusal(err); refused {
				return nil
			}
			if err == nil {
				count.Add(1)
			}
			return err
		})
	}
	err = puts.Wait()
	return int(count.Load()), err
}

// Result implements store.Results.
func (s *Store) Result(ctx context.Context, id string) (store.Result, error) {
	if err := s.usable(ctx); err != nil {
		return store.Result{}, err
	}
	if !store.IsID(id) {
		return store.Result{}, store.ErrNotFound
	}
	answer, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.tables.Results, Key: resultKey(id), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return store.Result{}, failed("read a result", s.tables.Results, err)
	}
	if answer.Item == nil {
		return store.Result{}, store.ErrNotFound
	}
	result, err := decodeResult(answer.Item)
	if err != nil {
		return store.Result{}, failed("read a result", s.tables.Results, err)
	}
	if gone(&result, time.Now()) {
		return store.Result{}, store.ErrNotFound
	}
	return result, nil
}

func gone(r *store.Result, now time.Time) bool { return expired(expiryOf(r.ExpiresAt), now) }

func resultKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": text(id)}
}

const (
	batch   = 100 // the most items of one BatchGetItem
	batches = 5   // the most concurrent batches for one list
)

// results gives the results of up to batches × batch ids, by id. Ids without a result are
// left out. The read is consistent, so it finds every result that an index lists.
func (s *Store) results(ctx context.Context, ids []string) (map[string]store.Result, error) {
	if len(ids) <= batch {
		return s.batch(ctx, ids)
	}
	var reads errgroup.Group
	var parts [batches]map[string]store.Result
	part := 0
	for few := range slices.Chunk(ids, batch) {
		into := &parts[part]
		part++
		reads.Go(func() (err error) {
			*into, err = s.batch(ctx, few)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	all := make(map[string]store.Result, len(ids))
	for _, found := range parts {
		maps.Copy(all, found)
	}
	return all, nil
}

func (s *Store) batch(ctx context.Context, ids []string) (map[string]store.Result, error) {
	keys := make([]map[string]types.AttributeValue, len(ids))
	for i, id := range ids {
		keys[i] = resultKey(id)
	}
	results := make(map[string]store.Result, len(ids))
	for attempt := 0; len(keys) > 0; attempt++ {
		answer, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			s.tables.Results: {Keys: keys, ConsistentRead: aws.Bool(true)},
		}})
		if err != nil {
			return nil, failed("read results", s.tables.Results, err)
		}
		items := answer.Responses[s.tables.Results]
		for _, attributes := range items {
			result, err := decodeResult(attributes)
			if err != nil {
				return nil, failed("read results", s.tables.Results, err)
			}
			results[result.ID] = result
		}
		// The keys that are left were too much for one answer, or came too fast.
		keys = answer.UnprocessedKeys[s.tables.Results].Keys
		if len(items) > 0 {
			attempt = 0
		} else if len(keys) > 0 {
			if err := wait(ctx, delay(attempt)); err != nil {
				return nil, failed("read results", s.tables.Results, err)
			}
		}
	}
	return results, nil
}
