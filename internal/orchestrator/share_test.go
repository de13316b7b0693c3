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
	"thalas/internal/provider"
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

// drawCandles draws candles of five minutes, which may have times and volumes.
var drawCandles = rapid.Custom(func(t *rapid.T) []signal.Candle {
	candles := make([]signal.Candle, rapid.IntRange(0, 4).Draw(t, "candles"))
	timed, traded := rapid.Bool().Draw(t, "with times"), rapid.Bool().Draw(t, "with volumes")
	for i := range candles {
		low := rapid.IntRange(100, 100_000).Draw(t, "low")
		candles[i] = signal.Candle{Low: signal.NumberOf(float64(low)), Open: signal.NumberOf(float64(low + 3)), Close: signal.NumberOf(float64(low + 5)), High: signal.NumberOf(float64(low + 9))}
		if timed {
			candles[i].Time = time.Date(2026, 11, 23, 4, 5*i, 0, 0, time.UTC)
		}
		if traded {
			candles[i].Volume = signal.NumberOf(float64(low + 11))
		}
	}
	return candles
})

func TestWhatIsTheSameQuestion(t *testing.T) {
	o := over(t, orchestrator.Options{}, plays("a"), plays("b"))
	refused := plays("a")
	refused.Breaker = provider.NewBreaker()
	refused.Breaker.Hear(provider.Learnt{Reason: signal.LeftOutKeyRefused, Until: time.Now().Add(time.Hour)})
	leftOut := over(t, orchestrator.Options{}, refused, plays("b"))
	third, simulated := over(t, orchestrator.Options{}, plays("a"), plays("b"), plays("c")), over(t, orchestrator.Options{Simulated: true}, plays("a"), plays("b"))
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
		data, price, candles := drawData.Draw(t, "data"), drawNumber.Draw(t, "price").forms, drawCandles.Draw(t, "candles")
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
			market := parse(t, data, form, order)
			market.Candles = slices.Clone(candles)
			return orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: number, MarketData: market}
		}
		by := func(o *orchestrator.Orchestrator, r orchestrator.Request, scope string, at time.Time) string {
			checked, err := o.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			return o.Fingerprint(checked, scope, at)
		}
		fingerprint := func(r orchestrator.Request, scope string, at time.Time) string { return by(o, r, scope, at) }
		changed := func(change func(*orchestrator.Request)) func() string {
			return func() string {
				r := request(data)
				change(&r)
				return fingerprint(r, "", now)
			}
		}
		decided := func(change func(*orchestrator.Request)) func() string {
			return changed(func(r *orchestrator.Request) { r.Wait = orchestrator.WaitDecided; change(r) })
		}
		first := fingerprint(request(data), "", now)

		same := request(data)
		same.Weights, same.MinProviders, same.Timeout, same.MinConfidence = map[string]float64{"a": 0.5}, 2, time.Second, new(0.75)
		if fingerprint(same, "", now) != first {
			t.Fatalf("the order of keys, the form of numbers or the policy makes another question: %+v", same)
		}

		if by(leftOut, request(data), "", now) != first {
			t.Fatal("leaving a provider out makes another question")
		}
		differs := map[string]func() string{
			"scope":                     func() string { return fingerprint(request(data), "x", now) },
			"provider":                  func() string { return by(third, request(data), "", now) },
			"mode":                      func() string { return by(simulated, request(data), "", now) },
			"price":                     changed(func(r *orchestrator.Request) { r.CurrentPrice = signal.NumberOf(r.CurrentPrice.Float64() + 1) }),
			"pair":                      changed(func(r *orchestrator.Request) { r.Pair, _ = signal.ParsePair("ETH/USDT") }),
			"timeframe":                 changed(func(r *orchestrator.Request) { r.Timeframe = "1m" }),
			"wait":                      decided(func(*orchestrator.Request) {}),
			"weight, decided early":     decided(func(r *orchestrator.Request) { r.Weights = map[string]float64{"a": 0.5} }),
			"quorum, decided early":     decided(func(r *orchestrator.Request) { r.MinProviders = 2 }),
			"confidence, decided early": decided(func(r *orchestrator.Request) { r.MinConfidence = new(0.75) }),
			"agreement, decided early":  decided(func(r *orchestrator.Request) { r.MinAgreement = new(0.75) }),
			"indicator": func() string {
				return fingerprint(request(append(slices.Clone(data), field{"zz", []string{"null"}})), "", now)
			},
			"value": func() string {
				other := slices.Clone(data)
				i := rapid.IntRange(0, len(data)-1).Draw(t, "which")
				other[i].forms = []string{"-7.25"}
				return fingerprint(request(other), "", now)
			},
			"name": func() string {
				other := slices.Clone(data)
				other[0].name += "2"
				return fingerprint(request(other), "", now)
			},
			"number of candles": changed(func(r *orchestrator.Request) {
				n := signal.NumberOf(1)
				first := signal.Candle{Open: n, High: n, Low: n, Close: n}
				if len(candles) > 0 {
					first.Time, first.Volume = candles[0].Time, candles[0].Volume
				}
				if !first.Time.IsZero() {
					first.Time = first.Time.Add(-5 * time.Minute)
				}
				r.MarketData.Candles = append([]signal.Candle{first}, r.MarketData.Candles...)
			}),
		}
		timed := len(candles) > 0 && !candles[0].Time.IsZero()
		if !timed { // otherwise the candles say which one it is
			differs["moment"] = func() string { return fingerprint(request(data), "", now.Add(5*time.Minute)) }
		}
		if len(candles) > 0 {
			which := rapid.IntRange(0, len(candles)-1).Draw(t, "which candle")
			of := func(change func(*signal.Candle)) func() string {
				return changed(func(r *orchestrator.Request) { change(&r.MarketData.Candles[which]) })
			}
			plus := func(n *signal.Number, d float64) { *n = signal.NumberOf(n.Float64() + d) }
			differs["open"] = of(func(c *signal.Candle) { plus(&c.Open, 1) })
			differs["high"] = of(func(c *signal.Candle) { plus(&c.High, 1) })
			differs["low"] = of(func(c *signal.Candle) { plus(&c.Low, -1) })
			differs["close"] = of(func(c *signal.Candle) { plus(&c.Close, 1) })
			differs["volume"] = of(func(c *signal.Candle) { c.Volume = signal.NumberOf(7) })
		}
		if timed {
			differs["time of the candles"] = changed(func(r *orchestrator.Request) {
				for i := range r.MarketData.Candles {
					r.MarketData.Candles[i].Time = r.MarketData.Candles[i].Time.Add(-5 * time.Minute)
				}
			})
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
