package api_test

// A real service over the simulator and a file store, behind real HTTP.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"thalas/internal/api"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/openai"
	"thalas/internal/service"
	"thalas/internal/simulator"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// setup says how a server differs from the default one.
type setup struct {
	faults  string // of the simulator
	service service.Options
	api     api.Options
	none    bool // no provider has a key
	real    bool // results are not marked as simulated
	wrap    func(provider.Provider) provider.Provider
	baseURL func(provider string) string // of other models than the simulator; then grok is asked too
}

// fixture is a server that is being tested.
type fixture struct {
	*httptest.Server
	service   *service.Service
	store     *faultyStore
	simulator *simulator.Running
	log       *syncBuffer
}

// newServer starts a server with anthropic, openai and gemini, and with grok disabled.
func newServer(t testing.TB, o setup) *fixture {
	t.Helper()
	faults, err := simulator.ParseFaults(o.faults)
	if err != nil {
		t.Fatal(err)
	}
	models, err := simulator.Start(simulator.Options{Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = models.Close() })
	baseURL := models.BaseURL
	if o.baseURL != nil {
		baseURL = o.baseURL
	}
	client := provider.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	registry := &provider.Registry{}
	for _, p := range []struct {
		name      string
		construct func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)
		weight    float64
	}{{"anthropic", anthropic.New, 1}, {"openai", openai.New, 0.9}, {"gemini", gemini.New, 0.8}, {"grok", openai.NewGrok, 0.7}} {
		made, err := p.construct(provider.Settings{Key: provider.NewKey("simulated"), Profile: provider.ProfileFast, BaseURL: baseURL(p.name)}, provider.DefaultCatalog(), client)
		if err != nil {
			t.Fatal(err)
		}
		if o.wrap != nil {
			made = o.wrap(made)
		}
		entry := provider.Entry{Provider: made, Weight: &p.weight, Disabled: p.name == "grok" && o.baseURL == nil}
		if o.none {
			entry.Unavailable = "no API key: set it"
		}
		if err := registry.Register(entry); err != nil {
			t.Fatal(err)
		}
	}
	file, err := bolt.Open(filepath.Join(t.TempDir(), "thalas.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })

	f := &fixture{store: &faultyStore{Store: file}, simulator: models, log: &syncBuffer{}}
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.service.Registry, o.service.Store, o.service.Simulated, o.service.Version = registry, f.store, !o.real, "test"
	o.service.MinProviders = max(o.service.MinProviders, 1)
	o.service.Orchestrator = orchestrator.New(registry, orchestrator.Options{MaxAttempts: 1, Simulated: !o.real})
	f.service = service.New(o.service)
	o.api.Logger, o.api.Version = logger, "test"
	f.Server = httptest.NewServer(api.New(f.service, o.api))
	t.Cleanup(f.Server.Close)
	return f
}

// faultyStore is a store that can be switched off.
type faultyStore struct {
	store.Store
	off atomic.Bool
}

var errOff = errors.New("planted: the store at db.internal is off")

func (s *faultyStore) Record(ctx context.Context, r *store.Result, c store.Count) error {
	if s.off.Load() {
		return errOff
	}
	return s.Store.Record(ctx, r, c)
}

func (s *faultyStore) Result(ctx context.Context, id string) (store.Result, error) {
	if s.off.Load() {
		return store.Result{}, errOff
	}
	return s.Store.Result(ctx, id)
}

func (s *faultyStore) Latest(ctx context.Context, series string) (store.Result, error) {
	if s.off.Load() {
		return store.Result{}, errOff
	}
	return s.Store.Latest(ctx, series)
}

func (s *faultyStore) Series(ctx context.Context, series string, r store.Range) (store.Page, error) {
	if s.off.Load() {
		return store.Page{}, errOff
	}
	return s.Store.Series(ctx, series, r)
}

func (s *faultyStore) Day(ctx context.Context, day string, r store.Range) (store.Page, error) {
	if s.off.Load() {
		return store.Page{}, errOff
	}
	if err := ctx.Err(); err != nil { // as a store behind a network says
		return store.Page{}, err
	}
	return s.Store.Day(ctx, day, r)
}

func (s *faultyStore) Hours(ctx context.Context, first, last string) ([]store.Hour, error) {
	if s.off.Load() {
		return nil, errOff
	}
	return s.Store.Hours(ctx, first, last)
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// reply is an answer with its whole body.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request. A header is given as name and value.
func (f *fixture) send(t testing.TB, method, path, body string, header ...string) reply {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, f.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			request.Header.Del(header[i])
		} else {
			request.Header.Set(header[i], header[i+1])
		}
	}
	return f.do(t, request)
}

func (f *fixture) do(t testing.TB, request *http.Request) reply {
	t.Helper()
	response, err := f.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, read}
}

func (f *fixture) get(t testing.TB, path string, header ...string) reply {
	t.Helper()
	return f.send(t, http.MethodGet, path, "", header...)
}

func (f *fixture) post(t testing.TB, path, body string, header ...string) reply {
	t.Helper()
	return f.send(t, http.MethodPost, path, body, header...)
}

// into reads the body as JSON.
func (r reply) into(t testing.TB, document any) {
	t.Helper()
	if err := json.Unmarshal(r.body, document); err != nil {
		t.Fatalf("status %d, body is no JSON: %v\n%s", r.status, err, r.body)
	}
}

func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	r.into(t, &object)
	return object
}

// want fails unless the status is as wanted.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d\n%s", r.status, status, r.body)
	}
	return r
}

// problem reads a problem, and fails if a part is missing.
func (r reply) problem(t testing.TB, status int, name string) problem {
	t.Helper()
	r.want(t, status)
	var p problem
	r.into(t, &p)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	if p.Type != "/problems/"+name || p.Status != status {
		t.Errorf("type %q and status %d, want /problems/%s and %d\n%s", p.Type, p.Status, name, status, r.body)
	}
	if p.Title == "" || p.Detail == "" || p.Instance == "" || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("problem is not whole, or its id is not the header's %q:\n%s", r.header.Get("X-Request-Id"), r.body)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
	return p
}

type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	RequestID                     string `json:"request_id"`
	Retryable                     bool
	Errors                        []mistake
	Failures                      []map[string]any
}

type mistake struct {
	Location, Message string
	Value             json.RawMessage
}

// at gives the mistake at a place.
func (p problem) at(t testing.TB, location string) mistake {
	t.Helper()
	for _, m := range p.Errors {
		if m.Location == location {
			return m
		}
	}
	t.Fatalf("no mistake at %s in %+v", location, p.Errors)
	return mistake{}
}

func (p problem) locations() []string {
	var places []string
	for _, m := range p.Errors {
		places = append(places, m.Location)
	}
	return places
}

// goodBody is a valid question.
const goodBody = `{"pair":"BTC/USDT","timeframe":"5m","current_price":50000.0,"market_data":{"rsi":65.5,"macd":150.0,"volume":1000000,"price_change_24h":2.5}}`

// edited gives goodBody with fields set to raw JSON, or removed by an empty text.
func edited(changes ...string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodBody), &fields); err != nil {
		panic(err)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(fields, changes[i])
		} else {
			fields[changes[i]] = json.RawMessage(changes[i+1])
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func sha(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func options(keys ...string) api.Options { return api.Options{APIKeys: keys, Docs: true, Page: true} }
