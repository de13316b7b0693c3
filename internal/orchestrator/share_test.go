package orchestrator_test

// What is the same question, over generated ones.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

// field is a member of a question in JSON: its name, and a value in several forms that mean
// the same.
type field struct {
	name  string
	forms []string
}

var drawNumber = rapid.Custom(func(t *rapid.T) field {
	n := rapid.IntRange(1, 1_000_000).Draw(t, "number")
	return field{forms: []string{fmt.Sprint(n), fmt.Sprintf("%d.0", n), fmt.Sprintf("%d.000", n), fmt.Sprintf("0.%07de7", n), fmt.Sprintf("%d0E-1", n)}}
})

// drawData draws indicators, each in several forms.
var drawData = rapid.Custom(func(t *rapid.T) []field {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"rsi", "macd", "volume", "note", "trend", "levels", "on"}), 1, 6, rapid.ID[string]).Draw(t, "names")
	data := make([]field, len(names))
	for i, name := range names {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			data[i] = field{name, drawNumber.Draw(t, "value").forms}
		case 1:
			data[i] = field{name, []string{fmt.Sprintf("%q", rapid.StringMatching(`[a-z<>" ]{0,8}`).Draw(t, "text"))}}
		case 2:
			data[i] = field{name, []string{"true"}}
		default:
			data[i] = field{name, []string{"[1, 2.50]", "[1.0, 2.5]", "[1e0,25e-1]"}}
		}
	}
	return data
})

func TestWhatIsTheSameQuestion(t *testing.T) {
	o := over(t, orchestrator.Options{}, plays("a", buys(1)), plays("b", buys(1)))
	now := time.Date(2026, 11, 23, 5, 1, 0, 0, time.UTC)
	parse := func(t *rapid.T, data []field, form func(int) int, order []int) signal.MarketData {
		members := make([]string, len(data))
		for i, at := range order {
			f := data[at]
			members[i] = fmt.Sprintf("%q: %s", f.name, f.forms[form(len(f.forms))])
		}
		parsed, err := signal.ParseMarketData([]byte("{"+strings.Join(members, ", ")+"}"), signal.MaxText)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	rapid.Check(t, func(t *rapid.T) {
		data, price := drawData.Draw(t, "data"), drawNumber.Draw(t, "price").forms
		form := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "form") }
		pair, _ := signal.ParsePair("BTC/USDT")
		request := func(data []field) orchestrator.Request {
			number, err := signal.ParseNumber(price[form(len(price))])
			if err != nil {
				t.Fatal(err)
			}
			order := make([]int, len(data))
			for i := range order {
				order[i] = i
			}
			order = rapid.Permutation(order).Draw(t, "order")
			return orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: number, MarketData: parse(t, data, form, order)}
		}
		fingerprint := func(r orchestrator.Request, scope string, at time.Time) string {
			checked, err := o.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			return o.Fingerprint(checked, scope, at)
		}
		first := fingerprint(request(data), "", now)

		same := request(data)
		same.Weights, same.MinProviders, same.Timeout, same.MinConfidence = map[string]float64{"a": 0.5}, 2, time.Second, new(0.75)
		if fingerprint(same, "", now) != first {
			t.Fatalf("the order of keys, the form of numbers or the policy makes another question: %+v", same)
		}

		differs := map[string]func() string{
			"scope":  func() string { return fingerprint(request(data), "x", now) },
			"candle": func() string { return fingerprint(request(data), "", now.Add(5*time.Minute)) },
			"price": func() string {
				r := request(data)
				r.CurrentPrice = signal.NumberOf(r.CurrentPrice.Float64() + 1)
				return fingerprint(r, "", now)
			},
			"pair": func() string {
				r := request(data)
				r.Pair, _ = signal.ParsePair("ETH/USDT")
				return fingerprint(r, "", now)
			},
			"timeframe": func() string { r := request(data); r.Timeframe = "1h"; return fingerprint(r, "", now) },
			"wait":      func() string { r := request(data); r.Wait = orchestrator.WaitDecided; return fingerprint(r, "", now) },
			"more data": func() string {
				return fingerprint(request(append(slices.Clone(data), field{"zz", []string{"null"}})), "", now)
			},
			"a value": func() string {
				other := slices.Clone(data)
				i := rapid.IntRange(0, len(data)-1).Draw(t, "which")
				other[i].forms = []string{"-7.25"}
				return fingerprint(request(other), "", now)
			},
			"a name": func() string {
				other := slices.Clone(data)
				other[0].name += "2"
				return fingerprint(request(other), "", now)
			},
			"a candle": func() string {
				r, n := request(data), signal.NumberOf(1)
				r.MarketData.Candles = []signal.Candle{{Open: n, High: n, Low: n, Close: n}}
				return fingerprint(r, "", now)
			},
		}
		seen := map[string]string{first: "nothing"}
		for _, what := range slices.Sorted(maps.Keys(differs)) {
			print := differs[what]()
			if other, is := seen[print]; is {
				t.Fatalf("a question with another %s is the same as one with another %s", what, other)
			}
			seen[print] = what
		}
	})
}
