package api_test

// A client of the original system on the compatibility route.

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const compatPath = "/api/v1/strategies/llm-consensus"

func TestOriginalClient(t *testing.T) {
	f := newServer(t, setup{})
	long := strings.Repeat("é", 1000)
	for _, tt := range []struct{ name, body string }{
		{"as documented", goodBody},
		{"capitalised names", edited("provider_weights", `{"Anthropic":1.0,"OpenAI":0.9,"Gemini":0.8,"Grok":0.7}`)},
		{"weights of nobody", edited("provider_weights", `{"mistral":7,"GROK":"high","openai":0.5}`)},
		{"no weights", edited("provider_weights", `null`)},
		{"unknown keys", edited("strategy", `{"a":[1]}`, "user_id", `7`, "min_providers", `"abc"`, "timeout_seconds", `-1`, "wait", `[]`)},
		{"a question", edited("pair", `"Will Bitcoin reach $100k?"`, "current_price", "0.62")},
		{"nulls", edited("market_data", `{"rsi":null,"macd":null,"volume":5}`, "timeframe", "null")},
		{"long text", edited("market_data", `{"news":"`+long+`"}`)},
		{"candles without times", edited("market_data", `{"recent_candles":[{"open":1,"high":2,"low":1,"close":2},{"open":2,"high":2,"low":1,"close":1,"volume":null}]}`)},
		{"a key twice", goodBody[:len(goodBody)-1] + `,"current_price":50001}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := f.post(t, compatPath, tt.body).want(t, 200).object(t)
			want := []string{"confidence", "consensus_metadata", "decision", "provider_responses", "reasoning", "risk_level", "simulated", "suggested_stop_loss", "suggested_take_profit"}
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if n := len(got["provider_responses"].([]any)); n != 3 {
				t.Errorf("%d providers answered, want 3", n)
			}
		})
	}
	for _, request := range f.simulator.Recorded() {
		if request.Method != "POST" {
			t.Errorf("%s %s: only questions were to be sent", request.Method, request.Path)
		}
	}
}

func TestRealAnswersAreNotMarked(t *testing.T) {
	f := newServer(t, setup{real: true})
	if _, marked := f.post(t, compatPath, goodBody).want(t, 200).object(t)["simulated"]; marked {
		t.Error("a real answer has the key simulated")
	}
}

func TestCompatKeyIsPaidOnce(t *testing.T) {
	f := newServer(t, setup{})
	ask := func(body string) reply { return f.post(t, compatPath, body, "Idempotency-Key", "k") }
	first, again := ask(goodBody).want(t, 200), ask(goodBody).want(t, 200)
	if diff := cmp.Diff(first.object(t), again.object(t)); diff != "" || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replayed %q (-first +again):\n%s", again.header.Get("Idempotency-Replayed"), diff)
	}
	ask(edited("current_price", "50001")).want(t, 422)
	f.post(t, "/v1/consensus", goodBody, "Idempotency-Key", "k").want(t, 200) // a key of another route is another key
	if n := len(f.simulator.Recorded()); n != 6 {
		t.Errorf("%d calls, want 3 for each route", n)
	}
	wrong := f.post(t, compatPath, goodBody, "Idempotency-Key", "a b").want(t, 400)
	if text := string(wrong.body); !strings.Contains(text, "Idempotency-Key has not 1 to 255 visible characters") {
		t.Errorf("the refusal is %s", text)
	}
}

func TestCompatWeightsCount(t *testing.T) {
	f := newServer(t, setup{})
	metadata := func(weights string) json.RawMessage {
		var answer struct {
			Metadata struct {
				WeightedVotes json.RawMessage `json:"weighted_votes"`
			} `json:"consensus_metadata"`
		}
		f.post(t, compatPath, edited("provider_weights", weights)).want(t, 200).into(t, &answer)
		return answer.Metadata.WeightedVotes
	}
	if got := string(metadata(`{"Anthropic":0,"OPENAI":0,"gemini":0}`)); got != `{"BUY":0,"SELL":0,"HOLD":0}` {
		t.Errorf("weighted votes %s, want none", got)
	}
}

func TestQuestionIsItsOwnSeries(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, compatPath, edited("pair", `"  Will Bitcoin reach $100k?\n"`)).want(t, 200)
	f.post(t, compatPath, edited("pair", `"btc_usdt"`)).want(t, 200)
	var page struct{ Items []struct{ Pair string } }
	f.get(t, "/v1/consensus").want(t, 200).into(t, &page)
	var pairs []string
	for _, item := range page.Items {
		pairs = append(pairs, item.Pair)
	}
	if diff := cmp.Diff([]string{"BTC/USDT", "Will Bitcoin reach $100k?"}, pairs); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
}

// Results of the compatibility route are found by the name that was sent, and a pair also by
// another notation. Two names never share a series.
func TestSeriesIsReadByWhatWasAsked(t *testing.T) {
	f := newServer(t, setup{})
	const long = "Will it rain in this town on at least one of the days until the end of the year" // no pair is as long
	for _, tt := range []struct{ asked, read, name string }{
		{"Will Bitcoin reach $100k?", "Will Bitcoin reach $100k?", "Will Bitcoin reach $100k?"},
		{"  Will Ether\nreach 10k? ", "Will Ether reach 10k?", "Will Ether reach 10k?"},
		{"Ist 1 % + 2 % = 3 %? #1 & ü", "Ist 1 % + 2 % = 3 %? #1 & ü", "Ist 1 % + 2 % = 3 %? #1 & ü"},
		{strings.Repeat("x", 300), strings.Repeat("x", 300), strings.Repeat("x", 300)},
		{long, long, long},
		{"btc_usdt", "BINANCE:BTCUSDT", "BTC/USDT"},
		{"XYZ-TSLA/USDC:USDC", "xyz-tsla/usdc.p", "XYZ-TSLA/USDC:USDC"},
		{"BTC-USDT-SWAP", "BTC-USDT-SWAP", "BTC-USDT-SWAP"}, // the original took it
		{"BTC/PERP", "BTC/PERP", "BTC/PERP"},                // as BTC-PERP was stored once
		{"ETHXYZ", "ETHXYZ", "ETHXYZ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(tt.asked)
			if err != nil {
				t.Fatal(err)
			}
			f.post(t, compatPath, edited("pair", string(text))).want(t, 200)
			query := url.Values{"pair": {tt.read}}.Encode()

			var latest struct{ ID, Pair string }
			f.get(t, "/v1/consensus/latest?"+query).want(t, 200).into(t, &latest)
			if latest.Pair != tt.name {
				t.Errorf("latest is of %q, want %q", latest.Pair, tt.name)
			}
			var page struct{ Items []struct{ ID, Pair string } }
			f.get(t, "/v1/consensus?"+query).want(t, 200).into(t, &page)
			if len(page.Items) != 1 || page.Items[0] != latest {
				t.Errorf("the history is %v, want %v alone", page.Items, latest)
			}
			if text, err = json.Marshal(map[string]any{"pair": tt.read, "min_confidence": 1}); err != nil {
				t.Fatal(err)
			}
			var replayed struct{ Runs int }
			f.post(t, "/v1/replay", string(text)).want(t, 200).into(t, &replayed)
			if replayed.Runs != 1 {
				t.Errorf("%d runs are replayed, want 1", replayed.Runs)
			}
		})
	}
}

// A name that can't be that of a series does not affect the others.
func TestLatestOfManyKeepsTheOthers(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, "/v1/consensus", goodBody).want(t, 200)
	f.post(t, compatPath, edited("pair", `"Will it rain?"`)).want(t, 200)
	long := strings.Repeat("x", 301)
	query := url.Values{"pair": {"BTC-PERP", "btcusdt", "\x00", long, "Will it rain?", "XYZ-TSLA/USDC:USDC", "BTCUSD"}}
	var many struct {
		Items   []struct{ Pair string }
		Missing []string
	}
	f.get(t, "/v1/consensus/latest?"+query.Encode()).want(t, 200).into(t, &many)
	if diff := cmp.Diff([]struct{ Pair string }{{"BTC/USDT"}, {"Will it rain?"}}, many.Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	want := []string{"\x00", long[:100] + "…", "BTC-PERP", "XYZ-TSLA/USDC:USDC", "BTC/USD"}
	if diff := cmp.Diff(want, many.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// The answer about a name that is no pair and has no results shows what a pair looks like.
func TestNoSignalOfFreeText(t *testing.T) {
	f := newServer(t, setup{})
	p := f.get(t, "/v1/consensus/latest?pair=BTCXYZ").problem(t, 404, "no-signal-yet")
	if !strings.Contains(p.Detail, `read as free text`) || !strings.Contains(p.Detail, "send one such as BTC/USDT") {
		t.Errorf("detail %q", p.Detail)
	}
}

func TestOriginalErrors(t *testing.T) {
	f := newServer(t, setup{})
	late := newServer(t, setup{faults: "anthropic=timeout_504*;openai=wrong_key*;gemini=wrong_key*"})
	keyless := newServer(t, setup{none: true})
	for _, tt := range []struct {
		name   string
		reply  reply
		status int
		error  string
		fields []string // of details; none: a detail
		detail string
	}{
		{"several fields", f.post(t, compatPath, `{"pair":"","current_price":"x","market_data":{"a":{},"b":[{}]},"provider_weights":{"openai":2}}`), 400, "Invalid request data", []string{"current_price", "market_data", "pair", "provider_weights"}, ""},
		{"nothing", f.post(t, compatPath, `{}`), 400, "Invalid request data", []string{"current_price", "market_data", "pair"}, ""},
		{"not JSON", f.post(t, compatPath, `{`), 400, "Invalid request data", []string{"non_field_errors"}, ""},
		{"no object", f.post(t, compatPath, `[]`), 400, "Invalid request data", []string{"non_field_errors"}, ""},
		{"NaN", f.post(t, compatPath, `{"market_data":{"rsi":NaN}}`), 400, "Invalid request data", []string{"market_data"}, ""},
		{"text too long", f.post(t, compatPath, edited("market_data", `{"news":"`+strings.Repeat("x", 1001)+`"}`)), 400, "Invalid request data", []string{"market_data"}, ""},
		{"pair too long", f.post(t, compatPath, edited("pair", `"`+strings.Repeat("x", 301)+`"`)), 400, "Invalid request data", []string{"pair"}, ""},
		{"no providers", keyless.post(t, compatPath, goodBody), 503, "No available providers in registry", nil, "No available providers in registry"},
		{"too late", late.post(t, compatPath, goodBody), 503, "Insufficient successful provider responses: 0 < 1", nil, "openai: authentication"},
		{"method", f.send(t, "DELETE", compatPath, ""), 405, "DELETE is not allowed here: send one of GET, HEAD, POST.", nil, "GET, HEAD, POST"},
		{"content type", f.post(t, compatPath, goodBody, "Content-Type", "text/plain"), 415, `Content-Type "text/plain" is not read: send application/json in UTF-8.`, nil, "application/json"},
		{"too large", f.post(t, compatPath, strings.Repeat(" ", 300<<10)+goodBody), 413, "The body is over the limit of 256 KiB: send at most 500 candles and fewer indicators.", nil, "256 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.reply.want(t, tt.status)
			if got := tt.reply.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			var e struct {
				Error   string
				Detail  *string
				Details map[string][]string
			}
			tt.reply.into(t, &e)
			if e.Error != tt.error {
				t.Errorf("error %q, want %q", e.Error, tt.error)
			}
			if diff := cmp.Diff(tt.fields, slices.Sorted(maps.Keys(e.Details))); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
			if tt.fields == nil && (e.Detail == nil || !strings.Contains(*e.Detail, tt.detail)) {
				t.Errorf("detail %v, want %q in it", e.Detail, tt.detail)
			}
			if tt.status == 503 && tt.reply.header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
}

func TestOriginalHealthAsksNobody(t *testing.T) {
	f := newServer(t, setup{})
	f.post(t, compatPath, goodBody).want(t, 200)
	asked := len(f.simulator.Recorded())
	got := f.get(t, compatPath).want(t, 200).object(t)
	metrics := got["metrics"].(map[string]any)
	if got["status"] != "healthy" || got["available_providers"] != 3.0 || metrics["total_requests"] != 1.0 || metrics["success_rate"] != 1.0 {
		t.Errorf("health: %v", got)
	}
	f.send(t, "HEAD", compatPath, "").want(t, 200)
	if n := len(f.simulator.Recorded()); n != asked {
		t.Errorf("%d calls were made", n-asked)
	}
	f.store.off.Store(true)
	got = f.get(t, compatPath).want(t, 200).object(t)
	if got["status"] != "degraded" || got["metrics"].(map[string]any)["total_requests"] != 1.0 {
		t.Errorf("without the store: %v", got)
	}
}

func TestTwelveAtOnce(t *testing.T) {
	f := newServer(t, setup{})
	replies := make([]reply, 12)
	var clients sync.WaitGroup
	for i := range replies {
		clients.Go(func() { replies[i] = f.post(t, compatPath, edited("pair", `"Will it rain?"`)) })
	}
	clients.Wait()
	for _, r := range replies {
		r.want(t, 200)
	}
}
