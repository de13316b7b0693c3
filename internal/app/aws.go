package app

// The clients of AWS, and the store in DynamoDB.

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"thalas/internal/config"
	"thalas/internal/store"
	"thalas/internal/store/dynamo"
)

// awsConfig reads region, credentials and endpoints in the standard way of AWS programs.
// It makes no request: credentials are fetched with the first request.
func (a *App) awsConfig() (aws.Config, error) {
	c, err := awsconfig.LoadDefaultConfig(context.Background(), awsconfig.WithHTTPClient(awsClient()), awsconfig.WithLogger(a.sdkLog()))
	if err != nil {
		return c, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if c.Region == "" {
		return c, config.Mistakes{"AWS_REGION is not set: tables and the secret are in a region, such as eu-central-1"}
	}
	a.tracer.Instrument(&c)
	return c, nil
}

// awsClient makes a client that soon gives up connecting: requests take milliseconds, and
// each has a deadline of its own.
func awsClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.IdleConnTimeout = 30 * time.Second
			t.MaxIdleConnsPerHost = 64
		})
}

// sdkLog writes the SDK's messages to our log. Without it the SDK would write plain text
// between the log's lines of JSON.
func (a *App) sdkLog() logging.Logger {
	if a.log == nil {
		return logging.Nop{}
	}
	return logging.LoggerFunc(func(kind logging.Classification, format string, values ...any) {
		level := slog.LevelDebug
		if kind == logging.Warn {
			level = slog.LevelWarn
		}
		a.log.Log(context.Background(), level, "AWS SDK:", slog.String("message", fmt.Sprintf(format, values...)))
	})
}

// OpenTables opens the store in the three configured tables. It makes no request.
func (a *App) OpenTables() (store.Store, error) {
	c, err := a.awsConfig()
	if err != nil {
		return nil, err
	}
	tables := dynamo.Tables{
		Results: a.Config.ResultsTable, Metrics: a.Config.MetricsTable, Coordination: a.Config.CoordinationTable, MetricsShards: a.Config.MetricsShards,
	}
	return dynamo.New(dynamodb.NewFromConfig(c, dynamo.Retrying), tables), nil
}
