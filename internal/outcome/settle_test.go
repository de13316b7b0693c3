package outcome

import (
	"encoding/json"
	"testing"
	"time"

	"thalas/internal/signal"
)

// at gives a time of the test day.
func at(t testing.TB, clock string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, "2026-11-23T"+clock+"Z")
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func number(t testing.TB, text string) signal.Number {
	t.Helper()
	n, err := signal.ParseNumber(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bar is a candle that opened at a time of the test day.
func bar(t testing.TB, clock, open, high, low, close string) signal.Candle {
	t.Helper()
	return signal.Candle{Time: at(t, clock), Open: number(t, open), High: number(t, high), Low: number(t, low), Close: number(t, close)}
}

// asked is a BUY about the hour that closed at 05:00, answered half a second later.
func asked(t testing.TB) *signal.Consensus {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	sell := signal.Sell
	return &signal.Consensus{
		ID: "019ab0c4-83e2-7000-8000-00000000000a", Pair: pair, Timeframe: "1h", CurrentPrice: 1000, CandleTime: at(t, "04:00:00"), Timestamp: at(t, "05:00:00.5"),
		Decision: signal.Buy, RawDecision: signal.Buy, Confidence: 0.8, TotalCostUSD: 0.01,
		Responses: []signal.Vote{
			{Provider: "anthropic", Model: "a-1", Decision: signal.Buy, Confidence: 0.9, CostUSD: new(0.006)},
			{Provider: "openai", Model: "o-1", Decision: signal.Hold, Confidence: 0.7},
		},
		Explanation: signal.Explanation{Contributions: []signal.Contribution{{Provider: "anthropic", DecisionWithout: &sell}, {Provider: "openai"}}},
	}
}

// cost is a share for which 1000·(1 + cost) has no rounding.
const cost = 1.0 / 256

// window is the three candles that judge asked.
func window(t testing.TB) []signal.Candle {
	t.Helper()
	return []signal.Candle{
		bar(t, "05:00:00", "1001", "1010", "990", "1005"),
		bar(t, "06:00:00", "1006", "1020", "1000", "1015"),
		bar(t, "07:00:00", "1015", "1030", "1010", "1020"),
	}
}

func TestSettle(t *testing.T) {
	type change func(r *signal.Consensus, candles *[]signal.Candle, now *time.Time)
	for _, test := range []struct {
		name   string
		change change
		status Status
		reason Reason
		check  func(t *testing.T, o Outcome)
	}{
		{"a BUY that rose", func(*signal.Consensus, *[]signal.Candle, *time.Time) {}, Settled, "", func(t *testing.T, o Outcome) {
			for _, figure := range []struct {
				name      string
				got, want float64
			}{
				{"reference", *o.ReferencePrice, 1000}, {"entry", *o.EntryPrice, 1000}, {"exit", *o.ExitPrice, 1020},
				{"move", *o.Move, *o.ExitPrice/1000 - 1}, {"net", *o.NetReturn, *o.ExitPrice/1000 - 1 - cost}, {"cost", *o.Cost, cost},
			} {
				if figure.got != figure.want {
					t.Errorf("%s = %v, want %v", figure.name, figure.got, figure.want)
				}
			}
			if !*o.Right || !*o.RawRight || *o.Class != Up || !o.Votes[0].Right || o.Votes[1].Right || *o.Source != "kraken" {
				t.Errorf("outcome %+v", o)
			}
		}},
		{"a HOLD by gate", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) { r.Decision = signal.Hold }, Settled, "", func(t *testing.T, o Outcome) {
			if *o.Right || !*o.RawRight || *o.NetReturn != 0 {
				t.Errorf("right %v, raw right %v, net %v: the HOLD missed a move, the vote was right, nothing was traded", *o.Right, *o.RawRight, *o.NetReturn)
			}
		}},
		{"no move at all", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			(*c)[2] = bar(t, "07:00:00", "1015", "1030", "1000", "1000")
		}, Settled, "", func(t *testing.T, o Outcome) {
			if *o.Right || *o.Class != Flat || !o.Votes[1].Right || *o.NetReturn != -cost {
				t.Errorf("outcome %+v: neither BUY nor SELL is right, HOLD is, and the trade costs", o)
			}
		}},
		{"a move of exactly the cost", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			(*c)[2] = bar(t, "07:00:00", "1015", "1030", "1000", "1003.90625")
		}, Settled, "", func(t *testing.T, o Outcome) {
			if *o.Class != Flat || !*o.Right {
				t.Errorf("class %s, right %v: a move of the cost is flat, and a BUY is right all the same", *o.Class, *o.Right)
			}
		}},
		{"an answer after the grace", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) {
			r.Timestamp = at(t, "05:02:00.001")
		}, Settled, "", func(t *testing.T, o Outcome) {
			if *o.EntryPrice != 1006 || *o.ReferencePrice != 1000 || *o.NetReturn != *o.ExitPrice/1006-1-cost {
				t.Errorf("entry %v: a late answer is entered at the next open", *o.EntryPrice)
			}
		}},
		{"an answer at the end of the grace", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) { r.Timestamp = at(t, "05:02:00") }, Settled, "", func(t *testing.T, o Outcome) {
			if *o.EntryPrice != 1000 {
				t.Errorf("entry %v", *o.EntryPrice)
			}
		}},
		{"a price outside the first candle", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) { r.CurrentPrice = 1011 }, Settled, "", func(t *testing.T, o Outcome) {
			if *o.ReferencePrice != 1001 || *o.EntryPrice != 1001 {
				t.Errorf("reference %v, entry %v: want the first open", *o.ReferencePrice, *o.EntryPrice)
			}
		}},
		{"the window has not ended", func(_ *signal.Consensus, _ *[]signal.Candle, now *time.Time) { *now = at(t, "07:59:59") }, Pending, "", nil},
		{"the last candle is not there yet", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) { *c = (*c)[:2] }, Pending, "", nil},
		{"only candles of a later time", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			*c = []signal.Candle{bar(t, "08:00:00", "1", "1", "1", "1")}
		}, Pending, "", nil},
		{"a gap in the middle, and no later candle yet", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			*c = []signal.Candle{(*c)[0], (*c)[2]}
		}, Pending, "", nil},
		{"a gap in the middle", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			*c = []signal.Candle{(*c)[0], (*c)[2], bar(t, "08:00:00", "1", "1", "1", "1")}
		}, Unresolved, Gap, nil},
		{"a window without candles, and later ones", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			*c = []signal.Candle{bar(t, "04:00:00", "1", "1", "1", "1"), bar(t, "08:00:00", "1", "1", "1", "1")}
		}, Unresolved, Gap, nil},
		{"older candles only", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) {
			*c = []signal.Candle{bar(t, "04:00:00", "1", "1", "1", "1")}
		}, Unresolved, NoCandles, nil},
		{"no candles", func(_ *signal.Consensus, c *[]signal.Candle, _ *time.Time) { *c = nil }, Unresolved, NoCandles, nil},
		{"another market", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) { r.CurrentPrice = 1102 }, Unresolved, PriceMismatch, nil},
		{"answered after its candle had closed", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) { r.Timestamp = at(t, "06:00:00") }, Unresolved, Late, nil},
		{"a free text", func(r *signal.Consensus, _ *[]signal.Candle, _ *time.Time) {
			r.Timestamp = at(t, "06:00:00")
			r.Pair, _ = signal.ParseMarket("Will Bitcoin reach $100k?")
		}, Unresolved, NoMarket, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, list, now := asked(t), window(t), at(t, "09:00:10")
			test.change(result, &list, &now)
			list = append(list, bar(t, "09:00:00", "9", "8", "9", "-9")) // it is still open, and so it is not looked at
			candles, err := NewCandles("1h", list, now)
			if err != nil {
				t.Fatal(err)
			}
			o := Settle(result, false, candles, Terms{Cost: cost, Source: "kraken", Now: now})
			if o.Status != test.status || o.Status == Unresolved && *o.Reason != test.reason || o.Status != Unresolved && o.Reason != nil {
				t.Fatalf("status %s, reason %v, want %s %s", o.Status, o.Reason, test.status, test.reason)
			}
			if (o.Status == Settled) != (o.NetReturn != nil && o.SettledAt != nil && len(o.Votes) == 2) {
				t.Errorf("figures of a result that is %s: %+v", o.Status, o)
			}
			if test.check != nil {
				test.check(t, o)
			}
			if o.Status == Settled {
				var back Outcome
				written, _ := json.Marshal(o)
				if err := json.Unmarshal(written, &back); err != nil {
					t.Fatal(err)
				}
				if err := back.Verify(result); err != nil {
					t.Errorf("an outcome of our own is refused: %v", err)
				}
				back.Votes[0].Right = !back.Votes[0].Right
				if back.Verify(result) == nil {
					t.Error("an outcome that contradicts its prices is taken")
				}
			}
		})
	}
}
