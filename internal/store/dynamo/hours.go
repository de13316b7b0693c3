package dynamo

// The counters of an hour are one item, or several with the same prefix of their key: 05,
// 05#1, 05#2. Each counter and text is an attribute of them. Writers choose one of the items
// at random, and readers add up all of them, however many other processes write.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

const (
	// maxDays is the most days of one call. Each day is a query.
	maxDays = 500

	// shardMark stands between the hour and the number of the item in the key of an item.
	shardMark = "#"
	// writtenName is the attribute with the time of the last run that an item counts. It is
	// only written if an hour has several items.
	writtenName = "written_at"
)

// count adds a run to its hour.
func (s *Store) count(ctx context.Context, c store.Count) error {
	if c.IsEmpty() {
		return nil
	}
	at := c.At.UTC()
	hour := at.Format("15")
	if s.tables.MetricsShards > 1 {
		if shard := rand.N(s.tables.MetricsShards); shard > 0 {
			hour += shardMark + strconv.Itoa(shard)
		}
		set := map[string]string{writtenName: at.Format(created)}
		maps.Copy(set, c.Set)
		c.Set = set
	}
	u := updateOf(c)
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Metrics, Key: metricsKey(at.Format(time.DateOnly), hour),
		UpdateExpression: u.UpdateExpression, ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
	})
	if err != nil {
		return failed("count the run", s.tables.Metrics, err)
	}
	return nil
}

// updateOf writes a count as one update.
func updateOf(c store.Count) *types.Update {
	add := make(map[string]types.AttributeValue, len(c.Add))
	for name, increment := range c.Add {
		add[name] = number(increment)
	}
	return adding(add, c.Set, c.ExpiresAt)
}

// adding gives an update that adds to counters and sets texts. It uses placeholders for
// their names, because they have dots, and are too long for the 4 KB of an expression.
func adding(add map[string]types.AttributeValue, set map[string]string, expires time.Time) *types.Update {
	update := &types.Update{
		ExpressionAttributeNames:  make(map[string]string, len(add)+len(set)+1),
		ExpressionAttributeValues: make(map[string]types.AttributeValue, len(add)+len(set)+1),
	}
	// assign adds placeholders for a name and its value.
	assign := func(name, between string, value types.AttributeValue) string {
		n := strconv.Itoa(len(update.ExpressionAttributeNames))
		update.ExpressionAttributeNames["#a"+n] = name
		update.ExpressionAttributeValues[":v"+n] = value
		return "#a" + n + between + ":v" + n
	}
	var adds, sets, clauses []string
	for _, name := range slices.Sorted(maps.Keys(add)) {
		adds = append(adds, assign(name, " ", add[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		sets = append(sets, assign(name, "=", text(set[name])))
	}
	if expiry := expiryOf(expires); expiry != 0 {
		sets = append(sets, assign(store.ExpiryName, "=", number(expiry)))
	} else {
		update.ExpressionAttributeNames["#e"] = store.ExpiryName
		clauses = append(clauses, "REMOVE #e")
	}
	if len(adds) > 0 {
		clauses = append(clauses, "ADD "+strings.Join(adds, ","))
	}
	if len(sets) > 0 {
		clauses = append(clauses, "SET "+strings.Join(sets, ","))
	}
	update.UpdateExpression = aws.String(strings.Join(clauses, " "))
	return update
}

// Hours implements store.Counters, for up to 500 days.
func (s *Store) Hours(ctx context.Context, firstDay, lastDay string) ([]store.Hour, error) {
	return eachDay(ctx, s, firstDay, lastDay, s.hoursOf)
}

// eachDay reads the days from the first to the last, several at the same time, and gives
// what was read in their order.
func eachDay[T any](ctx context.Context, s *Store, firstDay, lastDay string, read func(ctx context.Context, day string) ([]T, error)) ([]T, error) {
	days, err := daysOf(firstDay, lastDay)
	if err != nil {
		return nil, err
	}
	ofDay := make([][]T, len(days))
	_, err = forEach(ctx, s, days, func(ctx context.Context, i int, day string) (_ int, err error) {
		ofDay[i], err = read(ctx, day)
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(ofDay...), nil
}

// daysOf gives the days from the first to the last.
func daysOf(firstDay, lastDay string) (days []string, err error) {
	var bounds [2]time.Time
	for i, day := range []string{firstDay, lastDay} {
		if bounds[i], err = store.ParseDay(day); err != nil {
			return nil, err
		}
	}
	if count := int(bounds[1].Sub(bounds[0])/(24*time.Hour)) + 1; count > maxDays {
		return nil, fmt.Errorf("%s to %s are %d days: ask for at most %d at once", firstDay, lastDay, count, maxDays)
	}
	for day := bounds[0]; !day.After(bounds[1]); day = day.AddDate(0, 0, 1) {
		days = append(days, day.Format(time.DateOnly))
	}
	return days, nil
}

func (s *Store) hoursOf(ctx context.Context, day string) (hours []store.Hour, err error) {
	err = s.eachItem(ctx, "read the counters of "+day, &dynamodb.QueryInput{
		KeyConditionExpression:    aws.String("#d = :d"),
		ExpressionAttributeNames:  map[string]string{"#d": store.DayName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":d": text(day)},
	}, func(attributes map[string]types.AttributeValue) error {
		counts, texts, err := decodeItem(attributes, parseCount)
		if err != nil {
			return err
		}
		item := store.Hour{Day: day, Counts: counts, Texts: texts}
		item.Hour, _, _ = strings.Cut(texts[store.HourName], shardMark)
		delete(texts, store.DayName)
		delete(texts, store.HourName)
		if last := len(hours) - 1; last >= 0 && hours[last].Hour == item.Hour { // # sorts below all digits, so 05#1 comes before 06
			addItem(&hours[last], item)
		} else {
			hours = append(hours, item)
		}
		return nil
	})
	for _, hour := range hours {
		delete(hour.Texts, writtenName)
	}
	return hours, err
}

func parseCount(number string) (int64, error) { return strconv.ParseInt(number, 10, 64) }

// decodeItem reads an item of counters: every number is a counter, and every string is a
// text.
func decodeItem[N int64 | float64](attributes map[string]types.AttributeValue, parse func(number string) (N, error)) (counters map[string]N, texts map[string]string, err error) {
	counters, texts = map[string]N{}, map[string]string{}
	for name, value := range attributes {
		switch value := value.(type) {
		case *types.AttributeValueMemberN:
			if counters[name], err = parse(value.Value); err != nil {
				return nil, nil, fmt.Errorf("the counter %s: %w", name, err)
			}
		case *types.AttributeValueMemberS:
			texts[name] = value.Value
		}
	}
	return counters, texts, nil
}

// eachItem calls visit with each item of the table of counters that a query finds and that
// has not expired. The items have no expiry then.
func (s *Store) eachItem(ctx context.Context, doing string, query *dynamodb.QueryInput, visit func(map[string]types.AttributeValue) error) error {
	query.TableName = &s.tables.Metrics
	pages := dynamodb.NewQueryPaginator(s.client, query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(doing, s.tables.Metrics, err)
		}
		for _, attributes := range page.Items {
			var expiry int64
			err := attributevalue.Unmarshal(attributes[store.ExpiryName], &expiry)
			if err == nil && expired(expiry, time.Now()) {
				continue
			}
			delete(attributes, store.ExpiryName)
			if err := errors.Join(err, visit(attributes)); err != nil {
				return failed(doing, s.tables.Metrics, err)
			}
		}
	}
	return nil
}

// addItem adds another item of the same hour. The newer text of each name stays. Every run
// writes all texts but those that begin with a time, such as a provider's last success: of
// those the later one is newer, of the others that of the item that was written last.
func addItem(h *store.Hour, item store.Hour) {
	for name, n := range item.Counts {
		h.Counts[name] += n
	}
	last := item.Texts[writtenName] > h.Texts[writtenName]
	for name, text := range item.Texts {
		old, has := h.Texts[name]
		newer := last
		if strings.HasPrefix(text, h.Day+"T") {
			newer = text > old
		}
		if newer || !has {
			h.Texts[name] = text
		}
	}
}
