package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"thalas/internal/api/gateway"
)

// seen is what a handler sees of a request, whichever way it came.
type seen struct {
	Method, Path, EscapedPath, Host, Body string
	Query                                 map[string][]string
	Header                                http.Header
	Length                                int64
}

func seenOf(r *http.Request) seen {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	header := r.Header.Clone()
	header.Del("X-Request-Id")
	header.Del("Content-Length")
	return seen{r.Method, r.URL.Path, r.URL.EscapedPath(), r.Host, string(body), r.URL.Query(), header, r.ContentLength}
}

var (
	words      = rapid.StringOfN(rapid.RuneFrom([]rune("ab/%+&=?#;é€ \"\x01")), 1, 12, -1)
	visible    = rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	headerName = rapid.SampledFrom([]string{"Accept", "accept", "If-None-Match", "IDEMPOTENCY-KEY", "Cookie", "X-Forwarded-For"})
	bodies     = rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 50), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }))
)

// The same request over a wire and as an event is the same to the handler.
func TestRequestIsWhatNetHTTPWouldGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(words, 1, 4).Draw(t, "segments")
		path := ""
		for _, s := range segments {
			path += "/" + url.PathEscape(s)
		}
		query := url.Values(rapid.MapOfN(words, rapid.SliceOfN(words, 1, 3), 0, 3).Draw(t, "query"))
		body := bodies.Draw(t, "body")
		event := events.APIGatewayProxyRequest{
			HTTPMethod: "POST", Path: path, Resource: "/{proxy+}", PathParameters: map[string]string{"proxy": strings.Trim(path, "/")},
			MultiValueQueryStringParameters: query, MultiValueHeaders: map[string][]string{"Host": {"h.example"}},
			Headers: map[string]string{"x-api-key": "k"}, Body: string(body),
		}
		if !utf8.Valid(body) || rapid.Bool().Draw(t, "base64") {
			event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		sent, err := http.NewRequest(http.MethodPost, "http://h.example"+path+"?"+query.Encode(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		sent.Header.Set("User-Agent", "bot")
		event.MultiValueHeaders["user-agent"] = []string{"bot"}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			name, value := headerName.Draw(t, "name"), visible.Draw(t, "value")
			if sent.Header.Get(name) == "" { // the order of two spellings is not told by an event
				sent.Header.Set(name, value)
				event.MultiValueHeaders[name] = []string{value}
			}
		}
		var wire bytes.Buffer
		if err := sent.Write(&wire); err != nil {
			t.Fatal(err)
		}
		received, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Fatal(err)
		}
		want := seenOf(received)
		var got seen
		if _, err := gateway.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = seenOf(r) }), nil)(context.Background(), event); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-wire +event):\n%s", diff)
		}
	})
}

// The same handler answers over a wire and through an event alike.
func TestResponseIsWhatNetHTTPWouldSend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST"}).Draw(t, "method")
		status := rapid.SampledFrom([]int{0, 200, 201, 204, 304, 400, 404, 429, 500, 503}).Draw(t, "status")
		header := http.Header(rapid.MapOfN(rapid.SampledFrom([]string{"Etag", "Set-Cookie", "Content-Type", "Retry-After"}), rapid.SliceOfN(visible, 1, 2), 0, 3).Draw(t, "header"))
		chunks := rapid.SliceOfN(bodies, 0, 3).Draw(t, "chunks")
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, values := range header {
				w.Header()[name] = slices.Clone(values)
			}
			if status != 0 {
				w.WriteHeader(status)
			}
			for _, chunk := range chunks {
				_, _ = w.Write(chunk)
			}
		})
		recorded := httptest.NewRecorder()
		h(recorded, httptest.NewRequest(method, "/", nil))
		want := recorded.Result()
		wantBody := recorded.Body.String()
		if method == "HEAD" || status == 204 || status == 304 { // the recorder keeps it
			wantBody = ""
		}
		response, body := invoke(t, h, nil, events.APIGatewayProxyRequest{HTTPMethod: method, Path: "/"})
		if response.StatusCode != want.StatusCode || body != wantBody {
			t.Errorf("status %d, body %q, want %d, %q", response.StatusCode, body, want.StatusCode, wantBody)
		}
		for name, values := range header {
			if diff := cmp.Diff(values, response.MultiValueHeaders[name]); diff != "" {
				t.Errorf("header %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// Whatever event comes, there is a valid answer, the handler sees a usable request,
// and the API key shows nowhere but where the event itself repeats it.
func FuzzHandler(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no events: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"httpMethod":"GET","path":"/%","resource":"/{a+}/{b","isBase64Encoded":true,"body":"="}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var event events.APIGatewayProxyRequest
		if json.Unmarshal(text, &event) != nil {
			return // Lambda's runtime answers
		}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "" || r.URL.Path[0] != '/' || r.Header.Get("X-Api-Key") != "" || r.Header.Get("X-Request-Id") == "" {
				t.Errorf("request %q %v", r.URL.Path, r.Header)
			}
			if again, err := url.ParseRequestURI(r.RequestURI); err != nil || again.Path != r.URL.Path {
				t.Errorf("path %q from %q: %v", r.URL.Path, r.RequestURI, err)
			}
			http.DefaultServeMux.ServeHTTP(httptest.NewRecorder(), r) // routing it does not panic
			for name, values := range r.Header {
				w.Header()[name] = values
			}
			_, _ = io.Copy(w, r.Body)
		})
		response, err := gateway.Handler(h, nil)(context.Background(), event)
		if err != nil || response.StatusCode < 200 || response.StatusCode > 599 {
			t.Fatalf("status %d, error %v", response.StatusCode, err)
		}
		if _, err := json.Marshal(response); err != nil {
			t.Error(err)
		}
		if _, err := base64.StdEncoding.DecodeString(response.Body); response.IsBase64Encoded && err != nil {
			t.Error(err)
		}
		if !response.IsBase64Encoded && !utf8.ValidString(response.Body) {
			t.Errorf("body %q is sent as text", response.Body)
		}
	})
}
