package app

// The clients of AWS, the store in DynamoDB, and the provider keys in Secrets Manager,
// which are fetched before a run and never at start.

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"

	"thalas/internal/config"
	"thalas/internal/provider"
	"thalas/internal/secrets"
	"thalas/internal/store"
	"thalas/internal/store/dynamo"
)

// awsConfig reads region, credentials and endpoints in the standard way of AWS programs.
// It makes no request: credentials are fetched with the first request.
func (a *App) awsConfig() (aws.Config, error) {
	// The client soon gives up connecting: requests take milliseconds, and each has a
	// deadline of its own.
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.IdleConnTimeout = 30 * time.Second
			t.MaxIdleConnsPerHost = 64
		})
	c, err := awsconfig.LoadDefaultConfig(context.Background(), awsconfig.WithHTTPClient(client), awsconfig.WithLogger(a.sdkLog()))
	if err != nil {
		return c, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if c.Region == "" {
		return c, config.Mistakes{"AWS_REGION is not set: tables and the secret are in a region, such as eu-central-1"}
	}
	a.tracer.Instrument(&c)
	return c, nil
}

// sdkLog writes the SDK's messages to our log. Without it the SDK would write plain text
// between the log's lines of JSON.
func (a *App) sdkLog() logging.Logger {
	return logging.LoggerFunc(func(kind logging.Classification, format string, values ...any) {
		level := slog.LevelDebug
		if kind == logging.Warn {
			level = slog.LevelWarn
		}
		a.Log.Log(context.Background(), level, "AWS SDK:", slog.String("message", fmt.Sprintf(format, values...)))
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

// openSecret makes the source of the keys if the configuration names a secret.
func (a *App) openSecret() error {
	if a.Config.SecretID == "" || a.Simulated {
		return nil
	}
	c, err := a.awsConfig()
	if err != nil {
		return err
	}
	o := secrets.Options{SecretID: a.Config.SecretID, MaxAge: a.Config.SecretAge, Logger: a.Log}
	for _, p := range a.Config.Providers {
		if name := owner(p); name != "" && !slices.Contains(o.Providers, name) {
			o.Providers = append(o.Providers, name)
		}
	}
	a.secret = secrets.New(secretsmanager.NewFromConfig(c), o)
	a.keyed = map[string]keyedProvider{}
	return nil
}

// construct makes one provider, with its key in the environment or else in the secret.
func (a *App) construct(c config.Provider, settings provider.Settings, client *http.Client, breaker *provider.Breaker) (provider.Provider, error) {
	construct := constructorOf(c)
	withKey := func(key provider.Key) (provider.Provider, error) {
		settings := settings
		settings.Key = key
		return construct(settings, a.Catalog, client)
	}
	if a.secret == nil || settings.Key.IsSet() || settings.Keyless {
		return withKey(settings.Key)
	}
	keyed, err := provider.NewKeyed(withKey, ownedKeys{a.secret, owner(c)}, breaker)
	if err != nil {
		return nil, err
	}
	a.keyed[c.Name] = keyedProvider{keyed, owner(c)}
	return keyed, nil
}

// Prepare gives every provider its current key before a run. It calls Secrets Manager
// only if the keys are unknown or too old. Its error is that of the secret, and only if no
// provider can be asked without it.
func (a *App) Prepare(ctx context.Context) error {
	if len(a.keyed) == 0 { // no provider has its key in the secret
		return nil
	}
	keys, err := a.secret.Keys(ctx)
	if err != nil && ctx.Err() != nil {
		return err // the caller's context has ended, which says nothing about the secret
	}
	for name, p := range a.keyed {
		failed := err
		if failed == nil {
			failed = p.Use(keys[p.owner])
		}
		reason := ""
		switch {
		case failed != nil:
			reason = failed.Error()
		case !keys[p.owner].IsSet():
			reason = "no API key: the secret " + a.Config.SecretID + " has no " + provider.Variable(p.owner, "API_KEY")
		}
		a.Registry.SetUnavailable(name, reason)
	}
	if err != nil && len(a.Registry.Available()) == 0 {
		return err
	}
	return nil
}
