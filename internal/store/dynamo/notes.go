package dynamo

// Notes, which are items of the table of claims.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

var _ store.Notes = (*Store)(nil)

// note is the form of a [store.Note] in its table.
type note struct {
	Key       string `dynamodbav:"key"`
	Version   string `dynamodbav:"version"`
	Text      string `dynamodbav:"text"`
	ExpiresAt int64  `dynamodbav:"expires_at"` // seconds
}

// Note implements store.Notes.
func (s *Store) Note(ctx context.Context, key string) (store.Note, error) {
	if err := errors.Join(s.usable(ctx), store.ValidateText("key", key)); err != nil {
		return store.Note{}, fmt.Errorf("read a note: %w", err)
	}
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.tables.Coordination, Key: coordinationKey(key), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return store.Note{}, failed("read a note", s.tables.Coordination, err)
	}
	return s.noteOf(got.Item, time.Now())
}

// Replace implements store.Notes.
func (s *Store) Replace(ctx context.Context, key, old string, wanted store.Note) (current store.Note, err error) {
	if err := errors.Join(s.usable(ctx), wanted.Validate(key)); err != nil {
		return store.Note{}, fmt.Errorf("write a note: %w", err)
	}
	attributes, err := attributevalue.MarshalMap(note{key, wanted.Version, wanted.Text, expiryOf(wanted.ExpiresAt)})
	if err != nil {
		return store.Note{}, fmt.Errorf("write a note: %w", err)
	}
	now := time.Now()
	put := &dynamodb.PutItemInput{
		TableName: &s.tables.Coordination, Item: attributes,
		ConditionExpression:                 aws.String("attribute_not_exists(#key) OR #expires < :now"),
		ExpressionAttributeNames:            map[string]string{"#key": "key", "#expires": store.ExpiryName},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": moment(now)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if old != "" {
		put.ConditionExpression = aws.String("#version = :old")
		put.ExpressionAttributeNames = map[string]string{"#version": "version"}
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":old": text(old)}
	}
	_, err = s.client.PutItem(ctx, put)
	if err == nil {
		return wanted, nil
	}
	attributes, refused := refusal(err)
	if !refused {
		return store.Note{}, failed("write a note", s.tables.Coordination, err)
	}
	current, err = s.noteOf(attributes, now)
	switch {
	case err != nil:
		return current, err
	case current.Version == wanted.Version: // the answer was lost, and the request was sent again
		return wanted, nil
	}
	return current, store.ErrHeld
}

// noteOf reads an item, which is empty if there is none.
func (s *Store) noteOf(item map[string]types.AttributeValue, now time.Time) (store.Note, error) {
	if len(item) == 0 {
		return store.Note{}, nil
	}
	var n note
	err := attributevalue.UnmarshalMap(item, &n)
	if err == nil && n.Version == "" {
		err = errors.New("it has no version")
	}
	if err != nil {
		return store.Note{}, failed("what the key holds is not a note", s.tables.Coordination, err)
	}
	if expired(n.ExpiresAt, now) {
		return store.Note{}, nil
	}
	return store.Note{Version: n.Version, Text: n.Text, ExpiresAt: expiresAt(n.ExpiresAt)}, nil
}
