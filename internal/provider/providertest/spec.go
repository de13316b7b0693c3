package providertest

// What the suite must be told of a wire format.

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Ballot is the text of a vote. Every answer file that holds a whole vote holds
// this one, as a JSON string, so that the suite can put another in its place.
const Ballot = `{"decision":"BUY","confidence":0.82,"reasoning":"RSI recovers from oversold while price holds above its average.","risk_level":"medium","stop_loss":49000,"take_profit":52000.5}`

// Key is the key that the suite asks with.
const Key = "plantedQ7vXw2Zr9TtLm4Kp8HsNb3"

// Spec describes a provider to the suite.
type Spec struct {
	Name      string // grok
	New       func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)
	Prefix    string            // of the file names in testdata
	Version   string            // the version segment of all paths: /v1
	AskPath   string            // of a question to the fast profile's model
	CheckPath string            // of the check
	Header    map[string]string // what every request carries, the key too
	RequestID string            // the header that holds the provider's id of a call; empty: the body does

	// Unknown is a model without an entry in the table.
	Unknown string

	// Answer is what answer.json must give, but for the Ballot.
	Answer provider.Answer

	// Answers are further files with status 200.
	Answers []Answer
}

// Answer is a file with a 2xx answer and what must come of it.
type Answer struct {
	File  string             // in testdata, without the prefix
	Kind  signal.FailureKind // empty: a vote
	Says  string             // must be in the error's message
	Usage provider.Usage
}

// Fault is an error that a provider or a gateway answers, and what must come of it.
type Fault struct {
	Name       string
	Status     int
	Header     map[string]string
	Body       string
	Kind       signal.FailureKind
	Retryable  bool
	RetryAfter time.Duration
	Waits      bool   // RetryAfter depends on when the test runs: any wait up to 15 minutes
	Denied     bool   // nobody with this account is served
	Says       string // must be in the message
	Question   string // the user text that was asked with; empty: the suite's

	// BillUnknown: what it cost is not known.
	BillUnknown bool
}

// USD is a cost, for the literals of a Spec.
func USD(amount float64) *float64 { return &amount }

// file reads a file of the wire format's testdata.
func (s Spec) file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", s.Prefix+name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// answer gives answer.json with text in place of its ballot.
func (s Spec) answer(t *testing.T, text string) string {
	t.Helper()
	whole := s.file(t, "answer.json")
	if strings.Count(whole, quoted(Ballot)) != 1 {
		t.Fatalf("%sanswer.json does not hold providertest.Ballot once, as one string", s.Prefix)
	}
	return strings.Replace(whole, quoted(Ballot), quoted(text), 1)
}

func quoted(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r > '~' || r < ' ' }) >= 0 {
		text = strings.ToValidUTF8(text, "")
	}
	return strings.ReplaceAll(strconv.QuoteToASCII(text), `\x`, `\u00`)
}

// new makes the provider for a server.
func (s Spec) new(t *testing.T, base string, client *http.Client) provider.Provider {
	t.Helper()
	p, err := s.New(provider.Settings{Key: provider.NewKey(Key), BaseURL: base}, provider.DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
