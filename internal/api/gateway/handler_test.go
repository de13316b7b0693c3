package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"thalas/internal/api/gateway"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// planted is the API key in the events of testdata.
const planted = "planted-test-key-of-the-gateway"

// readEvent reads an event of testdata as Lambda's runtime does.
func readEvent(t testing.TB, name string) events.APIGatewayProxyRequest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event events.APIGatewayProxyRequest
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	return event
}

// failer is a test or a property.
type failer interface {
	Helper()
	Fatal(...any)
}

// invoke answers an event and gives the body decoded.
func invoke(t failer, h http.HandlerFunc, log *slog.Logger, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, string) {
	t.Helper()
	response, err := gateway.Handler(h, log)(context.Background(), event)
	if err != nil {
		t.Fatal(err)
	}
	body := response.Body
	if response.IsBase64Encoded {
		raw, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(raw)
	}
	return response, body
}

// problemOf reads a refusal and checks what all refusals have.
func problemOf(t testing.TB, response events.APIGatewayProxyResponse) map[string]any {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal([]byte(response.Body), &p); err != nil {
		t.Fatalf("body %q: %v", response.Body, err)
	}
	header := http.Header(response.MultiValueHeaders)
	if header.Get("Content-Type") != "application/problem+json" || header.Get("Cache-Control") != "no-store" ||
		header.Get("X-Request-Id") == "" || p["request_id"] != header.Get("X-Request-Id") || p["status"] != float64(response.StatusCode) {
		t.Errorf("status %d, headers %v, body %v", response.StatusCode, header, p)
	}
	return p
}

// dump shows everything that a handler sees of a request.
func dump(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s\npath: %s\nhost: %s\nfrom: %s\ncaller: %s\n", r.Method, r.RequestURI, r.Proto, r.URL.Path, r.Host, r.RemoteAddr, gateway.CallerFrom(r.Context()))
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		fmt.Fprintf(w, "query %s: %q\n", name, query[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(w, "header %s: %q\n", name, r.Header[name])
	}
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "body of %d bytes: %s %v\n", r.ContentLength, body, err)
}

func TestRequestsOfRealEvents(t *testing.T) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			_, got := invoke(t, dump, nil, readEvent(t, name))
			if strings.Contains(got, planted) {
				t.Errorf("the handler sees the API key:\n%s", got)
			}
			golden := filepath.Join("testdata", "requests", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRoutesWithEscapedIDs(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/consensus/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) })
	if _, id := invoke(t, mux.ServeHTTP, nil, readEvent(t, "show_escaped")); id != "019ab10f/6b62 €" {
		t.Errorf("id %q", id)
	}
}

func TestPath(t *testing.T) {
	greedy := map[string]string{"proxy": "v1/x"}
	tests := []struct {
		name, path, resource, context string
		parameters                    map[string]string
		want                          string
	}{
		{name: "as it is", path: "/v1/health", resource: "/v1/health", want: "/v1/health"},
		{name: "trailing slash", path: "/v1/health/", resource: "/v1/health", want: "/v1/health/"},
		{name: "base path", path: "/a/b/v1/health", resource: "/v1/health", want: "/v1/health"},
		{name: "base path like the route", path: "/v1/v1/x", resource: "/v1/{id}", want: "/v1/x"},
		{name: "base path alone", path: "/base", resource: "/", want: "/"},
		{name: "base path alone with slash", path: "/base/", resource: "/", want: "/"},
		{name: "base path that must be unescaped to be known", path: "/b%20c/v1/%68ealth", resource: "/v1/health", want: "/v1/%68ealth"},
		{name: "root", path: "/", resource: "/", want: "/"},
		{name: "greedy", path: "/v1/x", resource: "/{proxy+}", parameters: greedy, want: "/v1/x"},
		{name: "greedy under a base path", path: "/base/v1/x/", resource: "/{proxy+}", parameters: greedy, want: "/v1/x/"},
		{name: "greedy below a segment", path: "/base/api/v1/x", resource: "/api/{proxy+}", parameters: greedy, want: "/api/v1/x"},
		{name: "greedy without its value", path: "/base/v1/x", resource: "/{proxy+}", want: "/base/v1/x"},
		{name: "another resource", path: "/v2/other", resource: "/v1/health", want: "/v2/other"},
		{name: "path that is too short", path: "/v1", resource: "/v1/health", want: "/v1"},
		{name: "no resource", path: "/stage/v1", want: "/stage/v1"},
		{name: "no slash in front", path: "v1/health", want: "/v1/health"},
		{name: "two slashes", path: "//v1//health", resource: "/v1/health", want: "//v1//health"},
		{name: "decoded by the sender", path: "/v1/a b?c#d%zz€", want: "/v1/a%20b%3Fc%23d%25zz%E2%82%AC"},
		{name: "no path", context: "/prod/v1/health", resource: "/v1/health", want: "/v1/health"},
		{name: "no path and no stage in it", context: "/production/v1", want: "/production/v1"},
		{name: "nothing at all", want: "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			event := events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: tt.path, Resource: tt.resource, PathParameters: tt.parameters}
			event.RequestContext.Path, event.RequestContext.Stage = tt.context, "prod"
			_, got := invoke(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.EscapedPath()) }, nil, event)
			if got != tt.want {
				t.Errorf("path %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRootWithoutItsSlash(t *testing.T) {
	for _, tt := range []struct{ name, method, resource, path, want string }{
		{"stage", "GET", "/", "/dev", "./dev/?a=b+c"},
		{"base path of segments", "GET", "/", "/a/b", "./b/?a=b+c"},
		{"no other host", "GET", "/", "//evil.example", "./evil.example/?a=b+c"},
		{"with its slash", "GET", "/", "/dev/", ""},
		{"own domain", "GET", "/", "/", ""},
		{"unknown", "GET", "/", "", ""},
		{"other method", "POST", "/", "/dev", ""},
		{"other resource", "GET", "/v1/health", "/dev/v1/health", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := events.APIGatewayProxyRequest{HTTPMethod: tt.method, Path: "/", Resource: tt.resource, QueryStringParameters: map[string]string{"a": "b c"}}
			event.RequestContext.Path, event.RequestContext.Stage, event.RequestContext.RequestID = tt.path, "dev", "the-id"
			response, _ := invoke(t, dump, nil, event)
			header := http.Header(response.MultiValueHeaders)
			if got := header.Get("Location"); got != tt.want || (response.StatusCode == http.StatusPermanentRedirect) != (tt.want != "") {
				t.Errorf("status %d, Location %q, want %q", response.StatusCode, got, tt.want)
			}
		})
	}
}

func TestHeadersAndQueriesOfBothMaps(t *testing.T) {
	event := events.APIGatewayProxyRequest{
		HTTPMethod: "GET", Path: "/",
		Headers:                         map[string]string{"ACCEPT": "text/plain", "x-only": "single", "x-empty": "filled"},
		MultiValueHeaders:               map[string][]string{"accept": {"text/csv", "text/html"}, "Accept": {"a/b"}, "X-Empty": {}},
		QueryStringParameters:           map[string]string{"pair": "single", "only": "single", "empty": "filled"},
		MultiValueQueryStringParameters: map[string][]string{"pair": {"a", "b"}, "empty": nil},
	}
	var header http.Header
	var query map[string][]string
	invoke(t, func(_ http.ResponseWriter, r *http.Request) { header, query = r.Header, r.URL.Query() }, nil, event)
	delete(header, "X-Request-Id")
	wantHeader := http.Header{"Accept": {"a/b", "text/csv", "text/html"}, "X-Only": {"single"}, "X-Empty": {"filled"}}
	wantQuery := map[string][]string{"pair": {"a", "b"}, "only": {"single"}, "empty": {"filled"}}
	if diff := cmp.Diff([]any{wantHeader, wantQuery}, []any{header, query}); diff != "" {
		t.Errorf("headers and query (-want +got):\n%s", diff)
	}
}

func TestRequestID(t *testing.T) {
	lambda := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "of-the-invocation"})
	tests := []struct {
		name, id string
		ctx      context.Context
		want     string
	}{
		{"of API Gateway", "of-the-gateway", lambda, "of-the-gateway"},
		{"of Lambda", "", lambda, "of-the-invocation"},
		{"not plain", "a\nb", lambda, "of-the-invocation"},
		{"made here", "", context.Background(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			event := readEvent(t, "ask")
			event.RequestContext.RequestID = tt.id
			var seen string
			h := func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("X-Request-Id"); panic("late") }
			response, err := gateway.Handler(http.HandlerFunc(h), nil)(tt.ctx, event)
			if err != nil {
				t.Fatal(err)
			}
			if p := problemOf(t, response); p["request_id"] != seen || seen == "" || (tt.want != "" && seen != tt.want) || seen == "chosen-by-the-client" {
				t.Errorf("the handler sees %q, the answer has %q, want %q", seen, p["request_id"], tt.want)
			}
		})
	}
}

func TestContext(t *testing.T) {
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	var inside context.Context
	h := gateway.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside = r.Context()
		if got, ok := inside.Deadline(); !ok || !got.Equal(deadline) || inside.Err() != nil {
			t.Errorf("deadline %s, error %v", got, inside.Err())
		}
	}), nil)
	if _, err := h(ctx, readEvent(t, "ask")); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inside.Err(), context.Canceled) {
		t.Error("the context goes on after the answer")
	}
	if caller := gateway.CallerFrom(context.Background()); caller != "" {
		t.Errorf("caller %q of another context", caller)
	}
}

func TestEventsThatAreNoRequest(t *testing.T) {
	tests := []struct {
		name, event, problem string
	}{
		{"a schedule", `{"version":"0","detail-type":"Scheduled Event","source":"aws.events"}`, "/problems/unreadable-event"},
		{"an HTTP API", `{"version":"2.0","rawPath":"/v1/health","requestContext":{"http":{"method":"GET"}}}`, "/problems/unreadable-event"},
		{"broken base64", `{"httpMethod":"POST","path":"/v1/consensus","body":"{\"pair\":1}","isBase64Encoded":true}`, "/problems/unreadable-body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var event events.APIGatewayProxyRequest
			if err := json.Unmarshal([]byte(tt.event), &event); err != nil {
				t.Fatal(err)
			}
			response, _ := invoke(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler is asked") }, nil, event)
			if p := problemOf(t, response); p["type"] != tt.problem || response.StatusCode != http.StatusBadRequest {
				t.Errorf("answer %v", p)
			}
		})
	}
}

func TestLongPathsAreCut(t *testing.T) {
	event := readEvent(t, "ask")
	event.Path, event.Body, event.IsBase64Encoded = "/v1/"+strings.Repeat("x", 5000), "?", true
	response, _ := invoke(t, dump, nil, event)
	if p := problemOf(t, response); p["instance"] != "/v1/"+strings.Repeat("x", 296)+"…" {
		t.Errorf("instance %q", p["instance"])
	}
}

func TestPanics(t *testing.T) {
	for _, cause := range []any{"no such thing", http.ErrAbortHandler, errors.New("nil map"), http.StatusTeapot} {
		t.Run(fmt.Sprint(cause), func(t *testing.T) {
			var log bytes.Buffer
			h := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Etag", `"half"`)
				_, _ = io.WriteString(w, `{"decision":"BUY"`)
				panic(cause)
			}
			response, body := invoke(t, h, slog.New(slog.NewTextHandler(&log, nil)), readEvent(t, "ask"))
			p := problemOf(t, response)
			if response.StatusCode != http.StatusInternalServerError || p["type"] != "/problems/internal-error" || p["instance"] != "/v1/consensus" ||
				strings.Contains(body, "BUY") || response.MultiValueHeaders["Etag"] != nil || strings.Contains(body, fmt.Sprint(cause)) {
				t.Errorf("answer %v %s", response.MultiValueHeaders, body)
			}
			if text := log.String(); !strings.Contains(text, "request_id=c0ffee00-7910-41e6-8f14-25afc3e9ae33") || strings.Contains(text, planted) || strings.Contains(text, "market_data") ||
				(cause != http.ErrAbortHandler) != strings.Contains(text, "handler_test.go") {
				t.Errorf("log:\n%s", text)
			}
		})
	}
}
