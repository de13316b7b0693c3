package dynamo

// Sums with a limit, and leases on parts of the limit.
//
// A record has the attribute sum, which is what is spent and reserved, and for each
// second at which leases end an attribute r_<epoch second>, which is the sum of their
// amounts. Settle takes the amount of a lease out of both. A reservation that finds no
// room takes out the leases that have ended.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"thalas/internal/store"
)

const (
	leasePrefix = "r_"
	// mostEnded is the most attributes of ended leases in a record. A reservation removes
	// them when there are as many, because an update is billed by the size of its record.
	mostEnded = 8
)

// Reserve implements store.Coordination. If its write is refused, the record says why:
// the limit is reached, or ended leases take up the room, or another call wrote in
// between. In the last two cases Reserve tries again.
func (s *Store) Reserve(ctx context.Context, lease store.Lease, limit int64) (store.Sum, error) {
	most := int64(math.MaxInt64) // the highest sum before the reservation
	if limit != 0 {
		most = limit
	}
	most -= lease.Amount
	w, err := writerOf(lease, 0)
	for err == nil {
		now, done := time.Now(), false
		var current record
		if current, done, err = s.book(ctx, w, booking{lease.Amount, lease.Amount, "#sum <= :value", most, most >= 0}, now); err != nil {
			break
		}
		total, ended := current.total(now), current.ended(now)
		switch {
		case done && len(ended) >= mostEnded:
			_ = s.free(ctx, lease.Key, ended) // if it fails, the next reservation does it
			return total, nil
		case done:
			return total, nil
		case total.Spent+total.Reserved > most:
			return total, store.ErrLimit
		case len(ended) > 0:
			err = s.free(ctx, lease.Key, ended)
		}
	}
	return store.Sum{}, failed("reserve", s.tables.Coordination, err)
}

// Settle implements store.Coordination.
func (s *Store) Settle(ctx context.Context, lease store.Lease, cost int64) error {
	w, err := writerOf(lease, cost)
	held := booking{cost - lease.Amount, -lease.Amount, "#lease >= :value", lease.Amount, false}
	onlyCost := booking{cost, 0, "#sum >= :value", math.MinInt64, true}
	ended := lease.Amount == 0
	for err == nil {
		b, done := held, false
		if ended {
			b = onlyCost
		}
		var current record
		if current, done, err = s.book(ctx, w, b, time.Now()); done {
			return nil
		}
		ended = current.leases[w.lease] < lease.Amount || lease.Amount == 0
	}
	return failed("settle", s.tables.Coordination, err)
}

// Spending implements store.Coordination.
func (s *Store) Spending(ctx context.Context, key string) (store.Sum, error) {
	if err := s.usable(ctx); err != nil {
		return store.Sum{}, fmt.Errorf("read what is spent: %w", err)
	}
	answer, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.tables.Coordination, Key: coordinationKey(key), ConsistentRead: aws.Bool(true),
	})
	var current record
	if err == nil {
		current, err = decodeSum(answer.Item)
	}
	if err != nil {
		return store.Sum{}, failed("read what is spent", s.tables.Coordination, err)
	}
	now := time.Now()
	if current.Sum == nil || expired(current.ExpiresAt, now) {
		return store.Sum{}, nil
	}
	return current.total(now), nil
}

// record is the form of a sum in its table.
type record struct {
	Sum       *int64           `dynamodbav:"sum"` // spent and reserved; nil: there is no record
	ExpiresAt int64            `dynamodbav:"expires_at"`
	Call      string           `dynamodbav:"call"` // a token of the call that wrote last
	leases    map[string]int64 // attribute → amount
}

func decodeSum(attributes map[string]types.AttributeValue) (r record, err error) {
	if err := attributevalue.UnmarshalMap(attributes, &r); err != nil {
		return r, err
	}
	if r.Sum == nil && len(attributes) > 0 {
		return r, errors.New("what the key holds is not a sum")
	}
	r.leases = map[string]int64{}
	for name, value := range attributes {
		if _, is := endOf(name); !is {
			continue
		}
		var amount int64
		if err := attributevalue.Unmarshal(value, &amount); err != nil {
			return r, err
		}
		r.leases[name] = amount
	}
	return r, nil
}

// endOf reads the second in the name of a lease's attribute.
func endOf(name string) (second int64, is bool) {
	digits, is := strings.CutPrefix(name, leasePrefix)
	second, err := strconv.ParseInt(digits, 10, 64)
	return second, is && err == nil
}

// ended gives the leases that have ended.
func (r record) ended(now time.Time) map[string]int64 {
	ended := maps.Clone(r.leases)
	maps.DeleteFunc(ended, func(name string, _ int64) bool { return !hasEnded(name, now) })
	return ended
}

// hasEnded reports whether the leases of an attribute have ended.
func hasEnded(name string, now time.Time) bool {
	end, _ := endOf(name)
	return now.Unix() >= end
}

func (r record) total(now time.Time) store.Sum {
	if r.Sum == nil {
		return store.Sum{}
	}
	total := store.Sum{Spent: *r.Sum}
	for name, amount := range r.leases {
		total.Spent -= amount
		if !hasEnded(name, now) {
			total.Reserved += amount
		}
	}
	return total
}

// writer is one call that writes to the record of a key.
type writer struct {
	key    string
	lease  string // the attribute of its lease
	call   string // its token
	expiry int64
}

func writerOf(lease store.Lease, cost int64) (writer, error) {
	return writer{
		key: lease.Key, lease: leasePrefix + strconv.FormatInt(lease.Until.Unix(), 10),
		call: uuid.NewString(), expiry: expiryOf(lease.ExpiresAt),
	}, lease.Validate(cost)
}

// booking is a change of a record.
type booking struct {
	sum, lease int64  // what is added to the attributes
	condition  string // what the record must meet, in terms of #sum, #lease and :value
	value      int64
	creates    bool // if there is no record, it is made
}

// book makes one attempt at a booking. It gives the record after it, or, if the booking
// was refused, the record that refused it.
//
// If an answer is lost and the request is sent again, the booking does not count twice,
// unless another call wrote between the two.
func (s *Store) book(ctx context.Context, w writer, b booking, now time.Time) (current record, done bool, err error) {
	if err := s.usable(ctx); err != nil {
		return record{}, false, err
	}
	answer, err := s.client.UpdateItem(ctx, w.update(&s.tables.Coordination, b, now))
	if err == nil {
		current, err = decodeSum(answer.Attributes)
		return current, err == nil, err
	}
	if current, err = refusedSum(err); err != nil || current.Call == w.call || current.Sum == nil || !expired(current.ExpiresAt, now) {
		return current, err == nil && current.Call == w.call, err
	}
	if !b.creates {
		return record{}, false, nil
	}
	fresh := record{Sum: &b.sum}
	if b.lease != 0 {
		fresh.leases = map[string]int64{w.lease: b.lease}
	}
	_, err = s.client.PutItem(ctx, w.put(&s.tables.Coordination, fresh, now))
	if err == nil {
		return fresh, true, nil
	}
	current, err = refusedSum(err) // another call has replaced the expired record
	return current, err == nil && current.Call == w.call, err
}

// refusedSum gives the record that refused a write, or the error if it is another one.
func refusedSum(err error) (record, error) {
	attributes, refused := refusal(err)
	if !refused {
		return record{}, err
	}
	return decodeSum(attributes)
}

func (w writer) update(table *string, b booking, now time.Time) *dynamodb.UpdateItemInput {
	names := map[string]string{"#sum": "sum", "#expires": store.ExpiryName, "#call": "call"}
	values := map[string]types.AttributeValue{":add": number(b.sum), ":call": text(w.call), ":now": moment(now), ":value": number(b.value)}
	change := "SET #call = :call"
	if w.expiry != 0 {
		change += ", #expires = :expires"
		values[":expires"] = number(w.expiry)
	} else {
		change += " REMOVE #expires"
	}
	change += " ADD #sum :add"
	if b.lease != 0 {
		change += ", #lease :lease"
		names["#lease"], values[":lease"] = w.lease, number(b.lease)
	}
	condition := b.condition + " AND (attribute_not_exists(#expires) OR #expires >= :now) AND (attribute_not_exists(#call) OR #call <> :call)"
	if b.creates {
		names["#key"] = "key"
		condition = "attribute_not_exists(#key) OR (" + condition + ")"
	}
	return &dynamodb.UpdateItemInput{
		TableName: table, Key: coordinationKey(w.key),
		UpdateExpression: &change, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// put makes the request that replaces an expired record.
func (w writer) put(table *string, fresh record, now time.Time) *dynamodb.PutItemInput {
	item := coordinationKey(w.key)
	item["sum"], item["call"] = number(*fresh.Sum), text(w.call)
	for name, amount := range fresh.leases {
		item[name] = number(amount)
	}
	if w.expiry != 0 {
		item[store.ExpiryName] = number(w.expiry)
	}
	return &dynamodb.PutItemInput{
		TableName: table, Item: item,
		ConditionExpression:                 aws.String("attribute_not_exists(#key) OR #expires < :now"),
		ExpressionAttributeNames:            map[string]string{"#key": "key", "#expires": store.ExpiryName},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": moment(now)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// free takes ended leases out of a record. If one of them has changed since it was read,
// free does nothing, because another call is doing the same.
func (s *Store) free(ctx context.Context, key string, ended map[string]int64) error {
	names, values := map[string]string{"#sum": "sum"}, map[string]types.AttributeValue{}
	var removed, conditions []string
	total := int64(0)
	for name, amount := range ended {
		if len(removed) == mostEnded { // an expression has a limit; the others are removed later
			break
		}
		n := strconv.Itoa(len(removed))
		names["#r"+n], values[":r"+n] = name, number(amount)
		removed, conditions = append(removed, "#r"+n), append(conditions, "#r"+n+" = :r"+n)
		total += amount
	}
	values[":total"] = number(total)
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Coordination, Key: coordinationKey(key),
		UpdateExpression:         aws.String("SET #sum = #sum - :total REMOVE " + strings.Join(removed, ", ")),
		ConditionExpression:      aws.String(strings.Join(conditions, " AND ")),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	if _, refused := refusal(err); refused {
		return nil
	}
	return err
}
