package orchestrator_test

import (
	"context"
	"fmt"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// rule is a provider without a model: it buys if the RSI is low.
type rule struct{ rsi float64 }

func (rule) Name() string                { return "rule" }
func (rule) Model() string               { return "rsi-14" }
func (rule) Check(context.Context) error { return nil }

func (r rule) Ask(context.Context, provider.Prompt) (provider.Answer, error) {
	ballot := provider.Ballot{Decision: signal.Hold, Confidence: 0.6, Reasoning: fmt.Sprintf("RSI is %v.", r.rsi)}
	if r.rsi < 30 {
		ballot.Decision = signal.Buy
	}
	return provider.Answer{Ballot: ballot}, nil
}

// A provider of your own is registered, and its vote counted, like any other.
func ExampleOrchestrator() {
	var registry provider.Registry
	weight := 0.5
	if err := registry.Register(provider.Entry{Provider: rule{rsi: 25.5}, Weight: &weight}); err != nil {
		fmt.Println(err)
		return
	}
	o := orchestrator.New(&registry, orchestrator.Options{Timeout: 5 * time.Second})

	pair, _ := signal.ParsePair("btc-usdt")
	data, _ := signal.ParseMarketData([]byte(`{"rsi": 25.5}`), signal.MaxText)
	result, err := o.GenerateConsensusSignal(context.Background(), orchestrator.Request{
		Pair: pair, Timeframe: "5m", CurrentPrice: signal.NumberOf(50000), MarketData: data,
	})
	if err != nil {
		fmt.Println(err) // there is no decision, which does not mean HOLD
		return
	}
	fmt.Printf("%s: %s with confidence %.2f\n", result.Pair, result.Decision, result.Confidence)
	fmt.Println(result.Reasoning)
	for _, w := range result.Warnings {
		fmt.Println(w.Message)
	}
	// Output:
	// BTC/USDT: BUY with confidence 0.60
	// Consensus (1/1 providers agree): RSI is 25.5.
	// the decision rests on one vote, that of rule
}
