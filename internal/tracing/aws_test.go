package tracing_test

// AWS calls that a real client makes to a local server.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"thalas/internal/tracing"
	"thalas/internal/tracing/tracingtest"
)

const plantedKey = "sk-planted-0123456789"

// secrets makes an instrumented client for a server with that handler.
func secrets(t *testing.T, tracer *tracing.Tracer, handler http.HandlerFunc) *secretsmanager.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := server.Client()
	t.Cleanup(client.CloseIdleConnections)
	cfg := awsConfig(server.URL)
	cfg.HTTPClient = client
	tracer.Instrument(&cfg)
	return secretsmanager.NewFromConfig(cfg)
}

func awsConfig(url string) aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "simulated", SecretAccessKey: "simulated"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func get(ctx context.Context, client *secretsmanager.Client) (string, error) {
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("keys")})
	if err != nil {
		return "", err
	}
	return *out.SecretString, nil
}

func TestAWSCallIsTraced(t *testing.T) {
	var sent string
	client := secrets(t, tracer, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("X-Amzn-Trace-Id")
		w.Header().Set("X-Amzn-Requestid", "request-1")
		_, _ = w.Write([]byte(`{"SecretString": "` + plantedKey + `"}`))
	})
	ctx, trace := invocation(t.Context(), isSampled)
	if got, err := get(context.WithoutCancel(ctx), client); err != nil || got != plantedKey {
		t.Fatalf("got %q, %v", got, err)
	}
	documents := xrayDaemon.Of(t, trace)
	if len(documents) != 1 {
		t.Fatalf("documents %v, want one", tracingtest.Told(documents))
	}
	got := documents[0]
	if got.Name != "Secrets Manager" || got.Namespace != "aws" || got.ParentID != parent || got.HTTP.Response.Status != 200 ||
		got.AWS["operation"] != "GetSecretValue" || got.AWS["region"] != "eu-central-1" || got.AWS["request_id"] != "request-1" {
		t.Errorf("document %s", got.Raw)
	}
	if want := "Root=" + trace + ";Parent=" + got.ID + ";Sampled=1"; sent != want {
		t.Errorf("the server got the trace header %q, want %q", sent, want)
	}
	if strings.Contains(got.Raw, plantedKey) {
		t.Errorf("the document holds the secret: %s", got.Raw)
	}
}

// cancelled answers as DynamoDB does when it cancels a transaction.
func cancelled(reasons string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [` + reasons + `]"}`))
	}
}

func TestFailedAWSCallIsTraced(t *testing.T) {
	tests := []struct {
		name          string
		handler       http.HandlerFunc
		fault, client bool // flags
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type": "ResourceNotFoundException", "Message": "no such secret"}`))
		}, true, true},
		{"a condition that does not hold", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Message": "The conditional request failed"}`))
		}, false, false},
		{"a transaction with a condition that does not hold", cancelled("None, ConditionalCheckFailed"), false, false},
		{"a transaction that meets another", cancelled("TransactionConflict, None"), true, true},
		{"an answer that can't be read", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"SecretString": "` + plantedKey + `", ` + plantedKey))
		}, true, false},
		{"no answer in time", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the server notices only then that the client has gone
			<-r.Context().Done()
		}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := secrets(t, tracer, test.handler)
			ctx, trace := invocation(t.Context(), isSampled)
			limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			if _, err := get(limited, client); err == nil {
				t.Fatal("the call did not fail")
			}
			documents := xrayDaemon.Of(t, trace)
			if len(documents) != 1 || documents[0].InProgress || documents[0].Fault != test.fault || documents[0].Error != test.client {
				t.Fatalf("documents %v, want one that is closed, fault %v, error %v", tracingtest.Told(documents), test.fault, test.client)
			}
			if strings.Contains(documents[0].Raw, plantedKey) {
				t.Errorf("the document holds the secret: %s", documents[0].Raw)
			}
		})
	}
}

// A call outside an invocation, such as at the start of the process, works like any other.
func TestAWSCallOutsideAnInvocation(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"SecretString": "x"}`)) }
	ctx, trace := invocation(t.Context(), notSampled)
	refuse := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type": "ConditionalCheckFailedException"}`))
	}
	for name, c := range map[string]struct {
		tracer *tracing.Tracer
		ctx    context.Context
	}{
		"no header":       {tracer, t.Context()},
		"an empty header": {tracer, withHeader(t.Context(), "")},
		"not sampled":     {tracer, ctx},
		"tracing is off":  {nil, t.Context()},
	} {
		if _, err := get(c.ctx, secrets(t, c.tracer, answer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var refused smithy.APIError
		if _, err := get(c.ctx, secrets(t, c.tracer, refuse)); !errors.As(err, &refused) || refused.ErrorCode() != "ConditionalCheckFailedException" {
			t.Errorf("%s: a refused condition gives %v", name, err)
		}
	}
	if documents := xrayDaemon.Of(t, trace); len(documents) > 0 {
		t.Errorf("sent %v", tracingtest.Told(documents))
	}
}
