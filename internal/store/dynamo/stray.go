package dynamo

// Strays: results whose candle is not near the time at which they were made.
//
// A series is ordered by candle, and a range is one of the times when results were
// made. As long as the two lie near each other, as they do for whoever asks about
// the market of now, a range of time is a range of the index. Questions about
// candles of long ago break that, and must be found all the same: so each of them
// leaves a mark, in an order by the time of its making, and a range in which there
// is a mark is looked for in the whole series.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// strayPrefix begins the id and the series of a mark. No id of a result begins so.
const strayPrefix = "stray#"

// Near is a thousand candles, and three weeks at the most: the last closed candle
// of a week may have opened two weeks ago. Results are marked by these figures
// when they are written, so they may grow later and never shrink.
const (
	nearCandles = 1000
	nearMost    = 3 * 7 * 24 * time.Hour
)

// near is how long before a result of the series its candle opens, unless it is
// a stray.
func near(series string) time.Duration {
	timeframe, err := signal.ParseTimeframe(series[strings.LastIndexByte(series, '#')+1:])
	if err != nil {
		return nearMost
	}
	return min(nearCandles*timeframe.Duration(), nearMost)
}

// isStray reports whether a result's candle is neither near its making nor before it.
func isStray(r *store.Result) bool {
	candle, _, _ := strings.Cut(r.Position, "#")
	opened, err := time.Parse(time.RFC3339, candle)
	if err != nil {
		return true // not reached: checkResult held
	}
	after := r.CreatedAt.Sub(opened)
	return after < 0 || after > near(r.Series)
}

// strays is the series of the marks of a series: a hash, so that it is none of a
// pair and as short as a key must be.
func strays(series string) string {
	hash := sha256.Sum256([]byte(series))
	return strayPrefix + hex.EncodeToString(hash[:])
}

// mark leaves the mark of a stray. It has no day and no result, and is in no list
// of results.
func (s *Store) mark(ctx context.Context, r *store.Result) error {
	item := map[string]types.AttributeValue{
		"id": text(strayPrefix + r.ID), "series": text(strays(r.Series)), "position": text(store.PositionKey(r.CreatedAt, r.ID)),
	}
	if expiry := expiryOf(r.ExpiresAt); expiry != nil {
		item["expires_at"] = number(*expiry)
	}
	if _, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.tables.Results, Item: item}); err != nil {
		return failed("mark the result", s.tables.Results, err)
	}
	return nil
}

// span gives the part of a list's order in which everything of a range lies: from
// low on, and below high.
func (s *Store) span(ctx context.Context, in *index, list string, r store.Range) (low, high string, err error) {
	high = r.Before
	narrow := func(from, to string) {
		low = from
		if high == "" || to != "" && to < high {
			high = to
		}
	}
	if in.byID {
		low, to := bounds(r, apart, apart, store.IDsFrom)
		narrow(low, to)
		return low, high, nil
	}
	if r.From.IsZero() && r.To.IsZero() {
		return "", high, nil
	}
	marked, err := s.anyMark(ctx, list, r)
	if err == nil && !marked {
		narrow(bounds(r, near(list), 0, store.PositionsFrom))
	}
	return low, high, err
}

// bounds gives the orders that a range spans, so much before and after. Empty:
// there is no bound.
func bounds(r store.Range, before, after time.Duration, orderFrom func(milliseconds int64) string) (low, high string) {
	if !r.From.IsZero() {
		low = orderFrom(r.From.Add(-before).UnixMilli())
	}
	if !r.To.IsZero() {
		high = orderFrom(r.To.Add(after).UnixMilli())
	}
	return low, high
}

// anyMark reports whether a stray of the series may have been made in a range. A
// mark may be taken for one of the seconds at the range's ends.
func (s *Store) anyMark(ctx context.Context, series string, r store.Range) (bool, error) {
	low, high := bounds(r, time.Second, 0, store.PositionsFrom)
	query := s.query(bySeries, strays(series), low, high)
	if query == nil {
		return false, nil
	}
	query.Limit = aws.Int32(1)
	answer, err := s.client.Query(ctx, query)
	if err != nil {
		return false, failed("look for strays", s.tables.Results, err)
	}
	return len(answer.Items) > 0, nil
}

// query asks an index for the keys of a list from low on and below high, highest
// first. It is nil where there can be none.
func (s *Store) query(in *index, list, low, high string) *dynamodb.QueryInput {
	query := &dynamodb.QueryInput{
		TableName: &s.tables.Results, IndexName: &in.name, ScanIndexForward: aws.Bool(false),
		ExpressionAttributeNames:  map[string]string{"#l": in.list},
		ExpressionAttributeValues: map[string]types.AttributeValue{":l": text(list)},
	}
	condition := "#l = :l"
	switch {
	case low != "" && high != "":
		if low >= high {
			return nil
		}
		condition += " AND #o BETWEEN :low AND :high" // high too: entriesBelow leaves it out
	case low != "":
		condition += " AND #o >= :low"
	case high != "":
		condition += " AND #o < :high"
	}
	for name, bound := range map[string]string{":low": low, ":high": high} {
		if bound != "" {
			query.ExpressionAttributeNames["#o"] = in.order
			query.ExpressionAttributeValues[name] = text(bound)
		}
	}
	query.KeyConditionExpression = &condition
	return query
}
