package providertest

// Error answers: what each means, and that none of them shows the key.

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// wordings are error answers of providers and gateways, in groups of one meaning.
// Every row holds for every wire format, because a gateway answers in the form of
// whoever is behind it.
//
//go:embed errors.json
var wordings []byte

// fault is an error answer, and the error that it must become. A row of errors.json
// holds the fields that differ from those of its group.
type fault struct {
	Name        string             `json:"name"`
	Status      int                `json:"status"`
	Header      map[string]string  `json:"header"`
	Body        json.RawMessage    `json:"body"`     // a JSON string is sent as the text in it
	Question    string             `json:"question"` // the user text; empty: the suite's
	Kind        signal.FailureKind `json:"kind"`
	Retryable   bool               `json:"retryable"`
	WaitMS      int                `json:"wait_ms"`
	Denied      bool               `json:"denied"`
	BillUnknown bool               `json:"bill_unknown"`
	Says        string             `json:"says"` // a part of the message
}

// text is the body as it is sent.
func (f fault) text() string {
	var text string
	if err := json.Unmarshal(f.Body, &text); err != nil {
		return string(f.Body)
	}
	return text
}

func faults(t testing.TB) []fault {
	var groups []struct {
		fault
		Group string            `json:"group"`
		Rows  []json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(wordings, &groups); err != nil {
		t.Fatal(err)
	}
	all := []fault{{Name: "500 of 5 MB", Status: 500, Body: []byte(strings.Repeat("long ", 1<<20)), Kind: signal.FailureProvider, Retryable: true}}
	for _, group := range groups {
		for _, row := range group.Rows {
			f := group.fault
			if err := json.Unmarshal(row, &f); err != nil {
				t.Fatalf("%s in %s", err, row)
			}
			f.Name = fmt.Sprintf("%s %d: %s", group.Group, f.Status, f.Name)
			all = append(all, f)
		}
	}
	return all
}

func testErrors(t *testing.T, s Spec, client *http.Client) {
	for _, tt := range faults(t) {
		t.Run(tt.Name, func(t *testing.T) {
			asked := prompt
			if tt.Question != "" {
				asked.User = tt.Question
			}
			_, err := s.new(t, provider.Settings{}, serve(t, respond(tt.Status, tt.Header, tt.text())), client).Ask(context.Background(), asked)
			e := failed(t, err, tt.Kind)
			wait := time.Duration(tt.WaitMS) * time.Millisecond
			if e.Retryable != tt.Retryable || e.RetryAfter != wait || e.Denied != tt.Denied || e.BillUnknown != tt.BillUnknown {
				t.Errorf("retryable %t after %v, denied %t, bill unknown %t; want %t after %v, %t, %t; message: %s",
					e.Retryable, e.RetryAfter, e.Denied, e.BillUnknown, tt.Retryable, wait, tt.Denied, tt.BillUnknown, e.Message)
			}
			if e.Status != tt.Status && (tt.Status != http.StatusOK || e.Status < http.StatusBadRequest) {
				t.Errorf("status %d of an answer with %d", e.Status, tt.Status)
			}
			if !strings.Contains(e.Message, tt.Says) || !strings.HasPrefix(e.Message, s.Name) || len(e.Message) > 600 {
				t.Errorf("message %q is not a short one that begins with %s and says %q", e.Message, s.Name, tt.Says)
			}
		})
	}
	t.Run("redirect to another host", func(t *testing.T) {
		other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
		_, err := ask(t, s, client, respond(http.StatusTemporaryRedirect, map[string]string{"Location": other}, ""))
		if e := failed(t, err, signal.FailureProvider); e.Retryable {
			t.Error("a redirect is retryable")
		}
	})
}

func testKey(t *testing.T, s Spec, client *http.Client) {
	// The key is sent back whole, in part, and broken by invisible characters, and with
	// it the keys of others, one of them masked.
	other := []string{"sk-ant-api03-Zz9Yy8Xx7Ww6", "sk-proj-Qq1Ww2Ee3Rr4", "xai-Tt5Yy6Uu7Ii8Oo9", "AIzaSyPp0Aa1Ss2Dd3Ff4", "sk-ab***wxyz"}
	echo := "key " + Key + " or " + Key[:12] + " or " + Key[9:20] + " or " + Key[:6] + "\u200b" + Key[6:] + " Bearer " + Key + " " + strings.Join(other, " ")
	vote := `{"decision":"BUY","confidence":0.5,"reasoning":` + quoted(echo) + `}`
	ids := map[string]string{"Request-Id": Key, "X-Request-Id": Key}
	for name, handler := range map[string]http.HandlerFunc{
		"reasoning":      respond(200, nil, s.answer(t, vote)),
		"decision":       respond(200, nil, s.answer(t, strings.Replace(vote, "BUY", Key, 1))),
		"confidence":     respond(200, nil, s.answer(t, strings.Replace(vote, "0.5", `"`+Key+`"`, 1))),
		"model":          respond(200, ids, strings.Replace(s.answer(t, vote), quoted(s.Answer.Model), quoted(Key), 1)),
		"message":        respond(400, ids, `{"error":{"message":`+quoted(echo)+`}}`),
		"string message": respond(400, nil, `{"code":`+quoted(echo)+`,"error":`+quoted(echo)+`}`),
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
			answer, err := ask(t, s, client, handler)
			shown := fmt.Sprintf("%+v %#v %v %+v %#v", answer, answer, err, err, err)
			if b, marshalErr := json.Marshal([]any{answer, err}); marshalErr == nil {
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

// FuzzAnswer feeds answers to a provider: whatever it answers becomes a vote that can
// be counted, or an error of a known kind, without the key in it. It starts with the
// files in testdata whose names begin with prefix and "answer".
func FuzzAnswer(f *testing.F, construct constructor, prefix string) {
	files, err := filepath.Glob(filepath.Join("testdata", prefix+"answer*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no answers in testdata: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, data)
	}
	f.Add(400, []byte(`{"error":{"message":"`+Key+`","code":1,"details":[{"reason":"API_KEY_INVALID","retryDelay":"1s"}]}}`))
	for _, fault := range faults(f) {
		f.Add(fault.Status, []byte(fault.text()))
	}
	settings := provider.Settings{Key: provider.NewKey(Key)}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		p, err := construct(settings, provider.DefaultCatalog(), &http.Client{Transport: canned{status, body}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := p.Ask(context.Background(), prompt)
		usage := answer.Usage
		if err != nil {
			var e *provider.Error
			if !errors.As(err, &e) || e.Kind == "" || e.Kind == signal.FailureNotNeeded || e.Message == "" || e.RetryAfter < 0 || e.RetryAfter > 15*time.Minute || e.Denied && e.Retryable {
				t.Fatalf("error %#v", err)
			}
			usage = e.Usage
		} else if answer.Confidence < 0 || answer.Confidence > 1 || answer.Decision == "" || answer.Reasoning == "" {
			t.Fatalf("vote %+v", answer)
		}
		if usage.InputTokens < 0 || usage.OutputTokens < 0 || (usage.CostUSD != nil && !(*usage.CostUSD >= 0)) {
			t.Fatalf("usage %+v", usage)
		}
		if shown := fmt.Sprintf("%+v %+v", answer, err); strings.Contains(shown, Key[:8]) || strings.Contains(shown, Key[len(Key)-8:]) {
			t.Fatalf("shows the key: %s", shown)
		}
	})
}

// canned is a transport that gives the same answer to every request.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}
