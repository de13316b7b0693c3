package providertest

// What is read of a 2xx answer.

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

const callID = "req_011CSHoEeqs5C35K2UUqR7Fy"

func ballotOf(t *testing.T, text string) provider.Ballot {
	t.Helper()
	b, err := provider.ParseBallot(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var nearly = cmpopts.EquateApprox(1e-12, 0)

func testAnswers(t *testing.T, s Spec, client *http.Client) {
	header := map[string]string{}
	if s.RequestID != "" {
		header[s.RequestID] = callID
	}
	t.Run("answer.json", func(t *testing.T) {
		got, err := ask(t, s, client, respond(http.StatusOK, header, s.file(t, "answer.json")))
		if err != nil {
			t.Fatal(err)
		}
		want := s.Answer
		want.Ballot = ballotOf(t, Ballot)
		if diff := cmp.Diff(want, got, nearly); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
	})
	for _, tt := range s.Answers {
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

func testBallots(t *testing.T, s Spec, client *http.Client) {
	vote := func(decision, confidence string) string {
		return `{"decision":` + decision + `,"confidence":` + confidence + `,"reasoning":"r","risk_level":"low","stop_loss":null,"take_profit":null}`
	}
	for _, tt := range []struct {
		name, text string
		valid      bool
	}{
		{"lower case", vote(`"sell"`, "0.5"), true},
		{"confidence in a string", vote(`"BUY"`, `"0.85"`), true},
		{"white space around", "\n " + vote(`"BUY"`, "1") + "\n", true},
		{"levels missing", `{"decision":"HOLD","confidence":0,"reasoning":"r"}`, true},
		{"percentage", vote(`"BUY"`, "85"), false},
		{"negative confidence", vote(`"BUY"`, "-0.1"), false},
		{"boolean confidence", vote(`"BUY"`, "true"), false},
		{"decision of another type", vote(`1`, "0.5"), false},
		{"unknown decision", vote(`"SHORT"`, "0.5"), false},
		{"missing field", `{"decision":"BUY","confidence":0.5}`, false},
		{"fenced", "```json\n" + vote(`"BUY"`, "0.5") + "\n```", false},
		{"cut", vote(`"BUY"`, "0.5")[:40], false},
		{"two votes", vote(`"BUY"`, "0.5") + vote(`"SELL"`, "0.5"), false},
		{"prose", "I would buy.", false},
		{"empty", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ask(t, s, client, respond(http.StatusOK, nil, s.answer(t, tt.text)))
			if tt.valid {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(ballotOf(t, tt.text), got.Ballot); diff != "" {
					t.Errorf("ballot (-want +got):\n%s", diff)
				}
				return
			}
			e := failed(t, err, signal.FailureInvalidResponse)
			if !e.Retryable || !e.Usage.Known || e.Usage.CostUSD == nil || e.Model != s.Answer.Model {
				t.Errorf("error = %+v, want a retryable one with the usage, cost and model of the answer", *e)
			}
		})
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
			if e := failed(t, err, signal.FailureInvalidResponse); !e.Retryable || len(e.Message) > 600 {
				t.Errorf("error = %+v, want a retryable one with a short message", *e)
			}
		})
	}
}
