package providertest

// What is read from an answer with status 200.

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

const callID = "req_011CSHoEeqs5C35K2UUqR7Fy"

var nearly = cmpopts.EquateApprox(1e-12, 0)

// ballotOf gives the ballot that a model's text holds.
func ballotOf(t *testing.T, text string) provider.Ballot {
	t.Helper()
	b, err := provider.ParseBallot(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testAnswers(t *testing.T, s Spec, client *http.Client) {
	header := map[string]string{}
	if s.RequestID != "" {
		header[s.RequestID] = callID
	}
	for _, tt := range append(s.Answers, Answer{File: "answer.json", Usage: s.Answer.Usage}) {
		t.Run(tt.File, func(t *testing.T) {
			got, err := ask(t, s, client, respond(http.StatusOK, header, s.file(t, tt.File)))
			usage := got.Usage
			if tt.Kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(ballotOf(t, Ballot), got.Ballot); diff != "" {
					t.Errorf("ballot (-want +got):\n%s", diff)
				}
				if tt.File == "answer.json" && got.Model != s.Answer.Model {
					t.Errorf("model %q, want %q", got.Model, s.Answer.Model)
				}
			} else {
				e := failed(t, err, tt.Kind)
				usage = e.Usage
				if want := tt.Kind == signal.FailureInvalidResponse; e.Retryable != want {
					t.Errorf("retryable = %t, want %t", e.Retryable, want)
				}
				if !strings.Contains(e.Message, tt.Says) {
					t.Errorf("message %q does not say %q", e.Message, tt.Says)
				}
				if s.RequestID != "" && e.RequestID != callID || e.RequestID == "" {
					t.Errorf("request id = %q", e.RequestID)
				}
			}
			if diff := cmp.Diff(tt.Usage, usage, nearly); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
		})
	}
}

// testBallots puts other texts in place of the vote. What counts as a vote is tested
// with provider.ParseBallot.
func testBallots(t *testing.T, s Spec, client *http.Client) {
	t.Run("another vote", func(t *testing.T) {
		// A text that is a vote already holds no thoughts before it.
		const vote = ` {"decision":"sell","confidence":"0.5","reasoning":"r </think> {}"} `
		got, err := ask(t, s, client, respond(http.StatusOK, nil, s.answer(t, vote)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ballotOf(t, vote), got.Ballot); diff != "" {
			t.Errorf("ballot (-want +got):\n%s", diff)
		}
	})
	for _, text := range []string{"I would buy.", ""} {
		t.Run("not a vote: "+text, func(t *testing.T) {
			_, err := ask(t, s, client, respond(http.StatusOK, nil, s.answer(t, text)))
			e := failed(t, err, signal.FailureInvalidResponse)
			if !e.Retryable || e.BillUnknown || !e.Usage.Known || e.Usage.CostUSD == nil || e.Model != s.Answer.Model {
				t.Errorf("error = %+v, want a retryable one with the usage, cost and model of the answer", *e)
			}
		})
	}
}

// testUsageForms changes every usage figure of an answer. None of the changes may cost
// the vote.
func testUsageForms(t *testing.T, s Spec, client *http.Client) {
	var whole map[string]any
	decoder := json.NewDecoder(strings.NewReader(s.file(t, "answer.json")))
	decoder.UseNumber()
	if err := decoder.Decode(&whole); err != nil {
		t.Fatal(err)
	}
	vote := func(t *testing.T) provider.Usage {
		t.Helper()
		body, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := ask(t, s, client, respond(http.StatusOK, nil, string(body)))
		if err != nil {
			t.Fatalf("%s: the vote is lost: %v", body, err)
		}
		if u := answer.Usage; u.InputTokens < 0 || u.CachedTokens < 0 || u.OutputTokens < 0 || u.CachedTokens > u.InputTokens || u.CostUSD != nil && !(*u.CostUSD >= 0) {
			t.Errorf("usage %+v", u)
		}
		return answer.Usage
	}
	odd := []any{nil, "", "lots", -1, "-1", json.Number("1e400"), json.Number("1e17"), 0.5, true, []any{}, map[string]any{"a": 1}}
	var change func(t *testing.T, object map[string]any, key string)
	change = func(t *testing.T, object map[string]any, key string) {
		kept := object[key]
		if inner, is := kept.(map[string]any); is {
			for name := range inner {
				change(t, inner, name)
			}
		}
		for _, value := range odd {
			object[key] = value
			vote(t)
		}
		delete(object, key)
		vote(t)
		if number, is := kept.(json.Number); is {
			for _, value := range []any{json.Number(number.String() + ".0"), number.String(), " " + number.String() + ".000 "} {
				object[key] = value
				if diff := cmp.Diff(s.Answer.Usage, vote(t), nearly); diff != "" {
					t.Errorf("%s is %v: usage (-want +got):\n%s", key, value, diff)
				}
			}
		}
		object[key] = kept
	}
	for _, key := range []string{"usage", "usageMetadata"} {
		if _, is := whole[key]; is {
			change(t, whole, key)
		}
	}
}

func testForeignBodies(t *testing.T, s Spec, client *http.Client) {
	whole := s.file(t, "answer.json")
	for name, body := range map[string]string{
		"HTML":         "<!DOCTYPE html><html><body>Sign in to the hotel Wi-Fi</body></html>",
		"empty":        "",
		"empty object": "{}",
		"null":         "null",
		"array":        "[]",
		"cut JSON":     whole[:len(whole)/2],
		"trailing":     whole + "}",
		"5 MB":         strings.Replace(whole, quoted(Ballot), quoted(strings.Repeat("x", 5<<20)), 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, s, client, respond(http.StatusOK, nil, body))
			if e := failed(t, err, signal.FailureInvalidResponse); !e.Retryable || !e.BillUnknown || len(e.Message) > 600 {
				t.Errorf("error = %+v, want a retryable one with a short message whose bill is not known", *e)
			}
		})
	}
}
