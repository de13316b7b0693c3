package service_test

// Questions with candles and without indicators.

import (
	"context"
	"slices"
	"strings"
	"testing"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// reader is a voter that remembers its prompts, and the requests that it was priced for.
type reader struct {
	*voter
	asked, priced string
}

func (r *reader) Ask(ctx context.Context, p provider.Prompt) (provider.Answer, error) {
	r.asked = p.User
	return r.voter.Ask(ctx, p)
}

func (r *reader) WorstCaseUSD(p provider.Prompt) (float64, bool) {
	r.priced = p.User
	return r.voter.WorstCaseUSD(p)
}

func TestBareCandlesAreCompleted(t *testing.T) {
	s := newService(t, service.Options{DailyBudgetUSD: 1})
	r := &reader{voter: &voter{name: "a", worst: 0.01}}
	if err := s.Registry.Register(provider.Entry{Provider: r}); err != nil {
		t.Fatal(err)
	}
	q := keyed("key")
	q.Timeframe = "" // the default
	q.CurrentPrice = signal.NumberOf(1.5)
	q.MarketData = signal.MarketData{}
	q.MarketData.Set("macd", signal.NumberOf(-9e9))
	one := signal.NumberOf(1.5)
	for range 289 {
		q.MarketData.Candles = append(q.MarketData.Candles, signal.Candle{Open: one, High: one, Low: one, Close: one})
	}
	q.Warnings = []signal.Warning{{Code: "found_before", Message: "by who asks"}}

	want := []signal.WarningCode{"single_vote", "found_before", signal.WarnIndicatorsComputed, signal.WarnIndicatorContradiction}
	for _, replayed := range []bool{false, true} {
		answer := ask(t, s, q)
		if got := codes(answer.Consensus); !slices.Equal(got, want) || answer.Replayed != replayed {
			t.Errorf("warnings %v, replayed %v; want %v", got, answer.Replayed, want)
		}
	}
	if len(q.MarketData.Indicators) != 1 || len(q.Warnings) != 1 {
		t.Errorf("the question was changed to %v, %v", q.MarketData.Indicators, q.Warnings)
	}
	for _, line := range []string{"\n\"rsi\": \"unknown\"", "\n\"bb_lower\": 1.5", "\n\"price_change_24h\": 0,", "\n\"macd\": -9000000000,"} {
		if !strings.Contains(r.asked, line) {
			t.Errorf("the model was not shown %q: %s", line, r.asked)
		}
	}
	if r.priced != r.asked {
		t.Error("the budget was reserved for another question than was asked")
	}
}
