package api

// The OpenAPI document: every reference resolves, every example matches its schema, and every
// operation documents all its answers.

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// contractServer has no provider, since only its contract is read.
func contractServer(t *testing.T, o Options) *server {
	t.Helper()
	registry := &provider.Registry{}
	return New(service.New(service.Options{Registry: registry, Orchestrator: orchestrator.New(registry, orchestrator.Options{})}), o).(*server)
}

func get(s http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// operations gives every operation by method and path.
func operations(s *server) map[string]*huma.Operation {
	found := map[string]*huma.Operation{}
	for path, item := range s.huma.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post} {
			if op != nil {
				found[method+" "+path] = op
			}
		}
	}
	return found
}

func TestContractIsWhole(t *testing.T) {
	s := contractServer(t, Options{APIKeys: []string{"x"}})
	if got := len(operations(s)); got != 12 {
		t.Errorf("%d operations, want 12", got)
	}
	for name, op := range operations(s) {
		if op.Summary == "" || op.Description == "" || op.OperationID == "" || len(op.Tags) != 1 {
			t.Errorf("%s: summary %q, description %q, id %q, tags %v", name, op.Summary, op.Description, op.OperationID, op.Tags)
		}
		want := []string{"200", "401", "500"}
		if op.RequestBody != nil {
			want = append(want, "400", "413", "415", "503")
			if op.Path != replayPath {
				want = append(want, "429")
			}
			if op.Path != compatPath {
				want = append(want, "422")
			}
			if op.Path == consensusPath {
				want = append(want, "409", "504")
			}
		}
		if strings.Contains(op.Path, "{id}") || strings.HasSuffix(op.Path, "latest") {
			want = append(want, "304", "404")
		}
		for _, status := range want {
			if op.Responses[status] == nil {
				t.Errorf("%s does not tell of %s", name, status)
			}
		}
		for status, r := range op.Responses {
			if r.Description == "" || r.Headers[requestIDHeader] == nil {
				t.Errorf("%s %s: description %q, headers %v", name, status, r.Description, r.Headers)
			}
			if slices.Contains([]string{"409", "429", "504"}, status) && r.Headers["Retry-After"] == nil {
				t.Errorf("%s %s does not tell of Retry-After", name, status)
			}
			for header, h := range r.Headers {
				if h.Description == "" || h.Schema == nil {
					t.Errorf("%s %s: header %s has no description or no schema", name, status, header)
				}
			}
		}
		for _, p := range op.Parameters {
			if p.Description == "" || p.Schema == nil {
				t.Errorf("%s: parameter %s has no description or no schema", name, p.Name)
			}
		}
		open := op.Path == healthPath
		if got := fmt.Sprint(op.Security); (got == "[map[apiKey:[]]]") == open || !strings.Contains(got, "apiKey") {
			t.Errorf("%s: security %s", name, got)
		}
	}
	for name, op := range operations(contractServer(t, Options{})) {
		if op.Security != nil || op.Responses["401"] != nil {
			t.Errorf("%s: without keys, security %v, 401 %v", name, op.Security, op.Responses["401"])
		}
	}
}

func TestReferencesResolve(t *testing.T) {
	s := contractServer(t, Options{})
	var document map[string]any
	if err := json.Unmarshal(get(s, "/openapi.json").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if document["openapi"] != "3.1.0" {
		t.Errorf("openapi %v", document["openapi"])
	}
	count := 0
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch n := node.(type) {
		case map[string]any:
			if ref, ok := n["$ref"].(string); ok {
				count++
				target := any(document)
				for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					object, _ := target.(map[string]any)
					target = object[part]
				}
				if target == nil {
					t.Errorf("%s: %s leads nowhere", at, ref)
				}
			}
			for key, child := range n {
				walk(at+"/"+key, child)
			}
		case []any:
			for i, child := range n {
				walk(fmt.Sprintf("%s/%d", at, i), child)
			}
		}
	}
	walk("", document)
	if count < 20 {
		t.Errorf("%d references: the test does not see the document", count)
	}
	if got := get(s, "/openapi.yaml").Body.String(); !strings.Contains(got, "openapi: 3.1.0") || !strings.Contains(got, "/v1/consensus/latest:") {
		t.Errorf("YAML: %.200s", got)
	}
}

func TestExamplesAreWhatTheirSchemasSay(t *testing.T) {
	s := contractServer(t, Options{APIKeys: []string{"x"}})
	registry := s.huma.OpenAPI().Components.Schemas
	count := 0
	check := func(place string, schema *huma.Schema, example any) {
		t.Helper()
		raw, err := json.Marshal(example)
		if err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		var result huma.ValidateResult
		huma.Validate(registry, schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, value, &result)
		for _, mistake := range result.Errors {
			t.Errorf("%s: %v", place, mistake)
		}
		count++
	}
	for name, op := range operations(s) {
		if op.RequestBody != nil {
			media := op.RequestBody.Content[jsonType]
			check(name+" body", media.Schema, media.Example)
		}
		for _, p := range op.Parameters {
			if p.Example != nil {
				check(name+" "+p.Name, p.Schema, p.Example)
			}
			for _, example := range p.Schema.Examples {
				check(name+" "+p.Name, p.Schema, example)
			}
		}
		for status, r := range op.Responses {
			for contentType, media := range r.Content {
				if media.Example == nil && len(media.Examples) == 0 {
					t.Errorf("%s %s %s has no example", name, status, contentType)
				}
				if media.Example != nil {
					check(name+" "+status, media.Schema, media.Example)
				}
				for title, example := range media.Examples {
					check(name+" "+status+" "+title, media.Schema, example.Value)
				}
			}
		}
	}
	if count < 60 {
		t.Errorf("%d examples: the test does not see them", count)
	}
}

// TestSchemaCanRefuse proves that the check above finds mistakes.
func TestSchemaCanRefuse(t *testing.T) {
	s := contractServer(t, Options{})
	for place, wrong := range map[string]map[string]any{
		"missing fields": {}, "unknown word": {"decision": "MAYBE"}, "number for a text": {"reasoning": 1.0},
	} {
		var result huma.ValidateResult
		huma.Validate(s.huma.OpenAPI().Components.Schemas, refTo[CompatConsensus](s), huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, wrong, &result)
		if len(result.Errors) == 0 {
			t.Errorf("%s is accepted", place)
		}
	}
}

func TestEveryKindHasAPage(t *testing.T) {
	s := contractServer(t, Options{Docs: true, APIKeys: []string{"x"}})
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.name] {
			t.Errorf("%s is there twice", k.name)
		}
		seen[k.name] = true
		w := get(s, k.problem("").Type)
		page := html.UnescapeString(w.Body.String())
		if w.Code != 200 || !strings.Contains(page, k.title) || !strings.Contains(page, fmt.Sprint(k.status)) || strings.Contains(page, "{remedy}") {
			t.Errorf("%s: status %d\n%s", k.name, w.Code, page)
		}
		if !strings.Contains(page, k.remedy) {
			t.Errorf("%s: the page does not say what to do", k.name)
		}
	}
	for code, name := range map[signal.ErrorCode]string{
		service.ErrInFlight: "idempotency-key-in-flight", service.ErrOtherBody: "idempotency-key-reused", service.ErrBusy: "too-many-runs",
		service.ErrDailyBudget: "daily-budget", service.ErrRequestBudget: "request-budget", service.ErrNoBudget: "budget-unknown",
		service.ErrKeys: "keys-unavailable", service.ErrStore: "store-unreachable", service.ErrNoSignal: "no-signal-yet", service.ErrStale: "stale-signal",
		service.ErrNotFound: "unknown-id", service.ErrProbe: "probe-not-allowed",
		orchestrator.ErrNoProviders: "no-providers", orchestrator.ErrInsufficientProviders: "insufficient-providers",
		orchestrator.ErrInsufficientResponses: "insufficient-responses", orchestrator.ErrAggregation: "aggregation-failed",
		orchestrator.ErrCanceled: "run-canceled", TooLate: "insufficient-responses-in-time",
	} {
		if k := kindNamed(ProblemName(code)); k == nil || k.name != name {
			t.Errorf("%s is not the problem %s", string(code), name)
		}
	}
	if w := get(s, "/problems/nothing"); w.Code != 404 {
		t.Errorf("unknown problem: status %d", w.Code)
	}
}

func TestDocsPageNeedsNothingElse(t *testing.T) {
	s := contractServer(t, Options{Docs: true})
	w := get(s, "/docs")
	page, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("status %d, %v", w.Code, w.Header())
	}
	for _, foreign := range []string{"http://", "https://", "//cdn", "@import", "url(", " style=", "onclick="} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q has no %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Count(page, "<script>") != 1 || strings.Count(page, "<style>") != 1 {
		t.Errorf("policy %q allows more than the page's own script and style", policy)
	}
}
