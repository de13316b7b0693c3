package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// planted are keys that no text holds by chance.
var planted = map[string]string{
	"anthropic": "sk-ant-api03-PLANTED-Zq7Xw2Lr9Vn4Tb6Yc1Md8Kf3Hs5Gj0PuEaRiOyWx-AA",
	"openai":    "sk-proj-planted-Bv5Nc8Qx1Lz4Rw7Td2Yh9Kf6Mj3Gs0PuAeIoUyTrWqSx",
	"gemini":    "AIzaPlantedTest7Jd4Wm1Xc8Vf5Rb2Ny9Kt6Lq",
	"grok":      "xai-TEST-Hm2Gx9Cw6Fz3Tr0Dv7Bn4Ls1Pk8Jq5YuEoIaRtWyMxNc",
}

// fragment is how many characters of a key are worth hiding.
const fragment = 8

// leaks gives the pieces of keys that a text holds.
func leaks(text string) (found []string) {
	for name, key := range planted {
		for i := range len(key) - fragment + 1 {
			if piece := key[i : i+fragment]; strings.Contains(text, piece) {
				found = append(found, name+": "+piece)
				break
			}
		}
	}
	return found
}

func TestLeaksAreFound(t *testing.T) {
	if got := leaks("all quiet, but " + planted["grok"][20:28]); len(got) != 1 {
		t.Errorf("found %q", got)
	}
}

// sentKey is the key that came with a request.
func sentKey(r *http.Request) string {
	return r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// spread puts invisible characters between the characters of a text.
func spread(text string) string { return strings.Join(strings.Split(text, ""), "\u200b") }

func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

// echoes are the ways in which a server gives back the key that it was sent.
var echoes = map[string]func(w http.ResponseWriter, r *http.Request, provider, key string){
	"error body": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"type":"error","error":{"type":"%[1]s","code":"%[1]s","status":"%[1]s","message":"no: %[1]s, %[2]s and %[3]s","details":[{"reason":"%[1]s"}]},"code":"%[1]s"}`, key, key[:12], key[9:])
	},
	"error that is a string": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"code": "invalid", "error": "Incorrect API key provided: %s"}`, key)
	},
	"plain text": func(w http.ResponseWriter, r *http.Request, _, key string) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s %v", key, r.Header)
	},
	"HTML page of a proxy": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html><title>%s</title><body>%s</body></html>", key, key)
	},
	"HTML page with status 200": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		fmt.Fprintf(w, "<html><title>%s</title><body>%s</body></html>", key, key)
	},
	"body that is the key": func(w http.ResponseWriter, _ *http.Request, _, key string) { fmt.Fprint(w, key) },
	"status line and header": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			fmt.Fprintf(connection, "HTTP/1.1 418 %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", key, key)
			_ = connection.Close()
		}
	},
	"no HTTP at all": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			fmt.Fprintf(connection, "%s\r\n\r\n", key)
			_ = connection.Close()
		}
	},
	"request id": func(w http.ResponseWriter, _ *http.Request, _, key string) {
		w.Header().Set("Request-Id", key)
		w.Header().Set("X-Request-Id", key)
		w.WriteHeader(http.StatusServiceUnavailable)
	},
	"reasoning": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, `{"decision":"BUY","confidence":0.9,"reasoning":"key `+key+` and `+key[5:]+` and `+key[:len(key)-3]+`","risk_level":"`+key+`","stop_loss":null,"take_profit":null}`))
	},
	"reasoning, escaped": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, `{"decision":"BUY","confidence":0.9,"reasoning":"key `+escaped(key)+`"}`))
	},
	"reasoning, spread": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, `{"decision":"BUY","confidence":0.9,"reasoning":"key `+spread(key)+`"}`))
	},
	"decision and confidence": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, `{"decision":"`+key+`","confidence":"`+key+`","reasoning":"x"}`))
	},
	"field names": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, `{"`+key+`":1,"`+key+`":2}`))
	},
	"text that is no vote": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		fmt.Fprint(w, envelope(provider, key))
	},
	"model name": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		answer := envelope(provider, ballots[provider])
		for _, model := range []string{"claude-haiku-5-5", "gemini-3.5-flash-lite", "grok-4.20-0309-non-reasoning", "gpt-6-luna"} {
			answer = strings.ReplaceAll(answer, `"`+model+`"`, `"`+key+`"`)
		}
		fmt.Fprint(w, answer)
	},
	"finish reason": func(w http.ResponseWriter, _ *http.Request, provider, key string) {
		answer := envelope(provider, ballots[provider])
		for _, reason := range []string{"end_turn", "STOP", "stop"} {
			answer = strings.ReplaceAll(answer, `"`+reason+`"`, `"`+key+`"`)
		}
		fmt.Fprint(w, answer)
	},
}

// No key shows, whatever a provider answers, however it is looked at.
func TestPlantedKeysNeverShow(t *testing.T) {
	looks := map[string]struct{ env, args []string }{
		"JSON document, JSON log": {[]string{"LOG_LEVEL=debug", "LOG_FORMAT=json"}, []string{"--json"}},
		"screen, text log":        {[]string{"LOG_LEVEL=debug", "LOG_FORMAT=text"}, nil},
	}
	for echo, answer := range echoes {
		t.Run(echo, func(t *testing.T) {
			t.Parallel()
			s := newWireServer(t, func(w http.ResponseWriter, r *http.Request) {
				provider, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
				if key := sentKey(r); key != planted[provider] {
					t.Errorf("%s got the key %q", provider, key)
				}
				answer(w, r, provider, sentKey(r))
			})
			for look, how := range looks {
				env := append(plantedAt(s.URL), `PROVIDERS_FILE={"providers": [{"name": "second", "base_url": "`+s.URL+`/openai", "model": "m", "api_key_env": "OPENAI_API_KEY",
					"headers": {"X-Second": "`+planted["grok"]+`"}, "extra_body": {"second": "`+planted["gemini"]+`"}}]}`)
				o := thalas(t, append(env, how.env...), indicators, question(how.args...)...)
				if found := leaks(o.out + o.err); found != nil {
					t.Errorf("%s: %q leak: %s", look, found, o)
				}
				if strings.ContainsAny(o.out+o.err, "\x1b\u200b") {
					t.Errorf("%s: control characters get through: %q", look, o)
				}
			}
			if s.asked() < 10 {
				t.Errorf("only %d requests came", s.asked())
			}
		})
	}
}

// plantedAt gives an environment with all planted keys and one server.
func plantedAt(url string) []string {
	env := []string{"GROK_ENABLED=true"}
	for name, key := range planted {
		env = append(env, strings.ToUpper(name)+"_API_KEY="+key, strings.ToUpper(name)+"_BASE_URL="+url+"/"+name)
	}
	return env
}

// A redirect is not followed: the key would go along.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newWireServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/"+sentKey(r), status)
		})
		o := thalas(t, append(plantedAt(s.URL), "LOG_LEVEL=debug"), indicators, question()...)
		if o.code != 3 || followed.Load() != 0 || s.asked() != 4 {
			t.Errorf("%d: followed %d times, asked %d times: %s", status, followed.Load(), s.asked(), o)
		}
		if found := leaks(o.out + o.err); found != nil {
			t.Errorf("%d: %q leak: %s", status, found, o)
		}
	}
}

// A proxy would read a key that goes over plain http, so such a call uses none. Over https it
// sees the name of the host. The name ends with a dot because a call to localhost itself
// would use no proxy anyway.
func TestNoProxyReadsAKey(t *testing.T) {
	t.Parallel()
	for scheme, want := range map[string]int{"http": 0, "https": 4} {
		var seen sync.Map
		proxy := newWireServer(t, func(w http.ResponseWriter, r *http.Request) {
			seen.Store(fmt.Sprint(r.Method, " ", r.Host, " ", r.Header), true)
			w.WriteHeader(http.StatusBadGateway)
		})
		env := append(plantedAt(scheme+"://localhost.:1"), "HTTP_PROXY="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "MAX_ATTEMPTS=1")
		o := thalas(t, env, indicators, question()...)
		if o.code != 3 || proxy.asked() != want {
			t.Errorf("%s: the proxy was asked %d times, want %d: %s", scheme, proxy.asked(), want, o)
		}
		for request := range seen.Range {
			if found := leaks(request.(string)); found != nil {
				t.Errorf("%s: the proxy read %q", scheme, found)
			}
		}
	}
}

// No key shows where nobody was asked: in what is set up, and in mistakes of setting it up.
func TestPlantedKeysAndConfiguration(t *testing.T) {
	t.Parallel()
	all := plantedAt("http://127.0.0.1:1")
	key := planted["openai"]
	prices := filepath.Join(t.TempDir(), "prices.json")
	if err := os.WriteFile(prices, []byte(`{"as_of": "`+key+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		args []string
		code int
	}{
		{"providers", nil, []string{"providers"}, 0},
		{"providers as JSON", nil, []string{"providers", "--json"}, 0},
		{"version", nil, []string{"version"}, 0},
		{"nobody listens", []string{"LOG_LEVEL=debug"}, question(), 3},
		{"simulated", []string{"LOG_LEVEL=debug"}, question("--simulate", "true"), 0},
		{"key with a line break", []string{"GROK_API_KEY=" + key + "\n" + key}, question(), 2},
		{"key in the address, as a user", []string{"OPENAI_BASE_URL=https://" + key + "@127.0.0.1"}, question(), 2},
		{"key in the address, as a query", []string{"OPENAI_BASE_URL=https://127.0.0.1/?key=" + key}, question(), 2},
		{"key as a number", []string{"MIN_PROVIDERS=" + key}, question(), 2},
		{"key as a model", []string{"OPENAI_MODEL=" + key}, []string{"providers"}, 2},
		{"key as an effort", []string{"OPENAI_EFFORT=" + key}, question(), 2},
		{"key as a word", []string{"MODEL_PROFILE=" + key}, question(), 2},
		{"key all over further providers", []string{`PROVIDERS_FILE={"` + key + `": 1, "providers": [{"name": "` + key + `", "` + key + `": 1, "api_key": "` + key + `", "api_key_env": "` + key + `", "preset": "` + key + `",
			"model": "` + key + `", "base_url": "https://` + key + `@host", "auth": {"` + key + `": "` + key + `"}, "headers": {"` + key + `": 1}, "extra_body": {"stream": "` + key + `", "n": {"` + key + `": 1}}, "price": "` + key + `"}]}`}, []string{"providers"}, 2},
		{"key inside a price file", []string{"PRICES_FILE=" + prices}, question(), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append(all[:len(all):len(all)], tt.env...) // the last one counts
			o := thalas(t, env, indicators, tt.args...)
			if found := leaks(o.out + o.err); found != nil {
				t.Errorf("%q leak: %s", found, o)
			}
			if o.code != tt.code {
				t.Errorf("want exit code %d: %s", tt.code, o)
			}
		})
	}
}
