package dynamo

// Sums with a limit.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"thalas/internal/store"
)

// sum is a record as it stands in its table.
type sum struct {
	Sum       *int64 `dynamodbav:"sum"`
	ExpiresAt *int64 `dynamodbav:"expires_at"`
	Call      string `dynamodbav:"call"` // a token of the call that wrote last
}

// spending is one call of Spend.
type spending struct {
	key           string
	amount, limit int64
	expiry        *int64
	call          string
}

// Spend implements store.Coordination. Each attempt is one conditional write: it
// adds to a sum that stands, or puts the amount in the place of one that has
// expired. Where it is refused, what stands there says why, or which of the two is
// due; somebody else got in between then, so that all calls together get on.
//
// A request that is sent again after its answer was lost does not count twice,
// unless another call's write came between the two.
func (s *Store) Spend(ctx context.Context, key string, amount, limit int64, expiresAt time.Time) (total int64, err error) {
	if err := checkText("key", key); err != nil {
		return 0, fmt.Errorf("spend: %w", err)
	}
	p := spending{key: key, amount: amount, limit: limit, expiry: expiryOf(expiresAt), call: uuid.NewString()}
	anew := false
	for {
		if err := s.usable(ctx); err != nil {
			return 0, fmt.Errorf("spend: %w", err)
		}
		now := time.Now()
		written, refused, err := s.spend(ctx, p, anew, now)
		if err != nil {
			return 0, failed("spend", s.tables.Coordination, err)
		}
		if !refused {
			return *written.Sum, nil
		}
		switch {
		case written.Call == p.call:
			return *written.Sum, nil
		case written.Sum != nil && !expired(written.ExpiresAt, now):
			total, anew = *written.Sum, false
		default:
			total, anew = 0, written.Sum != nil
		}
		if err := checkSpend(total, amount, limit); err != nil {
			return total, err
		}
	}
}

// spend makes one attempt. It gives the record as it stands afterwards; refused:
// as it stood and stands, without a sum where there is none.
func (s *Store) spend(ctx context.Context, p spending, anew bool, now time.Time) (record sum, refused bool, err error) {
	answer, err := s.client.UpdateItem(ctx, p.update(&s.tables.Coordination, anew, now))
	standing, refused := refusal(err)
	switch {
	case refused:
		if err := attributevalue.UnmarshalMap(standing, &record); err != nil {
			return record, true, err
		}
		if record.Sum == nil && len(standing) > 0 {
			return record, true, errNoSum
		}
		return record, true, nil
	case err != nil:
		return record, false, err
	}
	if err := attributevalue.UnmarshalMap(answer.Attributes, &record); err != nil {
		return record, false, err
	}
	if record.Sum == nil {
		return record, false, errNoSum
	}
	return record, false, nil
}

var errNoSum = errors.New("what holds the key is no sum")

// update is the conditional write of a spending.
func (p spending) update(table *string, anew bool, now time.Time) *dynamodb.UpdateItemInput {
	least, most := p.room()
	names := map[string]string{"#sum": "sum", "#expires": expiryAttribute, "#call": "call"}
	values := map[string]types.AttributeValue{":amount": number(p.amount), ":call": text(p.call), ":now": moment(now)}
	change, condition := "ADD #sum :amount SET #call = :call", ""
	if anew {
		change = "SET #sum = :amount, #call = :call"
		condition = "#expires < :now"
	} else {
		values[":least"], values[":most"] = number(least), number(most)
		condition = "#sum BETWEEN :least AND :most AND (attribute_not_exists(#expires) OR #expires >= :now) AND " +
			"(attribute_not_exists(#call) OR #call <> :call)"
		if checkSpend(0, p.amount, p.limit) == nil {
			names["#key"] = "key"
			condition = "attribute_not_exists(#key) OR (" + condition + ")"
		}
	}
	if p.expiry != nil {
		change += ", #expires = :expires"
		values[":expires"] = number(*p.expiry)
	} else {
		change += " REMOVE #expires"
	}
	return &dynamodb.UpdateItemInput{
		TableName: table, Key: coordinationKey(p.key),
		UpdateExpression: aws.String(change), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// room gives the sums to which the amount can be added: by the limit, and by the
// range of the number.
func (p spending) room() (least, most int64) {
	least, most = math.MinInt64, math.MaxInt64
	if p.limit != 0 {
		most = p.limit
	}
	switch {
	case p.amount > 0 && most < math.MinInt64+p.amount:
		most = math.MinInt64
	case p.amount > 0:
		most -= p.amount
	case p.amount < 0:
		least = math.MinInt64 - p.amount
		if most > math.MaxInt64+p.amount {
			most = math.MaxInt64
		} else {
			most -= p.amount
		}
	}
	return least, most
}

// checkSpend says why an amount cannot be added to a sum, if so.
func checkSpend(total, amount, limit int64) error {
	over := amount > 0 && total > math.MaxInt64-amount
	under := amount < 0 && total < math.MinInt64-amount
	switch {
	case limit != 0 && (over || !under && total+amount > limit):
		return store.ErrLimit
	case over || under:
		return errors.New("spend: the sum would leave the range of its number")
	}
	return nil
}
