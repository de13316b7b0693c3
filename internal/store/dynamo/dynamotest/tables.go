package dynamotest

// The tables, with their keys and indexes.

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"thalas/internal/store/dynamo"
)

// NewTables makes empty tables with unique names for a test, and drops them after it.
func NewTables(t testing.TB, client *dynamodb.Client) dynamo.Tables {
	t.Helper()
	suffix := "-" + uuid.NewString()
	tables := dynamo.Tables{Results: "Results" + suffix, Metrics: "Metrics" + suffix, Coordination: "Coordination" + suffix}
	t.Cleanup(func() {
		for _, name := range []string{tables.Results, tables.Metrics, tables.Coordination} {
			_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
			if missing := (*types.ResourceNotFoundException)(nil); err != nil && !errors.As(err, &missing) {
				t.Errorf("drop the table %s: %v", name, err)
			}
		}
	})
	if err := CreateTables(t.Context(), client, tables); err != nil {
		t.Fatal(err)
	}
	return tables
}

// CreateTables makes tables of these names. A table that exists is left as it is.
func CreateTables(ctx context.Context, client *dynamodb.Client, tables dynamo.Tables) error {
	for _, table := range []*dynamodb.CreateTableInput{
		{
			TableName: &tables.Results, KeySchema: keys("id", ""),
			AttributeDefinitions:   texts("id", "series", "position", "day"),
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index("by_series", "series", "position"), index("by_day", "day", "id")},
		},
		{TableName: &tables.Metrics, KeySchema: keys("day", "hour"), AttributeDefinitions: texts("day", "hour")},
		{TableName: &tables.Coordination, KeySchema: keys("key", ""), AttributeDefinitions: texts("key")},
	} {
		table.BillingMode = types.BillingModePayPerRequest
		_, err := client.CreateTable(ctx, table)
		if exists := (*types.ResourceInUseException)(nil); err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("create the table %s: %w", *table.TableName, err)
		}
	}
	return nil
}

func keys(partition, sort string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash}}
	if sort != "" {
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange})
	}
	return schema
}

func texts(names ...string) (definitions []types.AttributeDefinition) {
	for _, name := range names {
		definitions = append(definitions, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	return definitions
}

func index(name, partition, sort string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: aws.String(name), KeySchema: keys(partition, sort),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
	}
}
