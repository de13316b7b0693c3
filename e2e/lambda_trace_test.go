//go:build unix

package e2e

// The trace of an invocation: what the function sends to the X-Ray daemon before
// it answers.

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/tracing/tracingtest"
)

// parentSegment is the invocation's own segment, which Lambda sends.
const parentSegment = "53995c3f42cd8ad8"

// traceOf is the trace of the nth invocation of a traced function.
func traceOf(n int) string { return fmt.Sprintf("1-6922d0a5-%024x", n) }

// withTrace samples the invocations that pass through it.
type withTrace struct{ http.ResponseWriter }

func (w withTrace) Write(p []byte) (int, error) {
	var n int
	if _, err := fmt.Sscanf(w.Header().Get("Lambda-Runtime-Aws-Request-Id"), "invocation-%d", &n); err == nil {
		w.Header().Set("Lambda-Runtime-Trace-Id", "Root="+traceOf(n)+";Parent="+parentSegment+";Sampled=1;Lineage=1:6a2b3c4d:0")
	}
	return w.ResponseWriter.Write(p)
}

// traced starts the function with a daemon, behind a Runtime API that samples.
func (c *cloud) traced(t *testing.T) (*sandbox, *tracingtest.Daemon) {
	t.Helper()
	daemon, err := tracingtest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Close() })
	started := make(chan struct{})
	var s *sandbox
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-started
		s.ServeHTTP(withTrace{w}, r)
	}))
	s = startSandbox(t, append(c.env, "PROVIDER_KEYS_SECRET_ID=thalas/keys",
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(front.URL, "http://"), "AWS_XRAY_DAEMON_ADDRESS="+daemon.Address())...)
	t.Cleanup(func() { // before the one of the sandbox, whose connections are these
		_ = s.process.Kill()
		<-s.ended
		front.CloseClientConnections()
		front.Close()
	})
	close(started)
	s.ready(t)
	return s, daemon
}

// told gives the documents of a trace, the AWS calls by their operation, after it
// has looked at what every document has to be.
func told(t *testing.T, documents []tracingtest.Document) []string {
	t.Helper()
	lines := make([]string, len(documents))
	for i, d := range documents {
		if d.ParentID != parentSegment || d.Type != "subsegment" || d.InProgress || d.EndTime < d.StartTime {
			t.Errorf("%s does not hang below the invocation, closed: %s", d.Name, d.Raw)
		}
		if strings.Contains(d.Raw, lambdaKey) || strings.Contains(d.Raw, "RSI") {
			t.Errorf("%s holds a key or a text of a model: %s", d.Name, d.Raw)
		}
		lines[i] = d.String()
		if d.Namespace == "aws" {
			lines[i] = strings.Replace(lines[i], d.Name, fmt.Sprint(d.AWS["operation"]), 1)
		} else if d.Name != "vote" && (d.Annotations["provider"] != d.Name || d.Annotations["model"] == "" || d.Namespace != "remote") {
			t.Errorf("%s is not annotated: %s", d.Name, d.Raw)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestLambdaTrace(t *testing.T) {
	engine := dynamoDB(t)
	t.Run("each attempt, the vote and the AWS calls", func(t *testing.T) {
		c := newCloud(t, engine, "openai=server_error;gemini=wrong_key*")
		s, daemon := c.traced(t)
		first := s.decide(t, lambdaTime)
		s.ready(t)
		second := s.decide(t, lambdaTime)
		s.ready(t)
		want := []string{
			"GetSecretValue", "TransactWriteItems", "UpdateItem", "UpdateItem", "UpdateItem", // the keys, the result, its counters, the budget before and after
			"anthropic 1 vote", "gemini 1 authentication +error", "openai 1 provider +fault", "openai 2 vote", "vote " + string(first.Decision),
		}
		if diff := cmp.Diff(want, told(t, daemon.Of(t, traceOf(1)))); diff != "" {
			t.Errorf("the first invocation (-want +got):\n%s", diff)
		}
		want = []string{"TransactWriteItems", "UpdateItem", "UpdateItem", "UpdateItem", "anthropic 1 vote", "openai 1 vote", "vote " + string(second.Decision)}
		if diff := cmp.Diff(want, told(t, daemon.Of(t, traceOf(2)))); diff != "" {
			t.Errorf("the second invocation (-want +got):\n%s", diff)
		}
	})

	// Its subsegment is closed in time, and so is the rest of the trace.
	t.Run("a provider that hangs", func(t *testing.T) {
		c := newCloud(t, engine, "gemini=hang*")
		s, daemon := c.traced(t)
		began := time.Now()
		result := s.decide(t, 4*time.Second) // fails where the answer comes later
		s.ready(t)
		if len(result.Responses) != 2 || len(result.Failures) != 1 || result.Failures[0].Error != signal.FailureTimeout {
			t.Errorf("votes %+v, failures %+v", result.Responses, result.Failures)
		}
		documents := daemon.Of(t, traceOf(1))
		want := []string{"GetSecretValue", "TransactWriteItems", "UpdateItem", "UpdateItem", "UpdateItem",
			"anthropic 1 vote", "gemini 1 timeout +fault", "openai 1 vote", "vote " + string(result.Decision)}
		if diff := cmp.Diff(want, told(t, documents)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, d := range documents {
			if at := time.UnixMicro(int64(d.EndTime * 1e6)); at.Before(began) || at.After(time.Now()) {
				t.Errorf("%s ended at %s, outside its invocation", d.Name, at)
			}
		}
	})

	// The write that the table refuses for its condition is a normal outcome, no fault.
	t.Run("a budget that is used up", func(t *testing.T) {
		c := newCloud(t, engine, "")
		s, daemon := c.traced(t)
		day := time.Now().UTC()
		for _, d := range []time.Time{day, day.Add(time.Minute)} { // the minute may be of the next day
			if err := c.store.Settle(t.Context(), store.Lease{Key: "budget#" + d.Format(time.DateOnly), ExpiresAt: d.Add(time.Hour)}, 9_999_999); err != nil {
				t.Fatal(err)
			}
		}
		if answer := s.invoke(t, http.MethodPost, "/v1/consensus", lambdaQuestion, lambdaTime); answer.StatusCode != http.StatusTooManyRequests {
			t.Errorf("status %d: %s", answer.StatusCode, answer.Body)
		}
		s.ready(t)
		want := []string{"GetSecretValue", "UpdateItem condition_failed"}
		if diff := cmp.Diff(want, told(t, daemon.Of(t, traceOf(1)))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
