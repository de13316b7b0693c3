package backends

// All servers together, from their start to their end.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"thalas/internal/market/venuetest"
	"thalas/internal/simulator"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

// What sam local puts in the place of !Ref: the logical names of template.yaml.
const Secret = "ProviderKeys"

var Tables = dynamo.Tables{Results: "ResultsTable", Metrics: "MetricsTable", Coordination: "CoordinationTable"}

// Planted are keys that open nothing but the simulator.
var Planted = map[string]string{
	"ANTHROPIC_API_KEY": "planted-anthropic-key", "OPENAI_API_KEY": "planted-openai-key",
	"GEMINI_API_KEY": "planted-gemini-key", "GROK_API_KEY": "planted-grok-key",
}

// Options says what to start.
type Options struct {
	Reach Reach             // how the functions get here; the zero value: from this machine
	Keys  map[string]string // of real providers, by variable; none: planted ones, and the simulator answers

	// The made-up venues' time; nil: the real venues are asked.
	VenueTime func() time.Time
}

// Running are the servers.
type Running struct {
	DynamoDB *dynamotest.Server
	Models   *simulator.Server // nil where real ones are asked
	Venues   *venuetest.Server // nil where real ones are asked

	moto   *dynamotest.Server
	counts *counter // of Secrets Manager
	fronts []*front
	env    map[string]string
}

// Start starts all servers. It is a *dynamotest.NotInstalled error where one is
// not there.
func Start(ctx context.Context, o Options) (running *Running, err error) {
	b := &Running{env: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.DynamoDB, err = dynamotest.Start(ctx, dynamotest.Local); err != nil {
		return nil, err
	}
	if b.moto, err = dynamotest.Start(ctx, dynamotest.Moto); err != nil {
		return nil, err
	}
	if err := dynamotest.CreateTables(ctx, b.DynamoDB.Client(), Tables); err != nil {
		return nil, err
	}
	keys := o.Keys
	if len(keys) == 0 {
		keys = Planted
	}
	if err := createSecret(ctx, b.moto.URL, keys); err != nil {
		return nil, err
	}

	tables, err := forward(b.DynamoDB.URL)
	if err != nil {
		return nil, err
	}
	secrets, err := forward(b.moto.URL)
	if err != nil {
		return nil, err
	}
	b.counts = &counter{next: secrets, calls: map[string]int{}}
	if b.env["AWS_ENDPOINT_URL_DYNAMODB"], err = b.open(o.Reach, tables); err != nil {
		return nil, err
	}
	if b.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"], err = b.open(o.Reach, b.counts); err != nil {
		return nil, err
	}
	if len(o.Keys) == 0 {
		b.Models = simulator.New(simulator.Options{})
		at, err := b.open(o.Reach, b.Models)
		if err != nil {
			return nil, err
		}
		for _, name := range simulator.Providers {
			b.env[strings.ToUpper(name)+"_BASE_URL"] = at + "/" + name
		}
	}
	if o.VenueTime != nil {
		b.Venues = venuetest.New(o.VenueTime)
		at, err := b.open(o.Reach, b.Venues)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"kraken", "coinbase", "okx"} {
			b.env[strings.ToUpper(name)+"_BASE_URL"] = at + "/" + name
		}
	}
	return b, nil
}

// Environment leads a function of the template to these servers, which has the
// names of its tables and secret already. No key is in it.
func (b *Running) Environment() map[string]string { return maps.Clone(b.env) }

// SecretReads is how often the keys have been fetched.
func (b *Running) SecretReads() int { return b.counts.of("secretsmanager.GetSecretValue") }

// Store reads and writes the tables without a function.
func (b *Running) Store() *dynamo.Store { return dynamo.New(b.DynamoDB.Client(), Tables) }

// Close ends all of them.
func (b *Running) Close() (all error) {
	for _, f := range b.fronts {
		all = errors.Join(all, f.close())
	}
	for _, engine := range []*dynamotest.Server{b.moto, b.DynamoDB} {
		if engine == nil {
			continue
		}
		if err := engine.Stop(); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", engine.Engine.Name, err))
		}
	}
	return all
}
