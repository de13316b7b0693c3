package e2e

// Who may call, and what nobody gets to see.

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
)

func containsWarning(body, code string) bool { return strings.Contains(body, `"code":"`+code+`"`) }

func hashOf(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	p := gated(t)
	const one, two = "the-first-callers-key", "the-second-callers-key"
	s := startServer(t, storeFile(t), append(p.env(), "LOG_LEVEL=debug", "API_KEYS="+hashOf(one)+","+hashOf(two))...)
	for _, path := range []string{"/v1/consensus", "/api/v1/strategies/llm-consensus"} {
		for key, want := range map[string]int{"": 401, "the-wrong-callers-key": 401, hashOf(one): 401, one: 200, two: 200} {
			if r := s.do(t.Context(), http.MethodPost, path, about("BTC/USDT"), "X-Api-Key", key); r.status != want {
				t.Errorf("%s with %q: %d %s", path, key, r.status, r.body)
			}
		}
	}
	for path, want := range map[string]int{
		"/v1/health": 200, "/v1/health?probe=true": 401, "/openapi.json": 200, "/docs": 200, "/": 200, "/ui/app.js": 200, "/problems/unauthorized": 200,
		"/v1/metrics": 401, "/v1/consensus": 401, "/v1/consensus/latest?pair=BTC/USDT": 401, "/api/v1/strategies/llm-consensus": 401,
	} {
		if r := s.get(t, path); r.status != want {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	for provider, asked := range p.Requests() {
		if asked != 4 {
			t.Errorf("%s was asked %d times, want once for each accepted question", provider, asked)
		}
	}
	s.terminate(t, sigterm)
	for _, secret := range []string{one, two, "the-wrong-callers-key"} {
		if strings.Contains(s.log.String(), secret) || strings.Contains(fileOf(t, s.file), secret) {
			t.Errorf("the key %s is kept", secret)
		}
	}
}

func fileOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestNotBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "localhost.localdomain:0"} {
		o := thalas(t, []string{"HOME=" + t.TempDir()}, "", "serve", "--listen", address)
		if o.code != 2 || !strings.Contains(o.err, "can be reached by others, and no API_KEYS are set") {
			t.Errorf("%s: %s", address, o)
		}
	}
}

// Whatever a provider answers, its key is in no answer, no log line and not in
// the store's file.
func TestPlantedKeysAreNotKept(t *testing.T) {
	for echo, answer := range echoes {
		t.Run(echo, func(t *testing.T) {
			t.Parallel()
			w := newWireServer(t, func(w http.ResponseWriter, r *http.Request) {
				provider, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
				answer(w, r, provider, sentKey(r))
			})
			s := startServer(t, storeFile(t), append(plantedAt(w.URL), "LOG_LEVEL=debug")...)
			var seen strings.Builder
			look := func(r reply) {
				seen.WriteString(r.body)
				for name, values := range r.header {
					seen.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
				}
			}
			look(s.ask(t, about("BTC/USDT"), "Idempotency-Key", "k"))
			look(s.do(t.Context(), http.MethodPost, "/api/v1/strategies/llm-consensus", about("BTC/USDT")))
			for _, path := range []string{"/v1/consensus", "/v1/health?probe=true", "/v1/metrics", "/api/v1/strategies/llm-consensus"} {
				look(s.get(t, path))
			}
			s.terminate(t, sigterm)
			for where, text := range map[string]string{"an answer": seen.String(), "the log": s.log.String(), "the file": fileOf(t, s.file)} {
				if found := leaks(text); found != nil {
					t.Errorf("%q are in %s", found, where)
				}
			}
			if w.asked() < 8 {
				t.Errorf("only %d requests came", w.asked())
			}
		})
	}
}
