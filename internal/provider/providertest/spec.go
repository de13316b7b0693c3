// Package providertest is the conformance suite of wire formats: [Run] tests what a
// wire format can get wrong, over real HTTP servers on loopback. What is the same for
// all of them (settings, connections, deadlines) is tested in package provider.
//
// A wire format brings a [Spec] and files in its testdata folder: golden requests
// (request.json, request_flagship.json, request_temperature.json, request_bare.json,
// which go test -update writes) and answers as the provider sends them.
package providertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Ballot is the text of a vote. Every answer file that holds a whole vote holds
// this one, as a JSON string, so that the suite can put another in its place.
const Ballot = `{"decision":"BUY","confidence":0.82,"reasoning":"RSI recovers from oversold while price holds above its average.","risk_level":"medium","stop_loss":49000,"take_profit":52000.5}`

// Key is the API key of the suite.
const Key = "plantedQ7vXw2Zr9TtLm4Kp8HsNb3"

var prompt = provider.Prompt{System: "You are one of several analysts.", User: "Vote on <market_data> & nothing else: {\"pair\":\"BTC/USDT\",\"price\":50000.0}"}

// constructor is the New function of a wire format.
type constructor func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)

// Spec describes a provider to the suite.
type Spec struct {
	Name      string // such as grok
	New       constructor
	Prefix    string            // of the file names in testdata
	Requests  string            // of those of the golden requests, if providers share the answers: then there are only two
	Model     string            // that is asked; empty: that of the fast profile
	Version   string            // the version segment of all paths: /v1
	AskPath   string            // of a question to the model of the fast profile
	CheckPath string            // of the free call that proves the key
	Header    map[string]string // the headers of every request, with the key
	RequestID string            // the header with the provider's id of a call; empty: the id is in the body
	Unknown   string            // a model that the table of models does not have
	Answer    provider.Answer   // what answer.json must give, without its Ballot
	Answers   []Answer          // further files

	SameErrors bool // another Spec with the same reading of errors runs the table of errors, which is long
}

// Answer is a file with an answer of status 200, and what must be read from it.
type Answer struct {
	File  string             // in testdata, without the prefix
	Kind  signal.FailureKind // empty: a vote
	Says  string             // a part of the error's message
	Usage provider.Usage
}

// USD is a cost, for the literals of a [Spec].
func USD(amount float64) *float64 { return &amount }

// Run tests a provider.
func Run(t *testing.T, s Spec) {
	before := goleak.IgnoreCurrent()
	client := provider.NewClient()
	for name, test := range map[string]func(*testing.T, Spec, *http.Client){
		"request": testRequest, "check": testCheck, "base URL": testBaseURL, "answers": testAnswers, "ballots": testBallots,
		"usage forms": testUsageForms, "not the wire format": testForeignBodies, "errors": testErrors, "key": testKey,
	} {
		if name == "errors" && s.SameErrors {
			continue
		}
		t.Run(name, func(t *testing.T) { test(t, s, client) })
	}
	client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

// file reads a file of the wire format's testdata.
func (s Spec) file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", s.Prefix+name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// answer gives answer.json with another text in place of its ballot.
func (s Spec) answer(t *testing.T, text string) string {
	t.Helper()
	whole := s.file(t, "answer.json")
	if strings.Count(whole, quoted(Ballot)) != 1 {
		t.Fatalf("%sanswer.json does not hold providertest.Ballot exactly once, as a string of its own", s.Prefix)
	}
	return strings.Replace(whole, quoted(Ballot), quoted(text), 1)
}

// quoted gives a text as a JSON string in ASCII.
func quoted(text string) string {
	return strings.ReplaceAll(strconv.QuoteToASCII(strings.ToValidUTF8(text, "")), `\x`, `\u00`)
}

// new makes the provider with the base URL of a server.
func (s Spec) new(t *testing.T, settings provider.Settings, base string, client *http.Client) provider.Provider {
	t.Helper()
	settings.Key, settings.BaseURL = provider.NewKey(Key), base
	p, err := s.New(settings, provider.DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve starts a server for one test.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// respond reads each request and gives the same answer to all of them.
func respond(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// ask sends one question to a server with that handler.
func ask(t *testing.T, s Spec, client *http.Client, handler http.HandlerFunc) (provider.Answer, error) {
	t.Helper()
	return s.new(t, provider.Settings{}, serve(t, handler), client).Ask(context.Background(), prompt)
}

// failed gives err as the [provider.Error] of that kind that it must be.
func failed(t *testing.T, err error, kind signal.FailureKind) *provider.Error {
	t.Helper()
	var e *provider.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v (%T), want a *provider.Error of kind %s", err, err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("kind = %s, want %s; message: %s", e.Kind, kind, e.Message)
	}
	if e.Message == "" {
		t.Error("the error has no message")
	}
	return e
}
