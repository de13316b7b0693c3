package dynamo

// Storing results, and finding them by their ids.
//
// Later versions only add attributes to the item of a result: a reader ignores attributes
// that it does not know, and does without those that an older version did not write.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
)

// Record implements store.Results. The result and its count are two concurrent writes.
// If one fails, the error says which, and the other is not undone: a stored result is
// true, and a counted run was paid for. A result that can't be put on the list of unsettled
// ones is not stored either, so that a caller who finds no result can record it again.
func (s *Store) Record(ctx context.Context, result *store.Result, count store.Count) error {
	err := errors.Join(s.usable(ctx), count.Validate())
	if result != nil {
		err = errors.Join(err, result.Validate())
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}

	var stored, counted error
	var both sync.WaitGroup
	if result != nil {
		both.Go(func() { _, stored = s.put(ctx, result, false) })
	}
	counted = s.count(ctx, count)
	both.Wait()
	return errors.Join(stored, counted)
}

// put stores a result with what is known of its outcome, in one transaction if that is
// another item. onlyNew leaves a result of that id as it is, and then 0 results are stored.
// Otherwise the result is replaced, but its final outcome stays.
func (s *Store) put(ctx context.Context, r *store.Result, onlyNew bool) (stored int, err error) {
	const doing = "store the result"
	attributes, err := encodeResult(r)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	condition := "attribute_not_exists(outcome) OR expires_at < :now"
	if onlyNew {
		condition = "attribute_not_exists(id) OR expires_at < :now"
	}
	put := types.Put{
		TableName: &s.tables.Results, Item: attributes, ConditionExpression: &condition,
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": moment(time.Now())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	var with []types.TransactWriteItem
	switch {
	case r.Settlement != nil:
		with = s.settling(*r.Settlement)
	case r.Unsettled != nil:
		entry, err := s.listing(*r.Unsettled, r.ExpiresAt)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", doing, err)
		}
		with = append(with, entry)
	}
	if len(with) > 0 {
		err = s.transact(ctx, doing, append([]types.TransactWriteItem{{Put: &put}}, with...))
	} else {
		err = s.putAlone(ctx, doing, &put)
	}
	if old, refused := refusal(err); refused {
		if onlyNew {
			return 0, nil
		}
		delete(attributes, "unsettled")
		attributes["outcome"] = old["outcome"]
		err = s.putAlone(ctx, doing, &types.Put{TableName: put.TableName, Item: attributes})
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

// putAlone is a put that is no part of a transaction, which costs half as much.
func (s *Store) putAlone(ctx context.Context, doing string, put *types.Put) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: put.TableName, Item: put.Item, ConditionExpression: put.ConditionExpression, ExpressionAttributeValues: put.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: put.ReturnValuesOnConditionCheckFailure,
	})
	if err != nil {
		return failed(doing, *put.TableName, err)
	}
	return nil
}

// Add implements store.Results. If the answer of a request is lost, and the request is
// sent again, its result may be counted as one that was stored before.
func (s *Store) Add(ctx context.Context, results []*store.Result) (added int, err error) {
	if err := store.ValidateAll(results); err != nil {
		return 0, fmt.Errorf("add: %w", err)
	}
	return forEach(ctx, s, results, func(ctx context.Context, _ int, r *store.Result) (int, error) { return s.put(ctx, r, true) })
}

// Result implements store.Results.
func (s *Store) Result(ctx context.Context, id string) (store.Result, error) {
	result, _, err := s.get(ctx, id)
	return result, err
}

// Market implements store.Results.
func (s *Store) Market(ctx context.Context, id string) ([]byte, error) {
	_, market, err := s.get(ctx, id)
	return market, err
}

// get reads the item of an id. A read costs the same whether or not it leaves out the market.
func (s *Store) get(ctx context.Context, id string) (result store.Result, market []byte, err error) {
	if err := s.usable(ctx); err != nil {
		return store.Result{}, nil, err
	}
	if !store.IsID(id) {
		return store.Result{}, nil, store.ErrNotFound
	}
	answer, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.tables.Results, Key: resultKey(id), ConsistentRead: aws.Bool(true),
	})
	if err == nil && answer.Item == nil {
		return store.Result{}, nil, store.ErrNotFound
	}
	if err == nil {
		result, market, err = decodeResult(answer.Item)
	}
	switch {
	case err != nil:
		return store.Result{}, nil, failed("read a result", s.tables.Results, err)
	case gone(&result, time.Now()):
		return store.Result{}, nil, store.ErrNotFound
	}
	return result, market, nil
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
	var reads errgroup.Group
	var mu sync.Mutex
	all := make(map[string]store.Result, len(ids))
	for some := range slices.Chunk(ids, batch) {
		reads.Go(func() error {
			found, err := s.batch(ctx, some)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, found)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
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
			result, _, err := decodeResult(attributes)
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
			select {
			case <-time.After(delay(attempt)):
			case <-ctx.Done():
				return nil, failed("read results", s.tables.Results, ctx.Err())
			}
		}
	}
	return results, nil
}

// item is the form of a result in its table.
type item struct {
	ID        string  `dynamodbav:"id"`
	Result    *string `dynamodbav:"result"` // the body, byte for byte
	Schema    int     `dynamodbav:"schema"`
	Series    string  `dynamodbav:"series"`
	Position  string  `dynamodbav:"position"`
	Day       string  `dynamodbav:"day"`
	Decision  string  `dynamodbav:"decision"`
	Status    string  `dynamodbav:"status"`
	CreatedAt string  `dynamodbav:"created_at"`
	ExpiresAt int64   `dynamodbav:"expires_at,omitempty"`
	Imported  bool    `dynamodbav:"imported,omitempty"`
	Outcome   string  `dynamodbav:"outcome,omitempty"`   // the final one; it is added once
	Unsettled string  `dynamodbav:"unsettled,omitempty"` // the outcome as the last try left it
	Market    []byte  `dynamodbav:"market,omitempty"`    // in gzip
}

// mostBesideMarket is the longest body that is stored with a market: an item has at most
// 400 KB, and its outcome is added later.
const mostBesideMarket = 256 << 10

func encodeResult(r *store.Result) (map[string]types.AttributeValue, error) {
	body := string(r.Body)
	i := item{
		ID: r.ID, Result: &body, Schema: r.Schema, Series: r.Series, Position: r.Position, Day: r.Day,
		Decision: r.Decision, Status: r.Status, CreatedAt: r.CreatedAt.UTC().Format(created), ExpiresAt: expiryOf(r.ExpiresAt), Imported: r.Imported,
	}
	if len(r.Body) <= mostBesideMarket {
		i.Market = r.Market
	}
	switch {
	case r.Settlement != nil:
		i.Outcome = string(r.Settlement.Outcome)
	case r.Unsettled != nil:
		i.Unsettled = string(r.Unsettled.Outcome)
	}
	return attributevalue.MarshalMap(i)
}

func decodeResult(attributes map[string]types.AttributeValue) (r store.Result, market []byte, err error) {
	var i item
	if err := attributevalue.UnmarshalMap(attributes, &i); err != nil {
		return store.Result{}, nil, fmt.Errorf("an item is not a result: %w", err)
	}
	if i.Result == nil {
		return store.Result{}, nil, fmt.Errorf("the item %s has no attribute result", i.ID)
	}
	at := store.MadeAt(i.ID)
	if i.CreatedAt != "" {
		if at, err = time.Parse(time.RFC3339, i.CreatedAt); err != nil {
			return store.Result{}, nil, fmt.Errorf("the item %s: created_at: %w", i.ID, err)
		}
	}
	var outcome []byte
	if known := cmp.Or(i.Outcome, i.Unsettled); known != "" {
		outcome = []byte(known)
	}
	return store.Result{
		ID: i.ID, Schema: i.Schema, Series: i.Series, Position: i.Position, Day: i.Day,
		Decision: i.Decision, Status: i.Status, CreatedAt: at.UTC(), ExpiresAt: expiresAt(i.ExpiresAt),
		Body: []byte(*i.Result), Imported: i.Imported, Outcome: outcome,
	}, i.Market, nil
}
