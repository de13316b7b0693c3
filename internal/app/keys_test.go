package app

// Keys from a secret, over the SDK's own client.

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/secrets"
)

// secretsManager answers every call with the document that it holds; with an
// error where it holds none.
type secretsManager struct {
	document atomic.Pointer[string]
	calls    atomic.Int32
}

func newSecretsManager(t *testing.T) *secretsManager {
	t.Helper()
	m := &secretsManager{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.calls.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		document := m.document.Load()
		if document == nil {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"ResourceNotFoundException","message":"planted"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": *document})
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
	} {
		t.Setenv(name, value)
	}
	return m
}

// reasons are why the enabled providers can't be asked.
func reasons(a *App) map[string]string {
	got := map[string]string{}
	for _, e := range a.Registry.Entries() {
		if !e.Disabled {
			got[e.Provider.Name()] = e.Reason()
		}
	}
	return got
}

func TestPrepareGivesTheKeysOfTheSecret(t *testing.T) {
	m := newSecretsManager(t)
	document := `{"ANTHROPIC_API_KEY": "planted-test-key", "OPENAI_API_KEY": "planted-test-key-2"}`
	m.document.Store(&document)
	a, err := New(load(t, "PROVIDER_KEYS_SECRET_ID=keys"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := m.calls.Load(); n != 0 || len(a.Registry.Available()) != 3 {
		t.Errorf("before the first run: %d calls, %d providers available, want 0 and 3", n, len(a.Registry.Available()))
	}
	for range 3 {
		if err := a.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"anthropic": "", "openai": "", "gemini": "no API key: the secret keys has no GEMINI_API_KEY"}
	if diff := cmp.Diff(want, reasons(a)); diff != "" || m.calls.Load() != 1 {
		t.Errorf("%d calls (-want +got):\n%s", m.calls.Load(), diff)
	}
}

func TestPrepareWithoutTheSecret(t *testing.T) {
	m := newSecretsManager(t)
	a, err := New(load(t, "PROVIDER_KEYS_SECRET_ID=keys"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Prepare(t.Context()); !errors.Is(err, secrets.ErrNoValue) || !strings.Contains(err.Error(), "put-secret-value --secret-id keys") {
		t.Errorf("error %v", err)
	}

	// A key of one's own is enough to ask one provider.
	a, err = New(load(t, "PROVIDER_KEYS_SECRET_ID=keys", "OPENAI_API_KEY=planted-test-key"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Prepare(t.Context()); err != nil {
		t.Error(err)
	}
	got := reasons(a)
	if got["openai"] != "" || !strings.Contains(got["gemini"], "the secret keys has no value yet") || m.calls.Load() != 2 {
		t.Errorf("after %d calls: %v", m.calls.Load(), got)
	}
}

// The keys of the environment win, and the secret is not read if no other one is needed.
func TestKeysOfTheEnvironmentWin(t *testing.T) {
	m := newSecretsManager(t)
	a, err := New(load(t, "PROVIDER_KEYS_SECRET_ID=keys", "ANTHROPIC_API_KEY=planted-1", "OPENAI_API_KEY=planted-2", "GEMINI_API_KEY=planted-3", "GROK_API_KEY=planted-4"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Prepare(t.Context()); err != nil || len(a.Registry.Available()) != 3 || m.calls.Load() != 0 {
		t.Errorf("%d providers available after %d calls, %v; want 3 after none", len(a.Registry.Available()), m.calls.Load(), err)
	}
}

func TestASecretNeedsARegion(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
	}
	if _, err := New(load(t, "PROVIDER_KEYS_SECRET_ID=keys"), nil, nil); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("error %v", err)
	}
}
