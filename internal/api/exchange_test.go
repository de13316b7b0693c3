package api_test

// What all answers have in common, whatever the route.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"thalas/internal/api"
	"thalas/internal/provider"
	"thalas/internal/service"
)

// Editors and shells on Windows put a byte order mark before a file. It is not a part of the
// question: with the same key, the question with it and without it is paid once.
func TestByteOrderMark(t *testing.T) {
	f := newServer(t, setup{})
	plain := f.post(t, "/v1/consensus", goodBody, "Idempotency-Key", "k").want(t, 200)
	marked := f.post(t, "/v1/consensus", "\ufeff"+goodBody, "Idempotency-Key", "k").want(t, 200)
	if marked.header.Get("Idempotency-Replayed") != "true" || plain.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("replayed: %q and %q", plain.header.Get("Idempotency-Replayed"), marked.header.Get("Idempotency-Replayed"))
	}
	f.post(t, compatPath, "\ufeff"+goodBody).want(t, 200)
	f.post(t, "/v1/replay", "\ufeff"+`{"pair":"BTC/USDT"}`).want(t, 200)
}

func TestRequestID(t *testing.T) {
	f := newServer(t, setup{})
	for _, tt := range []struct {
		name, sent string
		kept       bool
	}{
		{"a token", "bot-7.2026:a_B", true}, {"a trace id", "1-67891233-abcdef012345678912345678", true}, {"128 characters", strings.Repeat("a", 128), true},
		{"none", "", false}, {"129 characters", strings.Repeat("a", 129), false}, {"a space", "a b", false}, {"a quote", `a"b`, false}, {"not ASCII", "é", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/v1/health", "/nothing", "/openapi.json", "/v1/consensus?limit=0"} {
				got := f.get(t, path, "X-Request-Id", tt.sent).header.Get("X-Request-Id")
				if (got == tt.sent) != tt.kept || got == "" {
					t.Errorf("%s: id %q for %q", path, got, tt.sent)
				}
			}
		})
	}
	f.get(t, "/nothing", "X-Request-Id", "findme")
	if !strings.Contains(f.log.String(), "request_id=findme problem=unknown-route status=404") {
		t.Error("the refusal is not in the log with its id")
	}
	f.post(t, "/v1/consensus", goodBody, "X-Request-Id", "findrun").want(t, 200)
	if !strings.Contains(f.log.String(), "request_id=findrun run=") {
		t.Error("the log does not tie the request to its run")
	}
}

func TestMethodsAndPaths(t *testing.T) {
	f := newServer(t, setup{})
	for _, tt := range []struct {
		method, path, allow string
	}{
		{"DELETE", "/v1/consensus", "GET, HEAD, POST"}, {"POST", "/v1/consensus/latest", "GET, HEAD"}, {"PUT", "/v1/health", "GET, HEAD"}, {"GET", "/v1/consensus/a/b", ""},
	} {
		r := f.send(t, tt.method, tt.path, "")
		if tt.allow == "" {
			r.problem(t, 404, "unknown-route")
			continue
		}
		r.problem(t, 405, "method-not-allowed")
		if got := r.header.Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.path, got, tt.allow)
		}
	}
	f.get(t, "/v1//health").problem(t, 404, "unknown-route")
	f.get(t, "/v1/consensus/../health").want(t, 404)
	f.get(t, "/docs").problem(t, 404, "unknown-route") // only where it is asked for
	f.get(t, "/v1/consensus/nothing").problem(t, 404, "unknown-id")
	f.get(t, "/v1/consensus/019ab10f-6b62-7cc0-8000-5a3c0a1f9e21").problem(t, 404, "unknown-id")
}

func TestHead(t *testing.T) {
	f := newServer(t, setup{})
	id := f.post(t, "/v1/consensus", goodBody).want(t, 200).object(t)["id"].(string)
	for _, path := range []string{"/v1/health", "/v1/metrics", "/v1/consensus", "/v1/consensus/" + id, "/v1/consensus/latest?pair=BTC/USDT", "/openapi.json"} {
		get, head := f.get(t, path).want(t, 200), f.send(t, "HEAD", path, "").want(t, 200)
		if len(head.body) > 0 || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("%s: HEAD has %d bytes and headers %v, GET %v", path, len(head.body), head.header, get.header)
		}
	}
}

func TestNothingOfTheLibraryShows(t *testing.T) {
	f := newServer(t, setup{})
	for _, r := range []reply{f.post(t, "/v1/consensus", goodBody), f.get(t, "/v1/health"), f.get(t, "/v1/metrics")} {
		if strings.Contains(string(r.body), "$schema") || r.header.Get("Link") != "" {
			t.Errorf("headers %v, body %.100s", r.header, r.body)
		}
	}
	for _, path := range []string{"/schemas/Consensus.json", "/openapi-3.0.json"} {
		f.get(t, path).want(t, 404)
	}
	if got := f.get(t, "/v1/health", "Accept", "json").header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Accept: json is answered as %q", got)
	}
	if got := f.get(t, "/v1/consensus?limit=0", "Accept", "json").header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Accept: json is refused as %q", got)
	}
}

// No browser takes an answer for a page or a script, keeps it, or shows it to a page of
// another origin.
func TestAnswersAreNothingForBrowsers(t *testing.T) {
	f := newServer(t, setup{})
	id := f.post(t, "/v1/consensus", goodBody, "Origin", f.URL).want(t, 200).object(t)["id"].(string)
	for _, path := range []string{"/v1/consensus/" + id, "/v1/consensus", "/v1/health", "/v1/metrics", "/v1/consensus?limit=0", "/nothing", compatPath, "/openapi.json"} {
		for _, accept := range []string{"application/json", "text/csv", "text/html"} {
			r := f.get(t, path, "Accept", accept, "Origin", "https://example.com")
			if r.header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(r.header.Get("Content-Type"), "html") || strings.Contains(r.header.Get("Cache-Control"), "public") {
				t.Errorf("%s as %s: headers %v", path, accept, r.header)
			}
			for name := range r.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s as %s: header %s lets pages of other origins read it", path, accept, name)
				}
			}
		}
	}
}

func TestPanic(t *testing.T) {
	f := newServer(t, setup{wrap: func(p provider.Provider) provider.Provider { return badModel{p} }})
	for _, path := range []string{"/v1/health", compatPath} {
		r := f.get(t, path, "X-Request-Id", "boom").want(t, 500)
		if strings.Contains(string(r.body), "planted") || !strings.Contains(string(r.body), "boom") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	f.get(t, "/v1/health").problem(t, 500, "internal-error")
	if log := f.log.String(); !strings.Contains(log, `panic="planted: secret"`) || !strings.Contains(log, "stack=") || !strings.Contains(log, "request_id=boom") {
		t.Errorf("log: %s", log)
	}
	f.get(t, "/v1/consensus").want(t, 200)
}

// badModel panics when health reads its model.
type badModel struct{ provider.Provider }

func (m badModel) Model() string { panic("planted: secret") }

func TestKeys(t *testing.T) {
	f := newServer(t, setup{api: options(sha("first"), " "+strings.ToUpper(sha("second")), "no hash")})
	for _, tt := range []struct {
		method, path, key string
		status            int
	}{
		{"GET", "/v1/consensus", "", 401}, {"GET", "/v1/consensus", "third", 401}, {"GET", "/v1/consensus", "no hash", 401},
		{"GET", "/v1/consensus", "first", 200}, {"GET", "/v1/consensus", "second", 200}, {"GET", "/v1/consensus", sha("first"), 401},
		{"POST", "/v1/consensus", "", 401}, {"GET", "/v1/consensus/latest?pair=BTC/USDT", "", 401}, {"GET", "/v1/metrics", "", 401},
		{"GET", compatPath, "", 401}, {"POST", compatPath, "", 401}, {"GET", compatPath, "first", 200}, {"GET", "/nothing", "", 401}, {"GET", "/nothing", "first", 404},
		{"GET", "/v1/health", "", 200}, {"HEAD", "/v1/health", "", 200}, {"GET", "/v1/health?probe=false", "", 200},
		{"GET", "/v1/health?probe=true", "", 401}, {"GET", "/v1/health?probe=1", "", 401}, {"GET", "/v1/health?probe", "", 401}, {"GET", "/v1/health?%70robe=true", "", 401},
		{"GET", "/v1/health?probe=false&probe=true", "", 401}, {"GET", "/v1/health?probe=%ZZ", "", 401}, {"GET", "/v1/health?probe=true", "first", 200},
		{"GET", "/openapi.json", "", 200}, {"GET", "/openapi.yaml", "", 200}, {"GET", "/docs", "", 200}, {"GET", "/", "", 200}, {"HEAD", "/ui/app.js", "", 200}, {"GET", "/ui/nothing.js", "", 404}, {"GET", "/problems/unauthorized", "", 200},
	} {
		r := f.send(t, tt.method, tt.path, "", "x-api-key", tt.key)
		if r.status != tt.status {
			t.Errorf("%s %s with key %q: status %d, want %d", tt.method, tt.path, tt.key, r.status, tt.status)
		}
		if r.status == 401 && r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s: 401 without WWW-Authenticate", tt.method, tt.path)
		}
	}
	f.get(t, "/v1/consensus").problem(t, 401, "unauthorized")
	if got := f.get(t, compatPath).object(t)["error"]; got != "An API key is needed: send it in the header x-api-key." {
		t.Errorf("compatibility route: %v", got)
	}
	if log := f.log.String(); strings.Contains(log, "third") {
		t.Error("a key is in the log")
	}
}

// Everybody may read health, but not what was spent.
func TestBudgetNeedsAKeyWhereThereAreKeys(t *testing.T) {
	budget := service.Options{DailyBudgetUSD: 10}
	for name, test := range map[string]struct {
		setup setup
		key   string
		shown bool
	}{
		"no keys":            {setup{service: budget}, "", true},
		"a key":              {setup{service: budget, api: options(sha("first"))}, "first", true},
		"no key":             {setup{service: budget, api: options(sha("first"))}, "", false},
		"another key":        {setup{service: budget, api: options(sha("first"))}, "second", false},
		"a key, no budget":   {setup{api: options(sha("first"))}, "first", false},
		"nothing configured": {setup{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := newServer(t, test.setup).get(t, "/v1/health", "x-api-key", test.key).want(t, 200).object(t)["budget"]
			if !found || (got != nil) != test.shown {
				t.Errorf("budget %v (there: %t)", got, found)
			}
			if shown, _ := got.(map[string]any); test.shown && (shown["limit_usd"] != 10.0 || shown["spent_usd"] != 0.0 || shown["reserved_usd"] != 0.0) {
				t.Errorf("budget %v", shown)
			}
		})
	}
}

func TestPagesOfOtherOriginsMayNotAsk(t *testing.T) {
	f := newServer(t, setup{})
	for name, header := range map[string][]string{"by fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "by origin": {"Origin", "https://example.com"}} {
		t.Run(name, func(t *testing.T) {
			f.post(t, "/v1/consensus", goodBody, header...).problem(t, 403, "cross-origin")
			f.get(t, "/v1/health", header...).want(t, 200)
			for _, query := range []string{"probe=true", "probe=1", "%70robe=true", "probe=false&probe=true"} { // it calls the providers
				f.get(t, "/v1/health?"+query, header...).problem(t, 403, "cross-origin")
				f.send(t, "HEAD", "/v1/health?"+query, "", header...).want(t, 403)
			}
		})
	}
	if n := len(f.simulator.Recorded()); n != 0 {
		t.Errorf("%d calls were made for pages of other origins", n)
	}
	f.post(t, "/v1/consensus", goodBody, "Origin", f.URL).want(t, 200)
	if got := len(f.simulator.Recorded()); got != 3 {
		t.Errorf("%d providers were asked, want 3 by the server's own page", got)
	}
}

func TestContentTypes(t *testing.T) {
	f := newServer(t, setup{})
	for contentType, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "APPLICATION/JSON;charset=UTF-8": 200, "": 200,
		"text/json": 415, "application/json; charset=utf-16": 415, "application/problem+json": 415,
	} {
		if r := f.post(t, "/v1/consensus", goodBody, "Content-Type", contentType); r.status != status {
			t.Errorf("Content-Type %q: status %d, want %d", contentType, r.status, status)
		}
	}
	f.post(t, "/v1/consensus", goodBody, "Content-Encoding", "gzip").problem(t, 415, "unsupported-media-type")
}

func TestBodyOfUnknownLength(t *testing.T) {
	f := newServer(t, setup{})
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"good", goodBody, 200}, {"at the limit", strings.Repeat(" ", 256<<10-len(goodBody)) + goodBody, 200},
		{"over the limit", strings.Repeat(" ", 256<<10-len(goodBody)+1) + goodBody, 413}, {"empty", "", 400},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+"/v1/consensus", struct{ io.Reader }{strings.NewReader(tt.body)})
		if err != nil {
			t.Fatal(err)
		}
		if r := f.do(t, request); r.status != tt.status {
			t.Errorf("%s: status %d, want %d\n%s", tt.name, r.status, tt.status, r.body)
		}
	}
}

// raw opens a connection and writes a text to it.
func raw(t *testing.T, address, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection, bufio.NewReader(connection)
}

func TestSlowBody(t *testing.T) {
	f := newServer(t, setup{})
	server := httptest.NewServer(api.NewWithBodyTime(f.service, 20*time.Millisecond))
	t.Cleanup(server.Close)
	_, answer := raw(t, server.URL, "POST /v1/consensus HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"pair\"")
	response, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 400 {
		t.Errorf("status %d, want 400", response.StatusCode)
	}
}

// TestRunOutlivesTheBodysDeadline: a deadline that stays on the connection would end the
// context of the run, and of all later ones.
func TestRunOutlivesTheBodysDeadline(t *testing.T) {
	f := newServer(t, setup{wrap: func(p provider.Provider) provider.Provider { return slowModel{p} }})
	server := httptest.NewServer(api.NewWithBodyTime(f.service, 20*time.Millisecond))
	t.Cleanup(server.Close)
	connection, answers := raw(t, server.URL, fmt.Sprintf("POST /v1/consensus HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(goodBody), goodBody))
	for i := range 2 {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("answer %d: status %d, %v\n%s", i, response.StatusCode, err, body)
		}
		if _, err := io.WriteString(connection, "GET /v1/consensus HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// slowModel takes longer than the body's deadline in these tests.
type slowModel struct{ provider.Provider }

func (m slowModel) Ask(ctx context.Context, prompt provider.Prompt) (provider.Answer, error) {
	timer := time.NewTimer(60 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return m.Provider.Ask(ctx, prompt)
	case <-ctx.Done():
		return provider.Answer{}, ctx.Err()
	}
}

func TestTooManyRuns(t *testing.T) {
	f := newServer(t, setup{faults: "anthropic=hang*", service: service.Options{MaxConcurrentRuns: 1}})
	first := make(chan reply)
	go func() { first <- f.post(t, "/v1/consensus", edited("timeout_seconds", "0.3")) }()
	for len(f.simulator.Recorded()) == 0 {
		time.Sleep(time.Millisecond) // until the first run is under way
	}
	r := f.post(t, "/v1/consensus", goodBody)
	p := r.problem(t, 503, "too-many-runs")
	if !p.Retryable || r.header.Get("Retry-After") != "1" {
		t.Errorf("retryable %v, Retry-After %q", p.Retryable, r.header.Get("Retry-After"))
	}
	(<-first).want(t, 200)
}

// Two keys with one slot each: a question by the compatibility route counts for its key.
func TestRunsAreSharedBetweenKeys(t *testing.T) {
	begun, release := make(chan struct{}, 3), make(chan struct{})
	f := newServer(t, setup{
		api:     options(sha("one"), sha("two")),
		service: service.Options{MaxConcurrentRuns: 2, Callers: 2},
		wrap: func(p provider.Provider) provider.Provider {
			return heldModel{p, begun, release}
		},
	})
	answers := make(chan reply, 2)
	wait := func() {
		for range 3 { // providers
			<-begun
		}
	}
	go func() { answers <- f.post(t, "/v1/consensus", goodBody, "x-api-key", "one") }()
	wait()
	f.post(t, compatPath, goodBody, "x-api-key", "one").want(t, 503)
	f.post(t, "/v1/consensus", goodBody, "x-api-key", "one").problem(t, 503, "too-many-runs")
	go func() { answers <- f.post(t, compatPath, goodBody, "x-api-key", "two") }()
	wait()
	close(release)
	for range 2 {
		(<-answers).want(t, 200)
	}
}

// heldModel reports that it was asked, and waits for permission to answer.
type heldModel struct {
	provider.Provider
	begun   chan<- struct{}
	release <-chan struct{}
}

func (m heldModel) Ask(ctx context.Context, prompt provider.Prompt) (provider.Answer, error) {
	m.begun <- struct{}{}
	<-m.release
	return m.Provider.Ask(ctx, prompt)
}

func TestClientThatGoesAway(t *testing.T) {
	f := newServer(t, setup{wrap: func(p provider.Provider) provider.Provider { return slowModel{p} }})
	connection, _ := raw(t, f.URL, fmt.Sprintf("POST /v1/consensus HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(goodBody), goodBody))
	for len(f.simulator.Recorded()) == 0 {
		time.Sleep(time.Millisecond) // until the run is under way
	}
	_ = connection.Close()
	if err := f.service.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.get(t, "/v1/consensus/latest?pair=BTC/USDT").want(t, 200)
}

// Idempotency keys of different callers are different, also if a gateway in front names the
// caller.
func TestCallerOfSomebodyInFront(t *testing.T) {
	caller := ""
	f := newServer(t, setup{api: api.Options{Caller: func(context.Context) string { return caller }}})
	ids := map[string]any{}
	for _, who := range []string{"", "one", "two", "one", ""} {
		caller = who
		id := f.post(t, "/v1/consensus", goodBody, "Idempotency-Key", "k").want(t, 200).object(t)["id"]
		if before, asked := ids[who]; asked && before != id {
			t.Errorf("caller %q got %v and then %v", who, before, id)
		}
		ids[who] = id
	}
	if ids[""] == ids["one"] || ids["one"] == ids["two"] {
		t.Errorf("callers got each other's answers: %v", ids)
	}
}

func TestProbeWhereThereAreNoKeys(t *testing.T) {
	f := newServer(t, setup{service: service.Options{Keyless: true}})
	f.get(t, "/v1/health?probe=true").problem(t, 403, "probe-not-allowed")
	f.get(t, "/v1/health").want(t, 200)
	if n := len(f.simulator.Recorded()); n != 0 {
		t.Errorf("%d calls to providers", n)
	}
}
