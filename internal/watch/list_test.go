package watch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

func pair(t *testing.T, text string) signal.Pair {
	t.Helper()
	p, err := signal.ParsePair(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t *testing.T, text string) List {
	t.Helper()
	list, err := ParseList([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestParseList(t *testing.T) {
	btc, eth := pair(t, "BTC/USDT"), pair(t, "ETH/USDT")
	least, agreed := 0.6, 0.0
	tests := []struct {
		name, text string
		want       List
	}{
		{"the least", `{"pairs": ["btc-usdt"]}`, List{Series: []market.Series{{Pair: btc, Timeframe: "5m"}}}},
		{"null is absent", `{"pairs": ["BTC/USDT"], "timeframes": null, "venue": null, "min_confidence": null}`, List{Series: []market.Series{{Pair: btc, Timeframe: "5m"}}}},
		{"everything", `{"pairs": ["BTC/USDT", "ETH/USDT"], "timeframes": ["5m", "1h"], "fallback": ["OKX"], "venue": " Kraken ",
			"provider_weights": {"openai": 0.5}, "min_providers": 2, "min_confidence": 0.6, "min_agreement": 0, "timeout_seconds": 20.5, "wait": "decided"}`,
			List{
				Series: []market.Series{{Pair: btc, Timeframe: "5m"}, {Pair: btc, Timeframe: "1h"}, {Pair: eth, Timeframe: "5m"}, {Pair: eth, Timeframe: "1h"}},
				Venues: []string{"kraken", "okx"},
				Policy: orchestrator.Policy{Weights: map[string]float64{"openai": 0.5}, MinProviders: 2, MinConfidence: &least, MinAgreement: &agreed,
					Timeout: 20500 * time.Millisecond, Wait: "decided"},
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parse(t, tt.text)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(signal.Pair{}, signal.Number{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
		})
	}
}

// Editors and shells on Windows put a byte order mark before a file.
func TestByteOrderMark(t *testing.T) {
	if list, err := ParseList([]byte("\ufeff" + `{"pairs": ["BTC/USDT"]}`)); err != nil || len(list.Series) != 1 {
		t.Errorf("a list: %v, %v", list, err)
	}
	if _, list, err := ParseEvent([]byte("\ufeff"+`{"time": "2026-11-23T05:01:00Z", "watchlist": {"pairs": ["BTC/USDT"]}}`), List{}); err != nil || len(list.Series) != 1 {
		t.Errorf("an event: %v, %v", list, err)
	}
}

func TestParseListNamesEveryMistake(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // of the error's text
	}{
		{"no JSON", `pairs: BTC/USDT`, []string{"is not a JSON object"}},
		{"cut off", `{"pairs": ["BTC/USDT"]`, []string{"is not a JSON object"}},
		{"more behind it", `{"pairs": ["BTC/USDT"]} {}`, []string{"something follows its end"}},
		{"empty", `{}`, []string{"pairs: is missing or empty"}},
		{"no pair", `{"pairs": []}`, []string{"pairs: is missing or empty"}},
		{"no timeframe", `{"pairs": ["BTC/USDT"], "timeframes": []}`, []string{"timeframes: is empty"}},
		{"several", `{"pairs": ["BTC/USDT", "nonsense!", "BTCUSDT"], "timeframes": ["5M", "1h"], "pair": 1, "min_providers": 0, "timeout_seconds": 31, "min_confidence": "high", "wait": ""}`,
			[]string{"pair: is no key of a watch list: did you mean \"pairs\"?", `pairs[1]: pair "nonsense!"`, "pairs[2]: names BTC/USDT again", `timeframes[0]: timeframe "5M" is not known`,
				"min_providers: is not a whole number from 1", "timeout_seconds: is not above 0 and at most 30", "min_confidence: is not a number", "wait: is none of"}},
		{"types", `{"pairs": "BTC/USDT", "timeframes": [5], "venue": ["kraken"], "provider_weights": [1], "min_agreement": true, "min_providers": 1.5, "wait": 1, "timeout_seconds": "20"}`,
			[]string{"pairs: is not a list of texts", "timeframes: is not a list", "venue: is not a text", "provider_weights: is not an object", "min_agreement: is not", "min_providers: is not", "wait: is not", "timeout_seconds: is not"}},
		{"key twice", `{"pairs": ["BTC/USDT"], "pairs": ["ETH/USDT"]}`, []string{"pairs: is there twice"}},
		{"fallback of nothing", `{"pairs": ["BTC/USDT"], "fallback": ["okx"]}`, []string{"fallback: goes with venue"}},
		{"venue twice", `{"pairs": ["BTC/USDT"], "venue": "okx", "fallback": ["OKX", ""]}`, []string{"fallback: names okx again", "fallback: is empty"}},
		{"unknown key", `{"pairs": ["BTC/USDT"], "schedule": "now"}`, []string{"schedule: is no key of a watch list: Known are pairs,"}},
		{"too many", `{"pairs": ["` + strings.Join(many(51), `","`) + `"], "timeframes": ["5m","15m","1h","4h"]}`, []string{"make 204 series"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseList([]byte(tt.text))
			var mistakes signal.FieldErrors
			if !errors.As(err, &mistakes) {
				t.Fatalf("error %v, want signal.FieldErrors", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%s", want, err)
				}
			}
			if len(mistakes) != len(tt.want) {
				t.Errorf("%d mistakes, want %d:\n%s", len(mistakes), len(tt.want), err)
			}
		})
	}
}

// many gives n pairs.
func many(n int) []string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = "A" + strings.Repeat("B", i%7) + string(rune('A'+i/7)) + "/USDT"
	}
	return pairs
}

func TestParseEvent(t *testing.T) {
	standing := parse(t, `{"pairs": ["SOL/USD"]}`)
	at, list, err := ParseEvent([]byte(`{"time": "2026-11-23T05:01:00+00:00", "watchlist": {"pairs": ["BTC/USDT"]}}`), standing)
	if err != nil || !at.Equal(time.Date(2026, 11, 23, 5, 1, 0, 0, time.UTC)) || list.Series[0].Pair.String() != "BTC/USDT" {
		t.Errorf("got %s, %v, %v", at, list, err)
	}
	if _, list, err = ParseEvent([]byte(`{"time": "2026-11-23T05:01:00Z"}`), standing); err != nil || list.Series[0].Pair.String() != "SOL/USD" {
		t.Errorf("without a list of its own: %v, %v", list, err)
	}
	tests := []struct{ name, text, want string }{
		{"no object", `"now"`, "event: is not a JSON object"},
		{"empty", ``, "event: is not a JSON object"},
		{"no time", `{"watchlist": {"pairs": ["BTC/USDT"]}}`, "time: is missing"},
		{"time of another kind", `{"time": 1795410000}`, "time: is missing or no text"},
		{"placeholder", `{"time": "<aws.scheduler.scheduled-time>"}`, `time: "<aws.scheduler.scheduled-time>" is not a time`},
		{"misspelt", `{"time": "2026-11-23T05:01:00Z", "watch_list": {}}`, "watch_list: is no key of the event: did you mean \"watchlist\"?"},
		{"twice", `{"time": "2026-11-23T05:01:00Z", "time": "2026-11-23T05:02:00Z"}`, "time: is there twice"},
		{"broken list", `{"time": "2026-11-23T05:01:00Z", "watchlist": {"pairs": ["x"]}}`, "watchlist.pairs[0]: pair"},
		{"list of another kind", `{"time": "2026-11-23T05:01:00Z", "watchlist": []}`, "watchlist: is not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var mistakes signal.FieldErrors
			if _, _, err := ParseEvent([]byte(tt.text), standing); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, _, err := ParseEvent([]byte(`{"time": "2026-11-23T05:01:00Z"}`), List{}); err == nil || !strings.Contains(err.Error(), "WATCHLIST is not set") {
		t.Errorf("without any list: %v", err)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"time": "2026-11-23T05:01:00Z", "watchlist": {"pairs": ["BTC/USDT"], "timeframes": ["5m"], "venue": "kraken", "provider_weights": {"openai": 1}, "wait": "all"}}`))
	f.Add([]byte(`{"time": "2026-11-23T05:01:00Z", "watchlist": {"pairs": [], "fallback": [""], "min_providers": -1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		at, list, err := ParseEvent(text, List{})
		if err == nil && (at.IsZero() && !strings.Contains(string(text), "0001") || len(list.Series) == 0 || len(list.Series) > MaxSeries) {
			t.Errorf("accepted as %s, %v", at, list)
		}
	})
}
