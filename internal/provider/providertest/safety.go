package providertest

// Keys stay secret whatever is answered, and connections are used again.

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"thalas/internal/provider"
)

func testKey(t *testing.T, s Spec, client *http.Client) {
	// Shown whole, in part, masked, broken by invisible characters, and the keys
	// of others.
	other := []string{"sk-ant-api03-Zz9Yy8Xx7Ww6", "sk-proj-Qq1Ww2Ee3Rr4", "xai-Tt5Yy6Uu7Ii8Oo9", "AIzaSyPp0Aa1Ss2Dd3Ff4", "sk-ab***wxyz"}
	echo := "key " + Key + " or " + Key[:12] + " or " + Key[9:20] + " or " + Key[:6] + "\u200b" + Key[6:] + " Bearer " + Key + " " + strings.Join(other, " ")
	reasoning, err := json.Marshal(echo)
	if err != nil {
		t.Fatal(err)
	}
	vote := `{"decision":"BUY","confidence":0.5,"reasoning":` + string(reasoning) + `}`
	for name, handler := range map[string]http.HandlerFunc{
		"reasoning":      respond(200, nil, s.answer(t, vote)),
		"decision":       respond(200, nil, s.answer(t, strings.Replace(vote, "BUY", Key, 1))),
		"confidence":     respond(200, nil, s.answer(t, strings.Replace(vote, "0.5", `"`+Key+`"`, 1))),
		"model":          respond(200, map[string]string{"Request-Id": Key, "X-Request-Id": Key}, strings.Replace(s.answer(t, vote), quoted(s.Answer.Model), quoted(Key), 1)),
		"message":        respond(400, map[string]string{"Request-Id": Key, "X-Request-Id": Key}, `{"error":{"message":`+string(reasoning)+`}}`),
		"string message": respond(400, nil, `{"code":`+string(reasoning)+`,"error":`+string(reasoning)+`}`),
		"text":           respond(401, nil, echo),
		"not JSON":       respond(200, nil, echo),
		"redirect":       respond(302, map[string]string{"Location": "http://127.0.0.1/" + Key}, echo),
		"not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprintf(conn, "%s %s\r\n\r\n", Key, Key)
			_ = conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.new(t, serve(t, handler), client)
			answer, err := p.Ask(context.Background(), prompt)
			shown := fmt.Sprintf("%+v %#v %v %+v %#v", answer, answer, err, err, err)
			if b, marshalErr := json.Marshal(struct {
				Answer provider.Answer
				Err    error
			}{answer, err}); marshalErr == nil {
				shown += string(b)
			}
			for i := range len(Key) - 7 {
				if strings.Contains(shown, Key[i:i+8]) {
					t.Fatalf("shows %q of the key: %s", Key[i:i+8], shown)
				}
			}
			for _, k := range other {
				if strings.Contains(shown, k) {
					t.Errorf("shows %q: %s", k, shown)
				}
			}
		})
	}
}

func testReuse(t *testing.T, s Spec, client *http.Client) {
	var connections, calls atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%2 == 0 {
			respond(http.StatusServiceUnavailable, nil, strings.Repeat("overloaded ", 1000))(w, r)
			return
		}
		respond(http.StatusOK, nil, s.file(t, "answer.json"))(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	p := s.new(t, server.URL, client)
	for i := range 10 {
		if _, err := p.Ask(context.Background(), prompt); (err != nil) != (i%2 == 1) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 10 calls in a row, want 1", n)
	}
}
