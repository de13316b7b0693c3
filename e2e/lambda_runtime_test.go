//go:build unix

package e2e

// A Lambda runtime: the real bootstrap binary asks it for events, is frozen
// between them as a sandbox is, and has a deadline for each.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// bootstrap returns the path of the functions' program, which is built when first needed.
var bootstrap = sync.OnceValues(func() (string, error) {
	return buildFunction(filepath.Dir(binary), runtime.GOARCH)
})

// buildFunction builds the functions' program in a folder, as sam build does.
func buildFunction(folder, architecture string) (string, error) {
	command := exec.Command("make", "-C", "..", "build-ConsensusFunction", "GOARCH="+architecture, "ARTIFACTS_DIR="+folder, "VERSION=test")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build-ConsensusFunction: %w\n%s", err, output)
	}
	return filepath.Join(folder, "bootstrap"), nil
}

// invocation is one event on its way.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	answer   chan invoked
}

// invoked is what came of it.
type invoked struct {
	failed bool // the function gave an error instead of an answer
	body   []byte
}

// sandbox is a running function with its Runtime API.
type sandbox struct {
	process *os.Process
	log     *transcript
	ended   chan struct{}    // closed when the process has ended
	asked   chan struct{}    // is told each time that the function asks for an event
	events  chan *invocation // what it is given
	count   int              // of invocations
	current chan *invocation // the one that the function works on
}

const runtimePath = "/2018-06-01/runtime/invocation/"

// startSandbox starts a function. Its environment is env and what the runtime sets.
func startSandbox(t *testing.T, env ...string) *sandbox {
	t.Helper()
	program, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	s := &sandbox{log: newTranscript(), ended: make(chan struct{}), asked: make(chan struct{}, 1), events: make(chan *invocation), current: make(chan *invocation, 1)}
	api := httptest.NewServer(s)
	command := exec.CommandContext(t.Context(), program)
	command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=consensus",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
	}, env...)
	command.Stdout, command.Stderr, command.WaitDelay = s.log, s.log, time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command.Process
	go func() {
		_ = command.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.process.Kill()
		<-s.ended
		api.CloseClientConnections()
		api.Close()
		if t.Failed() {
			t.Logf("the function's log:\n%s", s.log)
		}
	})
	return s
}

// ServeHTTP is the Runtime API.
func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, runtimePath)
	if what == "next" {
		s.asked <- struct{}{}
		select {
		case i := <-s.events:
			s.current <- i
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-6b03c851-7a1f5c0e2b6d4938a0c1e2f3;Parent=53995c3f42cd8ad8;Sampled=0")
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:thalas")
			_, _ = w.Write(i.event)
		case <-r.Context().Done():
		}
		return
	}
	i := <-s.current
	id, kind, _ := strings.Cut(what, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil || id != i.id {
		kind = "error"
	}
	w.WriteHeader(http.StatusAccepted)
	i.answer <- invoked{kind != "response", body}
}

// ready waits until the function asks for an event.
func (s *sandbox) ready(t *testing.T) {
	t.Helper()
	select {
	case <-s.asked:
	case <-s.ended:
		t.Fatalf("the function has ended:\n%s", s.log)
	case <-time.After(guard):
		t.Fatal("the function does not ask for an event")
	}
}

// freeze stops the process, which waits for an event, as Lambda does; thaw lets it go on.
func (s *sandbox) freeze(t *testing.T) { s.signal(t, syscall.SIGSTOP) }
func (s *sandbox) thaw(t *testing.T)   { s.signal(t, syscall.SIGCONT) }

func (s *sandbox) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// invoke gives the waiting function a request and returns when it has answered.
func (s *sandbox) invoke(t *testing.T, method, path, body string, within time.Duration) events.APIGatewayProxyResponse {
	t.Helper()
	answer, err := s.try(method, path, body, within)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

func (s *sandbox) try(method, path, body string, within time.Duration) (answer events.APIGatewayProxyResponse, err error) {
	s.count++
	path, query, _ := strings.Cut(path, "?")
	request := events.APIGatewayProxyRequest{
		Resource: path, Path: path, HTTPMethod: method, Body: body,
		MultiValueHeaders: map[string][]string{"Content-Type": {"application/json"}, "Host": {"a1b2.execute-api.eu-central-1.amazonaws.com"}},
	}
	if name, value, found := strings.Cut(query, "="); found {
		request.MultiValueQueryStringParameters = map[string][]string{name: {value}}
	}
	request.RequestContext.RequestID = fmt.Sprintf("request-%d", s.count)
	request.RequestContext.Identity.APIKeyID = "key-1"
	event, err := json.Marshal(request)
	if err != nil {
		return answer, err
	}
	i := &invocation{id: fmt.Sprintf("invocation-%d", s.count), event: event, deadline: time.Now().Add(within), answer: make(chan invoked, 1)}
	select {
	case s.events <- i:
	case <-s.ended:
		return answer, errors.New("the function has ended")
	}
	select {
	case got := <-i.answer:
		if got.failed {
			return answer, fmt.Errorf("the function failed: %s", got.body)
		}
		return answer, json.Unmarshal(got.body, &answer)
	case <-s.ended:
		return answer, errors.New("the function has ended")
	case <-time.After(time.Until(i.deadline)):
		return answer, errors.New("no answer before the deadline")
	}
}
