package providertest

// The exact request: method, path, headers and body.

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
)

var update = flag.Bool("update", false, "write golden files")

type sent struct {
	method, path string
	header       http.Header
	body         []byte
}

// record stores the last request and answers with body.
func record(to *sent, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to.method, to.path, to.header = r.Method, r.URL.RequestURI(), r.Header
		to.body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, body)
	}
}

func testRequest(t *testing.T, s Spec, client *http.Client) {
	half := 0.5
	for _, tt := range []struct {
		golden   string
		settings provider.Settings
	}{
		{"request.json", provider.Settings{}},
		{"request_flagship.json", provider.Settings{Profile: provider.ProfileFlagship}},
		{"request_temperature.json", provider.Settings{Model: s.Unknown, Temperature: &half, Effort: "medium", MaxTokens: 77}},
		{"request_bare.json", provider.Settings{Model: s.Unknown}},
	} {
		prefix := s.Prefix
		if s.Requests != "" {
			if prefix = s.Requests; tt.golden == "request_flagship.json" || tt.golden == "request_bare.json" {
				continue
			}
		}
		t.Run(tt.golden, func(t *testing.T) {
			var got sent
			p := s.new(t, tt.settings, serve(t, record(&got, s.file(t, "answer.json"))), client)
			if _, err := p.Ask(context.Background(), prompt); err != nil {
				t.Fatal(err)
			}
			if tt.settings.Model == "" && tt.settings.Profile == "" && got.path != s.AskPath {
				t.Errorf("path = %s, want %s", got.path, s.AskPath)
			}
			if got.method != http.MethodPost || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("sent %s of %q, want a POST of application/json", got.method, got.header.Get("Content-Type"))
			}
			checkHeader(t, s, got.header)
			compareGolden(t, filepath.Join("testdata", prefix+tt.golden), got.body)
		})
	}
}

func checkHeader(t *testing.T, s Spec, header http.Header) {
	t.Helper()
	for name, want := range s.Header {
		if got := header.Get(name); got != want {
			t.Errorf("header %s = %q, want %q", name, got, want)
		}
	}
}

func compareGolden(t *testing.T, file string, body []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, body, "", "  "); err != nil {
		t.Fatalf("the body is not JSON: %v", err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("body differs from %s (-want +got; -update writes it):\n%s", file, diff)
	}
}

func testCheck(t *testing.T, s Spec, client *http.Client) {
	var got sent
	p := s.new(t, provider.Settings{}, serve(t, record(&got, `{"data":[],"models":[]}`)), client)
	want := s.Model
	if want == "" {
		want = provider.DefaultCatalog().DefaultModel(s.Name, provider.ProfileFast)
	}
	if p.Name() != s.Name || p.Model() != want {
		t.Errorf("provider is %s with %s, want %s with %s", p.Name(), p.Model(), s.Name, want)
	}
	if err := p.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got.method != http.MethodGet || got.path != s.CheckPath || len(got.body) != 0 {
		t.Errorf("sent %s %s with %d bytes, want a bare GET %s", got.method, got.path, len(got.body), s.CheckPath)
	}
	checkHeader(t, s, got.header)

	t.Run("wrong key", func(t *testing.T) {
		err := s.new(t, provider.Settings{}, serve(t, respond(http.StatusUnauthorized, nil, "")), client).Check(context.Background())
		failed(t, err, "authentication")
	})
	t.Run("page of a proxy", func(t *testing.T) {
		err := s.new(t, provider.Settings{}, serve(t, respond(http.StatusOK, nil, "<html>Welcome</html>")), client).Check(context.Background())
		failed(t, err, "invalid_response")
	})
}

func testBaseURL(t *testing.T, s Spec, client *http.Client) {
	var got sent
	server := serve(t, record(&got, s.file(t, "answer.json")))
	for _, tt := range []struct{ suffix, want string }{
		{"", ""},
		{"/", ""},
		{s.Version, ""},
		{s.Version + "/", ""},
		{"/grok", "/grok"},
		{"/a%2Fb/c/", "/a%2Fb/c"},
		{"/grok" + s.Version, "/grok"},
		{"/grok" + s.Version + "//", "/grok"},
	} {
		t.Run("…"+tt.suffix, func(t *testing.T) {
			if _, err := s.new(t, provider.Settings{}, server+tt.suffix, client).Ask(context.Background(), prompt); err != nil {
				t.Fatal(err)
			}
			if want := tt.want + s.AskPath; got.path != want {
				t.Errorf("path = %s, want %s", got.path, want)
			}
		})
	}
}
