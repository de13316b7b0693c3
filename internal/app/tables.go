package app

// The store in DynamoDB.

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
)

// OpenTables opens the store of the three tables that are configured. It does not
// use the network.
func (a *App) OpenTables() (store.Store, error) {
	c, err := a.awsConfig()
	if err != nil {
		return nil, err
	}
	tables := dynamo.Tables{Results: a.Config.ResultsTable, Metrics: a.Config.MetricsTable, Coordination: a.Config.CoordinationTable}
	return dynamo.New(dynamodb.NewFromConfig(c, dynamo.Retrying), tables), nil
}
