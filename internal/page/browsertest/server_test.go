package browsertest

// The program of thalas serve over a filled store. What it can't easily be brought to, no
// answer or an unexpected error, is put in front of it.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/simulator"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

const (
	testKey   = "test-key-of-the-page"
	stagePath = "/prod"
)

// state is how a server differs from one that works.
type state struct {
	big       bool // over the big store
	key       bool // needs testKey
	simulated bool
	empty     bool
	broken    bool // every route of the API is a 500
	silent    bool // no route of the API answers before the test ends
	poor      bool // providers are left out, the store and the budget are in trouble
	refuse    bool // no provider answers
	stage     bool // everything lies below stagePath, as behind API Gateway
}

type server struct {
	*httptest.Server
	state   state
	world   *world
	store   *fullStore
	service *service.Service
	asked   atomic.Int64 // requests that the providers got
}

// fullStore is a store that may be full.
type fullStore struct {
	store.Store
	full atomic.Bool
}

func (s *fullStore) Record(ctx context.Context, r *store.Result, c store.Count) error {
	if s.full.Load() {
		return errors.New("planted: the disk is full")
	}
	return s.Store.Record(ctx, r, c)
}

func newServer(t *testing.T, st state) *server {
	t.Helper()
	world := usual
	if st.big {
		world = big
	}
	s := &server{state: st, world: world(t)}
	file := filepath.Join(t.TempDir(), "thalas.db")
	if !st.empty {
		filled, err := os.ReadFile(s.world.file)
		if err == nil {
			err = os.WriteFile(file, filled, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := bolt.Open(file, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.store = &fullStore{Store: db}

	providers := s.providers(t)
	a, err := app.New(s.configuration(t, providers), nil, func() (func(string) string, error) {
		return func(name string) string { return providers + name }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.service = a.NewService(s.store, "v1.4.0")
	if !st.empty {
		s.service.Watch(s.world.watched)
	}
	if st.poor {
		s.impoverish(t)
	}
	handler := a.NewHandler(s.service, func() bool { return true })
	ended := make(chan struct{})
	if st.broken || st.silent {
		next := handler
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !strings.HasPrefix(r.URL.Path, "/v1/"):
				next.ServeHTTP(w, r)
			case st.broken:
				http.Error(w, `{"title": "Something unexpected went wrong", "detail": "Quote the request id.", "request_id": "6f1c2c0e"}`, http.StatusInternalServerError)
			default:
				select {
				case <-ended:
				case <-r.Context().Done():
				}
			}
		})
	}
	if st.stage {
		below := http.NewServeMux()
		below.Handle(stagePath+"/", http.StripPrefix(stagePath, handler))
		handler = below
	}
	s.Server = httptest.NewServer(handler)
	t.Cleanup(func() {
		close(ended)
		s.Server.Close()
	})
	return s
}

// configuration is that of a program with four keys, or that simulates.
func (s *server) configuration(t *testing.T, providers string) config.Config {
	environ := []string{"MODEL_PROFILE=flagship", "GROK_ENABLED=true", "MIN_PROVIDERS=2", "MIN_CONFIDENCE=0.6", "MIN_AGREEMENT=0.5", "DAILY_BUDGET_USD=10", "TIMEOUT_SECONDS=1", "MAX_ATTEMPTS=1",
		fmt.Sprint("ROUND_TRIP_COST=", roundTripCost), fmt.Sprint("SIMULATE_PROVIDERS=", s.state.simulated)}
	for _, m := range models {
		name := strings.ToUpper(m.provider)
		if !s.state.simulated {
			environ = append(environ, name+"_API_KEY=planted-test-key-of-"+m.provider, name+"_BASE_URL="+providers+m.provider)
		}
	}
	if s.state.key {
		hash := sha256.Sum256([]byte(testKey))
		environ = append(environ, "API_KEYS="+hex.EncodeToString(hash[:]))
	}
	c, err := config.Load(environ, app.Known())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// providers starts the providers' server, which counts what it is asked, and gives the
// beginning of their addresses.
func (s *server) providers(t *testing.T) string {
	script := ""
	switch {
	case s.state.refuse:
		script = "gemini=quota*;grok=hang*;openai=wrong_key*"
	case s.state.poor:
		script = "gemini=quota*;grok=server_error*;openai=wrong_key*"
	}
	faults, err := simulator.ParseFaults(script)
	if err != nil {
		t.Fatal(err)
	}
	simulated := simulator.New(simulator.Options{Faults: faults})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.state.refuse && strings.HasPrefix(r.URL.Path, "/anthropic") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"type": "error", "error": {"type": "invalid_request_error", "message": %q}}`, hostile)
			return
		}
		simulated.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// impoverish asks, so that providers are left out, fills the disk, and uses the budget up.
func (s *server) impoverish(t *testing.T) {
	of := s.world.all[0]
	q := of.question(len(of.candles)-1, 120)
	for range 2 {
		if _, err := s.service.Ask(t.Context(), q); err != nil {
			var undecided *orchestrator.Error
			if !errors.As(err, &undecided) {
				t.Fatal(err)
			}
		}
		s.store.full.Store(true)
	}
	now := time.Now().UTC()
	lease := store.Lease{Key: "budget#" + now.Format(time.DateOnly), Amount: 8_500_000, Until: now.Add(time.Hour), ExpiresAt: now.Add(48 * time.Hour)}
	if _, err := s.store.Reserve(t.Context(), lease, 10_000_000); err != nil {
		t.Fatal(err)
	}
	s.asked.Store(0)
}

// read reads a document of the API.
func (s *server) read(t *testing.T, path string, document any) {
	t.Helper()
	answer, err := s.Client().Get(s.URL + path)
	if err == nil {
		defer answer.Body.Close()
		err = json.NewDecoder(answer.Body).Decode(document)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// decideAnew stores another decision of a series while the page is open. The voters of the
// filled store are asked, and not the providers.
func (s *server) decideAnew(t *testing.T, of *series) string {
	a := asker{t, s.store, map[string]said{}, 0}
	i := len(of.candles) - 1
	votes := of.votes(i, models)
	for i := range votes {
		votes[i].after = 0
	}
	return a.ask(a.of(models, false), of, i, 120, votes, gates(.6, .5))
}
