package dynamo

// The sums of what was settled. They are items of the table of counters: the day is the
// key of the scores with the day, the hour is the pair with the voter, and each counter is
// an attribute.

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// addSums gives the writes that add to the sums of each voter.
func (s *Store) addSums(one *store.Settlement) (writes []types.TransactWriteItem) {
	for _, voter := range slices.Sorted(maps.Keys(one.Sums)) {
		add := make(map[string]types.AttributeValue, len(one.Sums[voter]))
		for name, x := range one.Sums[voter] {
			add[name] = decimal(x)
		}
		update := adding(add, nil, one.ExpiresAt)
		update.TableName, update.Key = &s.tables.Metrics, metricsKey(one.Scores+"#"+one.Day, one.Pair+"#"+voter)
		writes = append(writes, types.TransactWriteItem{Update: update})
	}
	return writes
}

// mostDecimals is the precision of a sum. A table adds numbers of 38 digits exactly and
// refuses longer ones, so what is added must not reach far below the sum.
const mostDecimals = 24

// decimal writes a number that is added to a sum.
func decimal(x float64) types.AttributeValue {
	digits := strconv.FormatFloat(x, 'f', -1, 64)
	if _, decimals, _ := strings.Cut(digits, "."); len(decimals) > mostDecimals {
		digits = strings.TrimRight(strconv.FormatFloat(x, 'f', mostDecimals, 64), "0")
	}
	return &types.AttributeValueMemberN{Value: digits}
}

// untraced is a context without values. The queries of a year would be hundreds of
// subsegments of the trace that the context belongs to.
type untraced struct{ context.Context }

func (untraced) Value(any) any { return nil }

// Sums implements store.Outcomes, for up to 500 days. Each day is a query.
func (s *Store) Sums(ctx context.Context, scores, pair, firstDay, lastDay string) (map[string]map[string]float64, error) {
	ofDay, err := eachDay(untraced{ctx}, s, firstDay, lastDay, func(ctx context.Context, day string) (map[string]map[string]float64, error) {
		return s.sumsOf(ctx, scores+"#"+day, pair)
	})
	if err != nil {
		return nil, err
	}
	sums := map[string]map[string]float64{}
	for _, some := range ofDay {
		for voter, counters := range some {
			if sums[voter] == nil {
				sums[voter] = counters
				continue
			}
			for name, x := range counters {
				sums[voter][name] += x
			}
		}
	}
	return sums, nil
}

// sumsOf reads the sums of a day, of one pair or of all.
func (s *Store) sumsOf(ctx context.Context, day, pair string) (map[string]map[string]float64, error) {
	if len(day)+len(pair) > store.MaxText/2 {
		return nil, nil // nothing can have been settled there
	}
	query := &dynamodb.QueryInput{
		KeyConditionExpression:    aws.String("#day = :day"),
		ExpressionAttributeNames:  map[string]string{"#day": store.DayName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":day": text(day)},
	}
	if pair != "" {
		query.KeyConditionExpression = aws.String("#day = :day AND begins_with(#hour, :pair)")
		query.ExpressionAttributeNames["#hour"] = store.HourName
		query.ExpressionAttributeValues[":pair"] = text(pair + "#")
	}
	sums := map[string]map[string]float64{}
	err := s.eachItem(ctx, "read the sums of "+day, query, func(attributes map[string]types.AttributeValue) error {
		if at, _ := attributes[store.ExpiryName].(*types.AttributeValueMemberN); at != nil {
			expiry, err := strconv.ParseInt(at.Value, 10, 64)
			if err != nil || expired(expiry, time.Now()) {
				return err
			}
			delete(attributes, store.ExpiryName)
		}
		hour, _ := attributes[store.HourName].(*types.AttributeValueMemberS)
		_, voter, found := strings.Cut(hour.Value, "#")
		if !found {
			return fmt.Errorf("the item %q is not of a voter", hour.Value)
		}
		if sums[voter] == nil {
			sums[voter] = map[string]float64{}
		}
		for name, value := range attributes {
			n, is := value.(*types.AttributeValueMemberN)
			if !is {
				continue
			}
			x, err := strconv.ParseFloat(n.Value, 64)
			if err != nil {
				return fmt.Errorf("the sum %s of %s is not a number: %w", name, voter, err)
			}
			sums[voter][name] += x
		}
		return nil
	})
	return sums, err
}
