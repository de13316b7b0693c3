package tracing_test

// Tests of the environment. They run this test binary again as a child, since the SDK reads its
// variables before any code of ours runs.

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/tracing"
	"thalas/internal/tracing/tracingtest"
)

// childVariable says what a child does: "run" makes traces, "serve" is a Lambda function.
const childVariable = "TRACING_TEST_CHILD"

func child() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if os.Getenv("LOG_LEVEL") == "DEBUG" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	t, err := tracing.New(log)
	switch {
	case err != nil && t == nil:
		fmt.Fprintln(os.Stderr, "refused:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "a Tracer and an error:", err)
	case t == nil:
		fmt.Fprintln(os.Stderr, "off")
	default:
		fmt.Fprintln(os.Stderr, "on")
	}
	if os.Getenv(childVariable) == "serve" {
		lambda.Start(func(ctx context.Context) error { trace(ctx, t); return nil })
	}
	trace(context.Background(), t)
	trace(withHeader(context.Background(), os.Getenv("TRACE_HEADER")), t)
	fmt.Fprintln(os.Stderr, "daemon:", os.Getenv("AWS_XRAY_DAEMON_ADDRESS"))
}

// trace makes an attempt, a vote and an AWS call several times, since only the second packet
// shows that the daemon does not listen.
func trace(ctx context.Context, t *tracing.Tracer) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"SecretString": "x"}`))
	}))
	defer server.Close()
	cfg := awsConfig(server.URL)
	t.Instrument(&cfg)
	client := secretsmanager.NewFromConfig(cfg)
	for i := range 3 {
		_, end := t.Attempt(ctx, "anthropic", "claude", i+1)
		end(&provider.Error{Kind: signal.FailureTimeout})
		t.Vote(ctx)(signal.Buy)
		if _, err := get(ctx, client); err != nil {
			fmt.Fprintln(os.Stderr, "AWS call:", err)
		}
	}
}

// execute runs a child with only these variables.
func execute(t *testing.T, variables ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	// Otherwise a child with the race detector sleeps for a second at its end, and one that
	// measures coverage writes to standard error.
	cmd.Env = append(slices.Clone(variables), childVariable+"=run", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR="+t.TempDir())
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := cmd.Run(); failed != nil {
		t.Fatalf("the child ended by %v:\n%s%s", failed, out.String(), err.String())
	}
	return out.String(), err.String()
}

const onLambda = "AWS_LAMBDA_FUNCTION_NAME=consensus"

func TestProcess(t *testing.T) {
	ctx, trace := invocation(t.Context(), isSampled)
	sampledHeader := "TRACE_HEADER=" + ctx.Value(headerKey).(string)
	listening := "AWS_XRAY_DAEMON_ADDRESS=" + xrayDaemon.Address()
	closed, err := tracingtest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	nobody := "AWS_XRAY_DAEMON_ADDRESS=" + closed.Address()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		variables []string
		stderr    string // its beginning, up to the value of the variable
		sent      int
	}{
		{"on Lambda", []string{onLambda, listening}, "on\n", 9},
		{"outside Lambda", []string{listening}, "off\n", 0},
		{"no daemon", []string{onLambda}, "off\n", 0},
		{"nobody listens", []string{onLambda, nobody}, "on\n", 0},
		{"switched off", []string{onLambda, listening, "AWS_XRAY_SDK_DISABLED=TRUE"}, "off\n", 0},
		{"panic wanted without an invocation", []string{onLambda, listening, "AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR"}, "on\n", 9},
		{"log wanted without an invocation", []string{onLambda, listening, "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR"}, "on\n", 9},
		{"nonsense wanted without an invocation", []string{onLambda, listening, "AWS_XRAY_CONTEXT_MISSING=nonsense"}, "on\n", 9},
		{"both protocols", []string{onLambda, "AWS_XRAY_DAEMON_ADDRESS=tcp:127.0.0.1:1 udp:" + xrayDaemon.Address()}, "on\n", 9},
	}
	before := 0
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr := execute(t, append(test.variables, sampledHeader)...)
			if stdout != "" {
				t.Errorf("standard output %q, want nothing", stdout)
			}
			said, _, _ := strings.Cut(stderr, "daemon: ")
			if said != test.stderr {
				t.Errorf("said %q, want %q", said, test.stderr)
			}
			documents := xrayDaemon.Of(t, trace)
			if got := len(documents) - before; got != test.sent {
				t.Errorf("sent %d documents, want %d", got, test.sent)
			}
			before = len(documents)
		})
	}
	t.Run("nobody listens, at DEBUG", func(t *testing.T) {
		stdout, stderr := execute(t, onLambda, nobody, sampledHeader, "LOG_LEVEL=DEBUG")
		if stdout != "" || !strings.Contains(stderr, "level=DEBUG") || !strings.Contains(stderr, "connection refused") {
			t.Errorf("standard output %q, log %q, want the refused connection in the log", stdout, stderr)
		}
	})
}

// With each of these but the last, the packages of the SDK would panic at their initialization.
// They would look up the last one.
func TestMalformedDaemonAddress(t *testing.T) {
	for _, address := range []string{
		"nonsense", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999", "127.0.0.1:2000 nonsense", "a b c", " ",
		"udp:127.0.0.1:2000", "[::1]:2000", "no-such-host.invalid:2000", "localhost:2000",
	} {
		t.Run(address, func(t *testing.T) {
			variable := "AWS_XRAY_DAEMON_ADDRESS=" + address
			stdout, stderr := execute(t, onLambda, variable)
			if stdout != "" {
				t.Errorf("standard output %q, want nothing", stdout)
			}
			said, left, _ := strings.Cut(stderr, "daemon: ")
			if !strings.HasPrefix(said, "refused: AWS_XRAY_DAEMON_ADDRESS: ") || strings.Count(said, "\n") != 1 ||
				!strings.HasSuffix(said, "nothing is traced; want an address like 169.254.100.1:2000\n") {
				t.Errorf("said %q", said)
			}
			if left != address+"\n" {
				t.Errorf("the variable holds %q in the end, want it untouched", left)
			}
			if stdout, stderr := execute(t, variable); stdout != "" || stderr != "off\n"+"daemon: "+address+"\n" {
				t.Errorf("outside Lambda: standard output %q, standard error %q, want it off", stdout, stderr)
			}
		})
	}
}

// The loop of the Lambda runtime passes the header as this package expects it.
func TestTraceOfALambdaFunction(t *testing.T) {
	ctx, trace := invocation(t.Context(), isSampled)
	answered := make(chan string, 1)
	asked := false
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/invocation/next") && !asked:
			asked = true
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:consensus")
			w.Header().Set("Lambda-Runtime-Trace-Id", ctx.Value(headerKey).(string))
			_, _ = w.Write([]byte(`{}`))
		case strings.HasSuffix(r.URL.Path, "/invocation/next"):
			<-r.Context().Done() // until the child is ended
		default:
			answered <- r.URL.Path
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer api.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{onLambda, "AWS_XRAY_DAEMON_ADDRESS=" + xrayDaemon.Address(), childVariable + "=serve",
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case path := <-answered:
		if !strings.HasSuffix(path, "/invocation/request-1/response") {
			t.Errorf("the function answered to %s", path)
		}
	case <-t.Context().Done():
	}
	documents := xrayDaemon.Of(t, trace)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if len(documents) != 9 || stdout.Len() > 0 {
		t.Errorf("documents %v, standard output %q, want 9 and nothing", tracingtest.Told(documents), stdout.String())
	}
	for _, d := range documents {
		if d.ParentID != parent {
			t.Errorf("%s hangs below %s, want the invocation %s", d.Name, d.ParentID, parent)
		}
	}
}
