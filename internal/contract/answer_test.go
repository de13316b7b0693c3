package contract

// The answers: SDK and adapter read the same in the fixtures.

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// kindOf gives the kind of failure that the word for the end of an answer means. An unknown word
// is an invalid answer.
func kindOf(ends map[string]signal.FailureKind, end string) signal.FailureKind {
	if kind, known := ends[end]; known {
		return kind
	}
	return signal.FailureInvalidResponse
}

// notValid are the fixtures that no service would send, with the reason.
var notValid = map[string]string{
	"grok answer_impossible_usage.json": "its total of tokens is below its prompt's; the SDK does no sums, and the adapter must call the usage unknown",
}

func TestAnswers(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		files, err := filepath.Glob(filepath.FromSlash(v.fixtures + "answer*.json"))
		if err != nil || len(files) < 5 {
			t.Fatalf("found %d fixtures (%v)", len(files), err)
		}
		sent := v.question(t, provider.Settings{})
		for _, file := range files {
			name := strings.TrimPrefix(filepath.ToSlash(file), v.fixtures)
			t.Run(name, func(t *testing.T) {
				if reason, ok := notValid[v.name+" "+name]; ok {
					t.Skip(reason)
				}
				text := v.fixture(t, name)
				base, _ := serve(t, text)
				theirs, err := v.sdk.resend(t.Context(), client(t), base, sent)
				if err != nil {
					t.Fatal(err)
				}
				answer, failed := v.ask(t, base, provider.Settings{})
				agree(t, theirs, answer, failed)
				strangers(t, v, document(t, text), theirs.whole)
			})
		}
	})
}

// agree compares what the SDK and the adapter read.
func agree(t *testing.T, theirs reply, answer provider.Answer, failed *provider.Error) {
	t.Helper()
	var kind signal.FailureKind
	model, usage := answer.Model, answer.Usage
	if failed != nil {
		kind, model, usage = failed.Kind, failed.Model, failed.Usage
		if failed.Status != http.StatusOK {
			t.Errorf("status = %d", failed.Status)
		}
	} else if want, err := provider.ParseBallot(theirs.text); err != nil {
		t.Errorf("the SDK's text is no ballot: %v\n%s", err, theirs.text)
	} else if diff := cmp.Diff(want, answer.Ballot); diff != "" {
		t.Errorf("ballot (-SDK +adapter):\n%s", diff)
	}
	if kind != theirs.kind {
		t.Errorf("kind = %q, want %q by the SDK's %q (%v)", kind, theirs.kind, theirs.end, failed)
	}
	if model != theirs.model {
		t.Errorf("model = %q, the SDK reads %q", model, theirs.model)
	}
	if theirs.usage.CostUSD == nil {
		usage.CostUSD = nil // from our price table, which the SDK does not know
	}
	if diff := cmp.Diff(theirs.usage, usage, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("usage (-SDK +adapter):\n%s", diff)
	}
}

// strangers gives the fields of an answer that the types of the SDK do not have.
func strangers(t *testing.T, v vendor, sent, whole any) {
	t.Helper()
	kept, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range lost("", sent, document(t, kept)) {
		if !slices.Contains(v.ownFields, place) {
			t.Errorf("the SDK does not know %s", place)
		}
	}
}

// TestEnds replaces the end of a good answer by each word of the SDK.
func TestEnds(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		whole := v.fixture(t, "answer.json")
		old := []byte(`"` + v.end + `"`)
		if bytes.Count(whole, old) != 1 {
			t.Fatalf("answer.json does not hold %s once", old)
		}
		for end, want := range v.ends {
			t.Run(end, func(t *testing.T) {
				base, _ := serve(t, bytes.Replace(whole, old, []byte(`"`+end+`"`), 1))
				_, failed := v.ask(t, base, provider.Settings{})
				var got signal.FailureKind
				if failed != nil {
					got = failed.Kind
				}
				if got != want {
					t.Errorf("kind = %q, want %q (%v)", got, want, failed)
				}
			})
		}
	})
}
