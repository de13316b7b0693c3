package dynamo

// The form of a result in its table. Later versions only add attributes: a reader ignores
// attributes that it does not know, and does without those that an older version did not
// write.

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"thalas/internal/store"
)

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
	ExpiresAt *int64  `dynamodbav:"expires_at,omitempty"`
}

func encodeResult(r *store.Result) (map[string]types.AttributeValue, error) {
	body := string(r.Body)
	return attributevalue.MarshalMap(item{
		ID: r.ID, Result: &body, Schema: r.Schema, Series: r.Series, Position: r.Position, Day: r.Day,
		Decision: r.Decision, Status: r.Status, CreatedAt: r.CreatedAt.UTC().Format(created), ExpiresAt: expiryOf(r.ExpiresAt),
	})
}

func decodeResult(attributes map[string]types.AttributeValue) (store.Result, error) {
	var i item
	if err := attributevalue.UnmarshalMap(attributes, &i); err != nil {
		return store.Result{}, fmt.Errorf("an item is not a result: %w", err)
	}
	if i.Result == nil {
		return store.Result{}, fmt.Errorf("the item %s has no attribute result", i.ID)
	}
	at := store.MadeAt(i.ID)
	if i.CreatedAt != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, i.CreatedAt); err != nil {
			return store.Result{}, fmt.Errorf("the item %s: created_at: %w", i.ID, err)
		}
	}
	return store.Result{
		ID: i.ID, Schema: i.Schema, Series: i.Series, Position: i.Position, Day: i.Day,
		Decision: i.Decision, Status: i.Status, CreatedAt: at.UTC(), ExpiresAt: expiresAt(i.ExpiresAt),
		Body: []byte(*i.Result),
	}, nil
}
