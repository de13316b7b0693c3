package outcome

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"thalas/internal/signal"
)

// closeEnough compares figures that were added up in another order.
var closeEnough = cmpopts.EquateApprox(1e-9, 1e-12)

// history makes settled results with correlated errors: n windows of a timeframe, and the
// candles of all of them.
func history(t testing.TB, random *rand.Rand, timeframe signal.Timeframe, n int) (results []*signal.Consensus, candles []signal.Candle) {
	t.Helper()
	step := timeframe.Duration()
	start := timeframe.Open(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	price := 1000.0
	decisions := []signal.Decision{signal.Buy, signal.Sell, signal.Hold}
	pair, _ := signal.ParsePair("BTC/USDT")
	for i := range n + 4 {
		open := price
		price *= math.Exp(0.01 * random.NormFloat64())
		digits := func(x float64) signal.Number { return number(t, fmt.Sprintf("%.4f", x)) }
		candles = append(candles, signal.Candle{Time: start.Add(time.Duration(i) * step), Open: digits(open), High: digits(max(open, price) * 1.001), Low: digits(min(open, price) * 0.999), Close: digits(price)})
	}
	for i := range n {
		c := candles[i]
		r := &signal.Consensus{
			ID: fmt.Sprintf("019ab0c4-83e2-7000-8000-%012x", i), Pair: pair, Timeframe: timeframe, CurrentPrice: c.Close.Float64(), CandleTime: c.Time,
			Timestamp: c.Time.Add(step + time.Duration(random.IntN(300))*time.Second/10), TotalCostUSD: random.Float64() / 100,
			RawDecision: decisions[random.IntN(3)], Confidence: 0.5 + random.Float64()/2, DecidedEarly: random.IntN(10) == 0,
		}
		r.Decision = r.RawDecision
		if random.IntN(5) == 0 {
			r.Decision = signal.Hold
		}
		for _, name := range []string{"anthropic", "gemini", "openai"}[:2+random.IntN(2)] {
			r.Responses = append(r.Responses, signal.Vote{Provider: name, Model: fmt.Sprint("m", 2*i/n), Decision: decisions[random.IntN(3)], Confidence: 0.5 + random.Float64()/2})
			without := decisions[random.IntN(3)]
			r.Explanation.Contributions = append(r.Explanation.Contributions, signal.Contribution{Provider: name, DecisionWithout: &without})
		}
		if random.IntN(2) == 0 {
			r.Probability = &signal.Probability{Value: new(random.Float64())}
		}
		results = append(results, r)
	}
	return results, candles
}

func settleAll(t testing.TB, results []*signal.Consensus, list []signal.Candle) map[Voter]Sums {
	t.Helper()
	sums := map[Voter]Sums{}
	if len(results) == 0 {
		return sums
	}
	now := list[0].Time
	for _, c := range list {
		if c.Time.After(now) {
			now = c.Time
		}
	}
	now = now.Add(results[0].Timeframe.Duration())
	candles, err := NewCandles(results[0].Timeframe, list, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		o := Settle(r, false, candles, Terms{Cost: 0.003, Source: "test", Now: now})
		if o.Status != Settled {
			t.Fatalf("%s is %s, %v", r.ID, o.Status, o.Reason)
		}
		for voter, add := range o.Sums(r) {
			if sums[voter] == nil {
				sums[voter] = Sums{}
			}
			sums[voter].Add(add)
		}
	}
	return sums
}

func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		timeframe := rapid.SampledFrom(signal.Timeframes()).Draw(rt, "timeframe")
		results, candles := history(t, random, timeframe, rapid.IntRange(1, 60).Draw(rt, "results"))
		want := NewBoard(timeframe, settleAll(t, results, candles), nil, 0)
		half := random.IntN(len(results) + 1)

		random.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
		random.Shuffle(len(candles), func(i, j int) { candles[i], candles[j] = candles[j], candles[i] })
		candles = append(candles, candles[0]) // twice the same
		if diff := cmp.Diff(want, NewBoard(timeframe, settleAll(t, results, candles), nil, 0), closeEnough); diff != "" {
			rt.Errorf("in another order (-want +got):\n%s", diff)
		}

		first, second := settleAll(t, results[:half], candles), settleAll(t, results[half:], candles)
		for voter, sums := range second {
			if first[voter] == nil {
				first[voter] = Sums{}
			}
			first[voter].Add(sums)
		}
		if diff := cmp.Diff(want, NewBoard(timeframe, first, nil, 0), closeEnough); diff != "" {
			rt.Errorf("of two halves (-want +got):\n%s", diff)
		}
	})
}

func TestBuyAndSellMirror(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		reference, exit := rapid.Float64Range(1e-6, 1e6).Draw(rt, "reference"), rapid.Float64Range(1e-6, 1e6).Draw(rt, "exit")
		var o Outcome
		buy, sell := signal.Buy, signal.Sell
		o.RawDecision, o.Decision = buy, sell
		o.judge(&signal.Consensus{}, reference, reference, exit, 0)
		if *o.NetReturn != -netReturn(buy, reference, exit, 0) {
			rt.Errorf("SELL earns %v, BUY %v", *o.NetReturn, netReturn(buy, reference, exit, 0))
		}
		if *o.Right && *o.RawRight || exit != reference && !*o.Right && !*o.RawRight {
			rt.Errorf("from %v to %v BUY is right: %v, SELL: %v", reference, exit, *o.RawRight, *o.Right)
		}
	})
}

// TestNoLookAhead gives candles one by one. Nothing that is known about a decision may
// change before its window has closed, and nothing after that.
func TestNoLookAhead(t *testing.T) {
	results, list := history(t, rand.New(rand.NewPCG(7, 7)), "1h", 40)
	final, settled := map[string]Outcome{}, []Sums{}
	var published []Fit // at each time, to what was settled by then
	for n := range len(list) + 1 {
		known := list[:n]
		now := list[0].Time.Add(time.Duration(n) * time.Hour)
		candles, err := NewCandles("1h", known, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Timestamp.After(now) {
				continue // not asked yet
			}
			o := Settle(r, false, candles, Terms{Cost: 0.003, Source: "test", Now: now})
			closed := !o.To.After(now)
			if (o.Status == Settled) != closed {
				t.Fatalf("at %s %s is %s, its window ends at %s", now, r.ID, o.Status, o.To)
			}
			if !closed {
				continue
			}
			if _, before := final[r.ID]; !before {
				settled = append(settled, o.Sums(r)[Consensus])
			}
			o.SettledAt = nil
			if before, was := final[r.ID]; was && !reflect.DeepEqual(before, o) {
				t.Fatalf("at %s the outcome of %s is another one: %+v, before %+v", now, r.ID, o, before)
			}
			final[r.ID] = o
		}
		published = append(published, fitOf(settled))
	}
	// The same probabilities come out if everything that was settled later is removed.
	for n, fit := range published {
		by, sums := list[0].Time.Add(time.Duration(n)*time.Hour), []Sums{}
		for _, r := range results {
			if o := final[r.ID]; !o.To.After(by) {
				sums = append(sums, o.Sums(r)[Consensus])
			}
		}
		if again := fitOf(sums); !reflect.DeepEqual(fit, again) {
			t.Fatalf("at %s the fit was %+v, without what came later it is %+v", by, fit, again)
		}
	}
	if len(final) != len(results) {
		t.Errorf("%d of %d are settled in the end", len(final), len(results))
	}
}

func fitOf(outcomes []Sums) Fit {
	all := Sums{}
	for _, sums := range outcomes {
		all.Add(sums)
	}
	return NewFit(all)
}

func TestNewCandlesRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		wrong signal.Candle
		want  string
	}{
		{"off the grid", bar(t, "05:30:00", "1", "1", "1", "1"), "candle 4, 2026-11-23T05:30:00Z: no candle of 1h opens then: give the open times of 1h candles, in UTC"},
		{"below 0", bar(t, "04:00:00", "1", "1", "-1", "1"), "candle 4, 2026-11-23T04:00:00Z: its low is not above 0"},
		{"unknown", signal.Candle{Time: at(t, "04:00:00")}, "candle 4, 2026-11-23T04:00:00Z: its open is not above 0"},
		{"no bar", bar(t, "04:00:00", "1", "1", "1", "2"), "candle 4, 2026-11-23T04:00:00Z: its close 2 is above its high 1"},
		{"contradicts another", bar(t, "06:00:00", "1006", "1020", "1000", "1016"), "candle 4, 2026-11-23T06:00:00Z: it differs from candle 2, which opened at the same time: give each candle once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewCandles("1h", append(window(t), test.wrong), at(t, "08:00:00"))
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
