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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

// addSums gives the writes that add to the sums of each voter.
func (s *Store) addSums(one store.Settlement) (writes []types.TransactWriteItem) {
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

// voterSums are the sums of one item.
type voterSums struct {
	voter string
	sums  map[string]float64 // by counter
}

// Sums implements store.Outcomes, for up to 500 days. Each day is a query.
func (s *Store) Sums(ctx context.Context, scores, pair, firstDay, lastDay string) (map[string]map[string]float64, error) {
	items, err := eachDay(untraced{ctx}, s, firstDay, lastDay, func(ctx context.Context, day string) ([]voterSums, error) {
		return s.sumsOf(ctx, scores+"#"+day, pair)
	})
	if err != nil {
		return nil, err
	}
	sums := map[string]map[string]float64{}
	for _, item := range items {
		if sums[item.voter] == nil {
			sums[item.voter] = item.sums
			continue
		}
		for name, x := range item.sums {
			sums[item.voter][name] += x
		}
	}
	return sums, nil
}

// sumsOf reads the sums of a day, of one pair or of all.
func (s *Store) sumsOf(ctx context.Context, day, pair string) (items []voterSums, err error) {
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
	err = s.eachItem(ctx, "read the sums of "+day, query, func(attributes map[string]types.AttributeValue) error {
		sums, texts, err := decodeItem(attributes, parseSum)
		if err != nil {
			return err
		}
		_, voter, found := strings.Cut(texts[store.HourName], "#")
		if !found {
			return fmt.Errorf("the item %q is not of a voter", texts[store.HourName])
		}
		items = append(items, voterSums{voter, sums})
		return nil
	})
	return items, err
}

func parseSum(number string) (float64, error) { return strconv.ParseFloat(number, 64) }
