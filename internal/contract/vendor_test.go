package contract

// The four providers, each with its adapter and the SDK to compare it with.

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/openai"
	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// An sdk is an official client. Every method makes one call to base, which is the
// address without the version segment.
type sdk interface {
	// resend decodes a request of the adapter into the types of the SDK, and sends it.
	resend(ctx context.Context, client *http.Client, base string, sent exchange) (reply, error)

	// compose sends the prompt with the settings of a profile, written with the types and
	// constants of the SDK.
	compose(ctx context.Context, client *http.Client, base, profile string, prompt provider.Prompt) error

	// models makes the free call, and lists the models in its answer.
	models(ctx context.Context, client *http.Client, base string) ([]string, error)

	// problem gives the status and the code of an error as the error type of the SDK has them.
	// The status is 0 if err is not of that type.
	problem(err error) (status int, word string)

	// sameAs changes a body of the adapter to the documented form that the SDK uses.
	sameAs(body any) any
}

// A reply is an answer as the SDK read it.
type reply struct {
	text  string
	end   string             // the word for the end of the answer
	kind  signal.FailureKind // the kind of failure that it means; empty: a vote
	model string
	usage provider.Usage // CostUSD only if the answer has it
	whole any            // the answer of the SDK, for marshalling it again
}

type vendor struct {
	name      string
	adapter   func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)
	sdk       sdk
	fixtures  string                        // the beginning of the answer files' names
	end       string                        // the word for a complete answer
	ends      map[string]signal.FailureKind // by the words of the SDK for the end of an answer
	efforts   []string                      // the words of the SDK for effort
	ownFields []string                      // of an answer, which the SDK does not know
	faults    []fault                       // of the simulator
}

var vendors = []vendor{
	{
		name: simulator.Anthropic, adapter: anthropic.New, sdk: anthropicSDK{}, fixtures: "../provider/anthropic/testdata/",
		end: "end_turn", ends: anthropicEnds, efforts: anthropicEfforts, faults: anthropicFaults,
	},
	{
		name: simulator.OpenAI, adapter: openai.New, sdk: openaiSDK{}, fixtures: "../provider/openai/testdata/",
		end: "stop", ends: openaiEnds, efforts: openaiEfforts, ownFields: openaiFields, faults: openaiFaults,
	},
	{
		name: simulator.Gemini, adapter: gemini.New, sdk: geminiSDK{}, fixtures: "../provider/gemini/testdata/",
		end: "STOP", ends: geminiEnds, efforts: geminiEfforts, ownFields: geminiFields, faults: geminiFaults,
	},
	{
		name: simulator.Grok, adapter: openai.NewGrok, sdk: grokSDK{}, fixtures: "../provider/openai/testdata/grok_",
		end: "stop", ends: openaiEnds, efforts: openaiEfforts, ownFields: grokFields, faults: grokFaults,
	},
}

// each runs a test for every provider.
func each(t *testing.T, test func(t *testing.T, v vendor)) {
	t.Helper()
	for _, v := range vendors {
		t.Run(v.name, func(t *testing.T) { test(t, v) })
	}
}

// ask asks with the adapter.
func (v vendor) ask(t *testing.T, base string, settings provider.Settings) (provider.Answer, *provider.Error) {
	t.Helper()
	settings.Key, settings.BaseURL = provider.NewKey(key), base
	p, err := v.adapter(settings, provider.DefaultCatalog(), client(t))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Ask(t.Context(), prompt(t))
	var failed *provider.Error
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("the adapter's error is a %T: %v", err, err)
	}
	return answer, failed
}

// question gives the request of the adapter.
func (v vendor) question(t *testing.T, settings provider.Settings) exchange {
	t.Helper()
	base, sent := serve(t, v.fixture(t, "answer.json"))
	if _, err := v.ask(t, base, settings); err != nil {
		t.Fatal(err)
	}
	return *sent
}

func (v vendor) fixture(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(v.fixtures + name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// prompt is a real prompt with characters that JSON writers may escape.
func prompt(t *testing.T) provider.Prompt {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	number := func(text string) signal.Number {
		n, err := signal.ParseNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var data signal.MarketData
	data.Set("rsi", number("31.5"))
	data.Set("note", "<b>naïve</b> & \u2028 \"quoted\"")
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i, price := range []string{"50100.10", "50000.00", "49900.05", "50020.00"} {
		data.Candles = append(data.Candles, signal.Candle{
			Time: start.Add(time.Duration(i) * time.Hour),
			Open: number("50000"), High: number("50200"), Low: number("49800"), Close: number(price), Volume: number("12.5"),
		})
	}
	return provider.NewPrompt(pair, "1h", number("50020.00"), data)
}
