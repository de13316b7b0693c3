package browsertest

// A server that answers what the page asks, by the contract of the API, and
// counts what it was asked.

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/outcome"
	"thalas/internal/page"
	"thalas/internal/signal"
)

const (
	testKey   = "test-key-of-the-page"
	stagePath = "/prod"
)

// state is how a server differs from one that works.
type state struct {
	key       bool // needs testKey
	simulated bool
	empty     bool
	broken    bool // every route of the API is a 500
	silent    bool // no route of the API answers before the test ends
	poor      bool // providers are left out, the store and the budget are in trouble
	refuse    bool // POST /v1/consensus finds no quorum
	many      bool // 40 series
	stage     bool // everything lies below stagePath, as behind API Gateway
}

type server struct {
	*httptest.Server
	state  state
	world  *world
	asked  atomic.Int64 // POST /v1/consensus
	extra  atomic.Bool  // a newer result has come
	strays atomic.Int64 // routes that the page should not ask
	same   atomic.Int64 // answers 304
	mu     sync.Mutex
	keys   []string      // the Idempotency-Key of each question
	ended  chan struct{} // closed when the test ends
}

func newServer(t *testing.T, st state) *server {
	s := &server{state: st, world: worlds(), ended: make(chan struct{})}
	mux := http.NewServeMux()
	pages := page.Handler()
	mux.Handle("GET /{$}", pages)
	mux.Handle("GET /ui/{file}", pages)
	mux.HandleFunc("GET /v1/series", s.api(s.listSeries))
	mux.HandleFunc("GET /v1/consensus/latest", s.api(s.latest))
	mux.HandleFunc("GET /v1/consensus/{id}", s.api(s.show))
	mux.HandleFunc("GET /v1/consensus", s.api(s.history))
	mux.HandleFunc("POST /v1/consensus", s.api(s.ask))
	mux.HandleFunc("POST /v1/replay", s.api(s.replay))
	mux.HandleFunc("GET /v1/scoreboard", s.api(s.scoreboard))
	mux.HandleFunc("GET /v1/metrics", s.api(s.metrics))
	mux.HandleFunc("GET /v1/health", s.health)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.strays.Add(1)
		http.NotFound(w, r)
	})
	handler := http.Handler(mux)
	if st.stage {
		below := http.StripPrefix(stagePath, mux)
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, stagePath+"/") {
				s.strays.Add(1)
			}
			below.ServeHTTP(w, r)
		})
	}
	s.Server = httptest.NewServer(handler)
	t.Cleanup(func() {
		close(s.ended)
		s.Server.Close()
	})
	return s
}

// api wraps a route: the key, and the states in which nothing is answered.
func (s *server) api(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.state.silent:
			select {
			case <-s.ended:
			case <-r.Context().Done():
			}
		case s.state.key && r.Header.Get("x-api-key") != testKey:
			problem(w, 401, "unauthorized", "The API key is missing or wrong", "Send a key of this server as x-api-key.", nil)
		case s.state.broken:
			problem(w, 500, "internal-error", "Something unexpected went wrong", "Quote the request id.", nil)
		default:
			next(w, r)
		}
	}
}

func problem(w http.ResponseWriter, status int, kind, title, detail string, failures []signal.Failure) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	body := map[string]any{"type": "/problems/" + kind, "title": title, "status": status, "detail": detail, "request_id": "6f1c2c0e", "retryable": false}
	if failures != nil {
		body["failures"] = failures
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (s *server) write(w http.ResponseWriter, r *http.Request, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(raw))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		s.same.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}

func (s *server) listSeries(w http.ResponseWriter, r *http.Request) {
	if s.state.empty {
		s.write(w, r, []seriesItem{})
		return
	}
	list := append([]seriesItem(nil), s.world.series...)
	for i := 0; s.state.many && len(list) < 40; i++ {
		more := list[0]
		more.Pair = fmt.Sprintf("COIN%02d/USDT", i)
		list = append(list, more)
	}
	for i := range list {
		list[i].Simulated = s.state.simulated
	}
	if s.extra.Load() {
		id := s.newer().ID
		list[0].ID = &id
	}
	s.write(w, r, list)
}

// newer is a result that comes while the page is open.
func (s *server) newer() *signal.Consensus {
	r := *s.world.find(s.world.named["pending"]).result
	r.ID, r.Timestamp = "019fffff-0000-7000-8000-000000000001", s.world.now.Add(time.Second)
	return &r
}

func (s *server) document(e *entry) map[string]any {
	r := *e.result
	r.Simulated = s.state.simulated
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		panic(err)
	}
	return document
}

func (s *server) latest(w http.ResponseWriter, r *http.Request) {
	pairs := r.URL.Query()["pair"]
	items, missing := []any{}, []string{}
	for _, pair := range pairs {
		found := false
		for i := range s.world.entries {
			e := &s.world.entries[i]
			coin := strings.HasPrefix(pair, "COIN") && e.result.ID == s.world.named["pending"]
			if !coin && (e.result.Pair.String() != pair || string(e.result.Timeframe) != r.URL.Query().Get("timeframe")) {
				continue
			}
			if coin {
				document := s.document(e)
				document["pair"] = pair
				items = append(items, document)
			} else if s.extra.Load() && e.result.ID == s.world.named["pending"] {
				items = append(items, s.newer())
			} else {
				items = append(items, s.document(e))
			}
			found = true
			break
		}
		if !found {
			missing = append(missing, pair)
		}
	}
	switch {
	case len(pairs) > 1:
		s.write(w, r, map[string]any{"items": items, "missing": missing})
	case len(items) == 0:
		problem(w, 404, "no-signal-yet", "There is no signal yet", "", nil)
	default:
		s.write(w, r, items[0])
	}
}

func (s *server) show(w http.ResponseWriter, r *http.Request) {
	e := s.world.find(r.PathValue("id"))
	if e == nil {
		problem(w, 404, "unknown-id", "There is no such consensus", "An id looks like 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21. Its retention may have ended.", nil)
		return
	}
	document := s.document(e)
	if r.URL.Query().Get("include") == "market_data" {
		document["market_data"] = e.marketData
	}
	document["outcome"] = e.outcome
	s.write(w, r, document)
}

func (s *server) history(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	skip, _ := strconv.Atoi(q.Get("cursor"))
	for _, name := range []string{"from", "to"} {
		if text := q.Get(name); text != "" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				problem(w, 422, "invalid-request", "The request breaks a rule", err.Error(), nil)
				return
			}
		}
	}
	items := []any{}
	var next *string
	n := 0
	for i := range s.world.entries {
		e := &s.world.entries[i]
		if pair := q.Get("pair"); pair != "" {
			if e.result.Pair.String() != pair || string(e.result.Timeframe) != q.Get("timeframe") {
				continue
			}
			if at := e.result.CandleTime.Format(time.RFC3339); (q.Get("from") != "" && at < q.Get("from")) || (q.Get("to") != "" && at >= q.Get("to")) {
				continue
			}
		} else if e.result.Timestamp.Format(time.DateOnly) != q.Get("from")[:10] {
			continue
		}
		if n++; s.state.empty || n <= skip {
			continue
		}
		if len(items) == limit {
			cursor := strconv.Itoa(n - 1)
			next = &cursor
			break
		}
		document := s.document(e)
		document["outcome"] = e.outcome
		items = append(items, document)
	}
	s.write(w, r, map[string]any{"items": items, "next_cursor": next})
}

func (s *server) ask(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	raw, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	s.mu.Unlock()
	if s.state.refuse {
		all := append([]signal.Failure{{Provider: "anthropic", Error: signal.FailureRefusal, Message: "the model would not answer " + hostile, Attempts: 1, LatencyMS: 900}}, failed...)
		problem(w, 503, "insufficient-responses", "Too few providers answered", "Insufficient successful provider responses: 0 < 2", all)
		return
	}
	if !json.Valid(raw) || r.Header.Get("Idempotency-Key") == "" {
		problem(w, 400, "unreadable-body", "The body can't be read", string(raw), nil)
		return
	}
	s.write(w, r, s.document(s.world.find(s.world.named["pending"])))
}

func (s *server) replay(w http.ResponseWriter, r *http.Request) {
	var question struct {
		ID            string             `json:"id"`
		Weights       map[string]float64 `json:"provider_weights"`
		MinConfidence float64            `json:"min_confidence"`
		MinAgreement  float64            `json:"min_agreement"`
	}
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		problem(w, 400, "unreadable-body", "The body can't be read", err.Error(), nil)
		return
	}
	result := s.world.find(question.ID).result
	votes := append([]signal.Vote(nil), result.Responses...)
	for i := range votes {
		if weight, named := question.Weights[votes[i].Provider]; named {
			votes[i].Weight = weight
		}
	}
	o := consensus.Aggregate(votes, consensus.Policy{MinConfidence: question.MinConfidence, MinAgreement: question.MinAgreement, Price: result.CurrentPrice})
	was := map[string]any{"decision": result.Decision, "raw_decision": result.RawDecision, "hold_reason": result.HoldReason, "confidence": result.Confidence, "agreement_score": result.AgreementScore}
	now := map[string]any{"decision": o.Decision, "raw_decision": o.RawDecision, "hold_reason": o.HoldReason, "confidence": o.Confidence, "agreement_score": o.AgreementScore, "weighted_votes": o.WeightedVotes, "explanation": o.Explanation}
	s.write(w, r, map[string]any{"simulated": s.state.simulated, "runs": 1, "changed": 1, "policy_assumed": 0, "items": []any{map[string]any{"id": result.ID, "candle_time": result.CandleTime, "decided_early": false, "was": was, "now": now}}, "next_cursor": nil})
}

func (s *server) scoreboard(w http.ResponseWriter, r *http.Request) {
	boards := []outcome.Board{}
	for _, b := range s.world.boards {
		if asked := r.URL.Query().Get("timeframe"); !s.state.empty && (asked == "" || asked == string(b.Timeframe)) {
			boards = append(boards, b)
		}
	}
	tomorrow := s.world.now.AddDate(0, 0, 1)
	s.write(w, r, outcome.Scoreboard{From: tomorrow.AddDate(0, 0, -365).Format(time.DateOnly), To: tomorrow.Format(time.DateOnly), PromptVersion: promptVersion, Simulated: s.state.simulated, Boards: boards})
}

// metrics sums the stored results up by day and provider.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	type counters map[string]any
	sum := func(in func(day string) bool) counters {
		byProvider := map[string]counters{}
		runs, cost, tokens := 0, 0.0, 0
		for _, e := range s.world.entries {
			if s.state.empty || !in(e.result.Timestamp.Format(time.DateOnly)) {
				continue
			}
			runs++
			for _, v := range e.result.Responses {
				p := byProvider[v.Provider]
				if p == nil {
					p = counters{"provider": v.Provider, "requests": 0, "successes": 0, "failures": map[string]int{}, "success_rate": 1, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "latency_ms": map[string]any{"p50": 2300.0, "p95": 4400.0}}
					byProvider[v.Provider] = p
				}
				p["requests"] = p["requests"].(int) + 1
				p["input_tokens"] = p["input_tokens"].(int) + v.InputTokens
				p["output_tokens"] = p["output_tokens"].(int) + v.OutputTokens
				tokens += v.InputTokens + v.OutputTokens
				if v.CostUSD != nil {
					p["cost_usd"] = p["cost_usd"].(float64) + *v.CostUSD
					cost += *v.CostUSD
				}
			}
			for _, f := range e.result.Failures {
				if p := byProvider[f.Provider]; p != nil {
					p["failures"].(map[string]int)[string(f.Error)]++
				}
			}
		}
		providers := []counters{}
		for _, m := range models {
			if p := byProvider[m.provider]; p != nil {
				providers = append(providers, p)
			}
		}
		return counters{"total_requests": runs, "successful_requests": runs, "failed_requests": 0, "success_rate": 1, "cost_usd": cost, "tokens": tokens, "providers": providers,
			"shared": map[string]any{"hits": 31, "coalesced": 6, "saved_usd": .412}}
	}
	from, today := r.URL.Query().Get("from"), s.world.now.Format(time.DateOnly)
	if from == "" {
		from = today
	}
	from = from[:10]
	answer := sum(func(day string) bool { return day >= from })
	if r.URL.Query().Get("by") == "day" {
		days := []counters{}
		for at, _ := time.Parse(time.DateOnly, from); at.Format(time.DateOnly) <= today; at = at.AddDate(0, 0, 1) {
			day := at.Format(time.DateOnly)
			if c := sum(func(d string) bool { return d == day }); c["total_requests"] != 0 {
				c["day"] = day
				days = append(days, c)
			}
		}
		answer["days"] = days
	}
	s.write(w, r, answer)
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	status, code, store := "healthy", 200, "ok"
	health, providers := map[string]bool{}, []any{}
	for _, m := range models {
		p := map[string]any{"name": m.provider, "enabled": true, "configured": true, "model": m.name, "weight": m.weight, "breaker": "closed", "reason": "", "left_out": nil, "last_success": s.world.now, "last_error": nil, "error_rate": .01, "latency_p50_ms": 2300.0}
		health[m.provider] = true
		if s.state.poor {
			health[m.provider] = m.provider == "anthropic"
			switch m.provider {
			case "gemini":
				p["left_out"] = map[string]any{"reason": "no_credit", "until": s.world.now.Add(time.Hour)}
			case "grok":
				p["last_error"] = map[string]any{"at": s.world.now, "error": "timeout"}
			case "openai":
				p["left_out"] = map[string]any{"reason": "key_refused", "until": s.world.now.Add(time.Hour)}
			}
		}
		providers = append(providers, p)
	}
	budget := any(map[string]any{"limit_usd": 10.0, "spent_usd": 2.448, "reserved_usd": .189})
	if s.state.poor {
		status, store, budget = "degraded", "unreachable", map[string]any{"limit_usd": 10.0, "spent_usd": 9.91, "reserved_usd": .09}
	}
	if s.state.key && r.Header.Get("x-api-key") != testKey {
		budget = nil
	}
	if s.state.refuse {
		status = "degraded"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "available_providers": 4, "required_providers": 2, "provider_health": health, "providers": providers, "store": store, "budget": budget, "simulated": s.state.simulated, "version": "v1.4.0"})
}

// isFree reports whether a request can cost nothing.
func isFree(method, path string) bool {
	return method == http.MethodGet || strings.HasSuffix(path, "/v1/replay")
}
