// Package backends starts what the functions call, on this machine: DynamoDB Local
// with the tables, moto's Secrets Manager with the keys, the simulator in place of the
// models, and made-up venues. A function finds them by the environment that the package
// returns, whether it runs as a process or in a container.
//
// It is for tests and for trying the stack without an account. Everything is gone after
// Close.
package backends

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"thalas/internal/market/venuetest"
	"thalas/internal/simulator"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

// Secret is the name of the secret with the keys. It and the tables have the logical
// names of template.yaml, which sam local uses in place of !Ref.
const Secret = "ProviderKeys"

// Tables are the names of the tables.
var Tables = dynamo.Tables{Results: "ResultsTable", Metrics: "MetricsTable", Coordination: "CoordinationTable"}

// Planted are keys that open nothing but the simulator.
var Planted = map[string]string{
	"ANTHROPIC_API_KEY": "planted-anthropic-key", "OPENAI_API_KEY": "planted-openai-key",
	"GEMINI_API_KEY": "planted-gemini-key", "GROK_API_KEY": "planted-grok-key",
}

// Options says what to start.
type Options struct {
	Reach     Reach             // the zero value: functions run on this machine
	Keys      map[string]string // of real providers, by variable; none: planted keys, and the simulator answers
	VenueTime func() time.Time  // the time of the made-up venues; nil: the real venues are asked
}

// Reach is how a function gets to this machine.
type Reach struct {
	Listen string // address of this machine to listen on; empty: 127.0.0.1
	Name   string // what the function calls it; empty: the same
}

// Running are the servers.
type Running struct {
	DynamoDB *dynamotest.Server
	Models   *simulator.Server // nil where real ones are asked
	Venues   *venuetest.Server // nil where real ones are asked

	moto        *dynamotest.Server
	secretReads atomic.Int64
	env         map[string]string
	listening   []*http.Server
	serving     sync.WaitGroup
}

// Start starts all servers. It returns a *[dynamotest.NotInstalled] if one is missing.
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

	secrets := forward(b.moto.URL)
	countReads := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue" {
			b.secretReads.Add(1)
		}
		secrets.ServeHTTP(w, r)
	}
	if b.env["AWS_ENDPOINT_URL_DYNAMODB"], err = b.open(o.Reach, forward(b.DynamoDB.URL)); err != nil {
		return nil, err
	}
	if b.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"], err = b.open(o.Reach, http.HandlerFunc(countReads)); err != nil {
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

// Environment holds the addresses of these servers. The template gives a function the
// names of its tables and of the secret. No key is in it.
func (b *Running) Environment() map[string]string { return maps.Clone(b.env) }

// SecretReads is how often the keys have been fetched.
func (b *Running) SecretReads() int { return int(b.secretReads.Load()) }

// Store reads and writes the tables without a function.
func (b *Running) Store() *dynamo.Store { return dynamo.New(b.DynamoDB.Client(), Tables) }

// Close ends all of them.
func (b *Running) Close() (all error) {
	for _, server := range b.listening {
		all = errors.Join(all, server.Close())
	}
	b.serving.Wait()
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

// open serves a handler at an address of its own.
func (b *Running) open(r Reach, handler http.Handler) (url string, err error) {
	listen := cmp.Or(r.Listen, "127.0.0.1")
	listener, err := net.Listen("tcp", net.JoinHostPort(listen, "0"))
	if err != nil {
		return "", fmt.Errorf("listen where functions reach this machine: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	b.listening = append(b.listening, server)
	b.serving.Go(func() { _ = server.Serve(listener) }) // its error says that it was closed
	return "http://" + net.JoinHostPort(cmp.Or(r.Name, listen), port), nil
}

// forward passes requests on to a server that listens on loopback only.
func forward(to string) http.Handler {
	target := &url.URL{Scheme: "http", Host: strings.TrimPrefix(to, "http://")}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// createSecret creates the secret with the keys, by one plain request in place of an AWS
// client.
func createSecret(ctx context.Context, endpoint string, keys map[string]string) error {
	value, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"Name": Secret, "SecretString": string(value), "ClientRequestToken": uuid.NewString()})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.CreateSecret")
	// Moto reads the service and the region from it, and checks nothing.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261123/"+dynamotest.Region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=test")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("moto does not create the secret %s: %s: %s", Secret, answer.Status, said)
	}
	return nil
}
