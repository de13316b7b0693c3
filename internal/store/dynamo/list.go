package dynamo

// The lists: an index gives the keys of a list in their order, and the results are
// read by them.
//
// An index orders a series by candle, by which a series is selected too. It orders a
// day by id, while a day is selected by CreatedAt, which the index does not hold: the
// query is for ids that were made near that time, and the results that it leads to
// are selected.

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// longestRun is the most that lies between the time in an id, which is made when a run
// begins, and the result's CreatedAt, which is when the run ends. It has to be longer
// than any run is; a larger one only reads more.
const longestRun = time.Hour

// keysAtOnce is the most keys that one query asks for: some 170 bytes each.
const keysAtOnce = 4000

// index is one kind of list: the name of its index, the attribute that names the list, and
// the attribute that it is ordered by.
type index struct{ name, list, order string }

var (
	bySeries = &index{"by_series", "series", "position"}
	byDay    = &index{"by_day", "day", "id"}
)

// of gives the list that a result is in, and the position or id that orders it there.
func (in *index) of(r *store.Result) (list, order string) {
	if in == byDay {
		return r.Day, r.ID
	}
	return r.Series, r.Position
}

// Series implements store.Results.
func (s *Store) Series(ctx context.Context, series string, r store.Range) (store.Page, error) {
	if err := r.Validate(store.IsPosition); err != nil {
		return store.Page{}, err
	}
	return s.page(ctx, bySeries, series, r.OfSeries(), r.Limit)
}

// Day implements store.Results.
func (s *Store) Day(ctx context.Context, day string, r store.Range) (store.Page, error) {
	if err := r.Validate(store.IsID); err != nil {
		return store.Page{}, err
	}
	b := r.OfDay()
	if !r.From.IsZero() {
		b.Least = store.IDsFrom(r.From.Add(-longestRun).UnixMilli())
	}
	if !r.To.IsZero() {
		b.Above = min(b.Above, store.IDsFrom(r.To.Add(longestRun).UnixMilli()))
	}
	return s.page(ctx, byDay, day, b, r.Limit)
}

// Latest implements store.Results.
func (s *Store) Latest(ctx context.Context, series string) (store.Result, error) {
	results, err := s.walk(ctx, bySeries, series, store.OfLatest(time.Now()), 1)
	if err != nil {
		return store.Result{}, err
	}
	if len(results) == 0 {
		return store.Result{}, store.ErrNotFound
	}
	return results[0], nil
}

func (s *Store) page(ctx context.Context, in *index, list string, b store.Bounds, limit int) (page store.Page, err error) {
	// One result more shows whether another page follows.
	page.Results, err = s.walk(ctx, in, list, b, limit+1)
	if err != nil {
		return store.Page{}, err
	}
	if len(page.Results) > limit {
		page.Results = page.Results[:limit]
		_, page.Next = in.of(&page.Results[limit-1])
	}
	return page, nil
}

// walk gives the first wanted results of a part of a list.
func (s *Store) walk(ctx context.Context, in *index, list string, b store.Bounds, wanted int) ([]store.Result, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if store.ValidateText("list", list) != nil || b.Least >= b.Above {
		return nil, nil // no result can be in it
	}
	var results []store.Result
	query := within(in.list, list, in.order, b)
	query.TableName, query.IndexName, query.ScanIndexForward = &s.tables.Results, &in.name, aws.Bool(false)
	// Most often the first results are those that are wanted. If some of them are not,
	// because they have expired for example, each query asks for more than the one before.
	size, chunk := wanted, wanted
	for {
		query.Limit = aws.Int32(int32(min(size, keysAtOnce)))
		answer, err := s.client.Query(ctx, query)
		if err != nil {
			return nil, failed("list by "+in.list, s.tables.Results, err)
		}
		orders := in.ordersBelow(answer.Items, b.Above)
		for len(orders) > 0 {
			n := min(len(orders), batches*batch, chunk)
			found, err := s.resultsOf(ctx, in, list, orders[:n])
			if err != nil {
				return nil, err
			}
			now := time.Now()
			for i := range found {
				if b.HoldsCreated(found[i].CreatedAt.UnixMilli()) && !gone(&found[i], now) {
					results = append(results, found[i])
				}
			}
			if len(results) >= wanted {
				return results[:wanted], nil
			}
			orders = orders[n:]
			chunk = max(wanted-len(results), 2*min(chunk, batches*batch))
		}
		if answer.LastEvaluatedKey == nil {
			return results, nil
		}
		query.ExclusiveStartKey = answer.LastEvaluatedKey
		size = 4 * min(size, keysAtOnce)
	}
}

// within is a query for what a list holds between two bounds, by the attributes that name
// and order it. The bound above may be found too, since a condition can be BETWEEN but not
// both >= and <.
func within(list, name, order string, b store.Bounds) *dynamodb.QueryInput {
	condition := "#list = :list AND #order < :above"
	values := map[string]types.AttributeValue{":list": text(name), ":above": text(b.Above)}
	if b.Least != "" {
		condition = "#list = :list AND #order BETWEEN :least AND :above"
		values[":least"] = text(b.Least)
	}
	return &dynamodb.QueryInput{
		KeyConditionExpression: &condition, ExpressionAttributeNames: map[string]string{"#list": list, "#order": order}, ExpressionAttributeValues: values,
	}
}

// ordersBelow gives the positions or ids that a query found below a bound, in their order.
func (in *index) ordersBelow(keys []map[string]types.AttributeValue, above string) (orders []string) {
	for _, key := range keys {
		if order, _ := key[in.order].(*types.AttributeValueMemberS); order != nil && order.Value < above {
			orders = append(orders, order.Value)
		}
	}
	return orders
}

// resultsOf reads the results of positions or ids, in their order. An index may still list
// a result where it was before it was recorded again.
func (s *Store) resultsOf(ctx context.Context, in *index, list string, orders []string) ([]store.Result, error) {
	ids := make([]string, len(orders))
	for i, order := range orders {
		ids[i] = store.IDOf(order)
	}
	found, err := s.results(ctx, ids)
	if err != nil {
		return nil, err
	}
	var results []store.Result
	for i, id := range ids {
		result, exists := found[id]
		if nowIn, order := in.of(&result); exists && nowIn == list && order == orders[i] {
			results = append(results, result)
		}
	}
	return results, nil
}
