package dynamo

// Claims: which run works on a key.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"thalas/internal/store"
)

const (
	inProgress = "INPROGRESS"
	completed  = "COMPLETED"
)

// claim is the form of a [store.Claim] in its table.
type claim struct {
	Key       string `dynamodbav:"key"`
	Status    string `dynamodbav:"status"`
	Owner     string `dynamodbav:"owner"`
	Payload   string `dynamodbav:"payload_hash,omitempty"`
	Until     int64  `dynamodbav:"in_progress_until,omitempty"` // milliseconds
	ExpiresAt int64  `dynamodbav:"expires_at,omitempty"`        // seconds
	Result    string `dynamodbav:"result,omitempty"`
	Call      string `dynamodbav:"call"` // a token of the call that took the key
}

// Claim implements store.Coordination.
func (s *Store) Claim(ctx context.Context, key string, wanted store.Claim) (old *store.Claim, err error) {
	if err := errors.Join(s.usable(ctx), wanted.Validate(key)); err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	mine := claim{
		Key: key, Status: inProgress, Owner: wanted.Owner, Payload: wanted.Payload, ExpiresAt: expiryOf(wanted.ExpiresAt), Call: uuid.NewString(),
	}
	if !wanted.Until.IsZero() {
		mine.Until = wanted.Until.UnixMilli()
	}
	attributes, err := attributevalue.MarshalMap(mine)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	now := time.Now()
	put, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Coordination, Item: attributes,
		ConditionExpression: aws.String("attribute_not_exists(#key) OR #expires < :now OR " +
			"(#status = :inprogress AND (attribute_not_exists(#until) OR #until < :now_ms))"),
		ExpressionAttributeNames: map[string]string{"#key": "key", "#expires": store.ExpiryName, "#status": "status", "#until": "in_progress_until"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":now": moment(now), ":now_ms": number(now.UnixMilli()), ":inprogress": text(inProgress),
		},
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		old, notClaim := decodeClaim(put.Attributes)
		if notClaim != nil || expired(old.ExpiresAt, now) { // there was none, or it was released
			return nil, nil
		}
		return old.claim(), nil
	}
	attributes, refused := refusal(err)
	if !refused {
		return nil, failed("claim", s.tables.Coordination, err)
	}
	current, err := decodeClaim(attributes)
	if err != nil {
		return nil, failed("claim: what the key holds is not a claim", s.tables.Coordination, err)
	}
	if current.Call == mine.Call { // the answer was lost, and the request was sent again
		return nil, nil
	}
	return current.claim(), store.ErrHeld
}

// decodeClaim reads the claim in an item. An item without an owner is none.
func decodeClaim(attributes map[string]types.AttributeValue) (c claim, err error) {
	err = attributevalue.UnmarshalMap(attributes, &c)
	if err == nil && c.Owner == "" {
		err = errors.New("it has no owner")
	}
	return c, err
}

func (c *claim) claim() *store.Claim {
	claim := &store.Claim{Owner: c.Owner, Payload: c.Payload, ExpiresAt: expiresAt(c.ExpiresAt), Result: c.Result}
	if c.Until != 0 {
		claim.Until = time.UnixMilli(c.Until).UTC()
	}
	return claim
}

// Complete implements store.Coordination.
func (s *Store) Complete(ctx context.Context, key, owner, result string) error {
	if result == "" {
		return errors.New("complete: there is no result")
	}
	return s.updateClaim(ctx, key, owner, "complete", "SET #status = :status, #result = :result",
		map[string]types.AttributeValue{":status": text(completed), ":result": text(result)})
}

// Release implements store.Coordination. It does not delete the item, so that no right to
// delete is needed: the item stays until it expires, without an owner and long past its
// Until. If the answer is lost and the request is sent again, it gives ErrNotOwner.
func (s *Store) Release(ctx context.Context, key, owner string) error {
	return s.updateClaim(ctx, key, owner, "release", "SET #status = :status, in_progress_until = :long_ago REMOVE #owner, #result",
		map[string]types.AttributeValue{":status": text(inProgress), ":long_ago": number(0)})
}

// updateClaim changes a claim if it still belongs to the owner.
func (s *Store) updateClaim(ctx context.Context, key, owner, doing, change string, values map[string]types.AttributeValue) error {
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if store.ValidateText("key", key) != nil || owner == "" {
		return store.ErrNotOwner // such a key can't be claimed
	}
	values = maps.Clone(values)
	values[":owner"], values[":now"] = text(owner), moment(time.Now())
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Coordination, Key: coordinationKey(key),
		UpdateExpression:          &change,
		ConditionExpression:       aws.String("#owner = :owner AND (attribute_not_exists(#expires) OR #expires >= :now)"),
		ExpressionAttributeNames:  map[string]string{"#owner": "owner", "#status": "status", "#result": "result", "#expires": store.ExpiryName},
		ExpressionAttributeValues: values,
	})
	if _, refused := refusal(err); refused {
		return store.ErrNotOwner
	}
	if err != nil {
		return failed(doing, s.tables.Coordination, err)
	}
	return nil
}

func coordinationKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"key": text(key)}
}
