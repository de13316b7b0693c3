package provider

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// plainWire is a wire format whose questions the test chooses.
type plainWire struct{ question func(Prompt) any }

func (w plainWire) Question(_ Model, p Prompt) (string, any) { return "/v1/ask", w.question(p) }
func (plainWire) BaseURL() string                            { return "http://127.0.0.1:1" }
func (plainWire) CheckPath() string                          { return "/v1/models" }
func (plainWire) Authorize(http.Header, Key)                 {}
func (plainWire) Answer([]byte) (Reply, error)               { return Reply{}, nil }

// Wherever a wire format puts the texts, the body equals the one that is marshalled whole.
func TestPayloadIsWhatMarshallingGives(t *testing.T) {
	prompts := []Prompt{
		{System: "the rules", User: "plain"},
		{System: "the rules", User: `quotes " and \ and <fences> & line` + "\nbreaks\u2028"},
		{System: "other rules", User: "plain"},
		{System: placeholder, User: placeholder},
		{},
	}
	forms := map[string]func(Prompt) any{
		"once":       func(p Prompt) any { return map[string]string{"system": p.System, "user": p.User} },
		"twice":      func(p Prompt) any { return []string{p.User, p.System, p.User} },
		"inside":     func(p Prompt) any { return map[string]string{"text": p.System + "\n\n" + p.User} },
		"not at all": func(p Prompt) any { return p.System },
	}
	for name, question := range forms {
		r := &Remote{wire: plainWire{question}}
		for range 2 { // the second time the form is there
			for _, prompt := range prompts {
				want, _ := json.Marshal(question(prompt))
				path, got, err := r.payload(prompt)
				if err != nil || path != "/v1/ask" {
					t.Fatal(path, err)
				}
				if diff := cmp.Diff(string(want), got[0]+got[1]+got[2]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		}
	}
}

// The parts of a question are read as one text, also a second time.
func TestPartsAreReadAsOneText(t *testing.T) {
	body := parts{"before ", strings.Repeat("the question", 1000), " after"}
	whole := body[0] + body[1] + body[2]
	var sent atomic.Bool
	request := body.sendWith(httptest.NewRequest(http.MethodPost, "/", nil), &sent)
	if request.ContentLength != int64(len(whole)) {
		t.Errorf("Content-Length %d, want %d", request.ContentLength, len(whole))
	}
	again, err := request.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, again, int64(len(whole))-1); err != nil || sent.Load() {
		t.Errorf("all but one byte count as sent, or %v", err)
	}
	if _, err := io.CopyN(io.Discard, again, 1); err != nil || !sent.Load() {
		t.Errorf("the whole body does not count as sent, or %v", err)
	}
	if again, err = request.GetBody(); err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.Reader{request.Body, again} {
		if err := iotest.TestReader(body, []byte(whole)); err != nil {
			t.Error(err)
		}
	}
}

// counted is a connection whose writes are counted.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// A usual question is sent by one write, with its header. If the idle connection has ended, it
// is sent by another one.
func TestQuestionsOnTheWire(t *testing.T) {
	prompt := Prompt{System: "the rules", User: strings.Repeat("<data>", 300)}
	large := Prompt{System: "the rules", User: strings.Repeat("<data>", 20_000)}
	question := func(p Prompt) any { return map[string]string{"system": p.System, "user": p.User} }
	var got []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	var writes atomic.Int64
	var dialled []net.Conn
	client := NewClient()
	defer client.CloseIdleConnections()
	transport := client.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		dialled = append(dialled, conn)
		return counted{conn, &writes}, err
	}
	r := &Remote{wire: plainWire{question}, key: NewKey("test-key"), base: server.URL, transport: transport}
	for _, step := range []struct {
		name    string
		prompt  Prompt
		end     bool // of the connection, before
		dialled int
		writes  int64 // 0: as many as it takes
	}{
		{"first", prompt, false, 1, 1},
		{"on the same connection", prompt, false, 1, 1},
		{"large", large, false, 1, 0},
		{"after the end of the connection", large, true, 2, 0},
	} {
		if step.end {
			_ = dialled[0].Close()
		}
		writes.Store(0)
		path, body, err := r.payload(step.prompt)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, failed := r.send(t.Context(), http.MethodPost, path, body, step.prompt); failed != nil {
			t.Fatalf("%s: %v", step.name, failed)
		}
		if want, _ := json.Marshal(question(step.prompt)); string(got) != string(want) {
			t.Errorf("%s: %d bytes arrived, want %d", step.name, len(got), len(want))
		}
		if len(dialled) != step.dialled || step.writes != 0 && writes.Load() != step.writes {
			t.Errorf("%s: %d connections and %d writes, want %d and %d", step.name, len(dialled), writes.Load(), step.dialled, step.writes)
		}
	}
}
