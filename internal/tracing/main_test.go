package tracing_test

// Shared by the tests: the daemon, the Tracer, and invocations like those of the Lambda
// runtime.

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"thalas/internal/orchestrator"
	"thalas/internal/tracing"
	"thalas/internal/tracing/tracingtest"
)

var (
	xrayDaemon *tracingtest.Daemon
	tracer     *tracing.Tracer
)

var _ orchestrator.Tracer = tracer

// The SDK is configured once in a process, so all tests share it. Tests with another environment
// run a child process. goleak ignores nothing, since the SDK starts no goroutine.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		os.Exit(0)
	}
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func start() (err error) {
	if xrayDaemon, err = tracingtest.Listen(); err != nil {
		return err
	}
	for name, value := range map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "consensus", "AWS_XRAY_DAEMON_ADDRESS": xrayDaemon.Address()} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	tracer, err = tracing.New(slog.New(slog.DiscardHandler))
	return err
}

const (
	parent     = "53995c3f42cd8ad8"
	notSampled = "Sampled=0"
	isSampled  = "Sampled=1"
)

// headerKey is the key in the context under which the Lambda runtime puts the trace header.
const headerKey = "x-amzn-trace-id"

// invocation gives the context of a request and the id of its trace.
func invocation(ctx context.Context, sampling string) (context.Context, string) {
	id := make([]byte, 12)
	_, _ = rand.Read(id)
	trace := fmt.Sprintf("1-6922d0a5-%x", id)
	return withHeader(ctx, "Root="+trace+";Parent="+parent+";"+sampling+";Lineage=1:6a2b3c4d:0"), trace
}

func withHeader(ctx context.Context, header string) context.Context {
	return withValue(ctx, header)
}

func withValue(ctx context.Context, value any) context.Context {
	//lint:ignore SA1029 the runtime's key is a plain string
	return context.WithValue(ctx, headerKey, value)
}
