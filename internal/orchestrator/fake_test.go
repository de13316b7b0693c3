package orchestrator_test

// A provider with a script, and helpers for all tests.

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// model is a provider with a script. It has a turn for each attempt; the last one is repeated.
type model struct {
	provider.Entry // how it is registered; registryOf sets Provider
	name           string
	script         []turn
	check          turn
	asked          atomic.Int32
}

// turn is one attempt: after some time it panics, fails or answers.
type turn struct {
	after  time.Duration
	deaf   bool // it ignores its context
	panics any
	err    error
	answer provider.Answer
}

func (m *model) Name() string  { return m.name }
func (m *model) Model() string { return m.name + "-1" }

func (m *model) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	n := int(m.asked.Add(1))
	return m.script[min(n, len(m.script))-1].play(ctx)
}

func (m *model) Check(ctx context.Context) error {
	_, err := m.check.play(ctx)
	return err
}

func (t turn) play(ctx context.Context) (provider.Answer, error) {
	if t.deaf {
		time.Sleep(t.after)
	} else {
		timer := time.NewTimer(t.after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return provider.Answer{}, ctx.Err()
		}
	}
	if t.panics != nil {
		panic(t.panics)
	}
	return t.answer, t.err
}

func (t turn) in(after time.Duration) turn { t.after = after; return t }

// costing sets the usage of the answer or the error. A negative cost means an unknown price.
func (t turn) costing(input, output int, usd float64) turn {
	usage := provider.Usage{Known: true, InputTokens: input, OutputTokens: output}
	if usd >= 0 {
		usage.CostUSD = &usd
	}
	t.answer.Usage = usage
	if e, ok := t.err.(*provider.Error); ok {
		e.Usage = usage
	}
	return t
}

func votes(d signal.Decision, confidence float64) turn {
	return turn{answer: provider.Answer{Ballot: provider.Ballot{Decision: d, Confidence: confidence, Reasoning: "Because of the " + string(d) + " pressure."}}}
}

func buys(confidence float64) turn  { return votes(signal.Buy, confidence) }
func sells(confidence float64) turn { return votes(signal.Sell, confidence) }
func holds(confidence float64) turn { return votes(signal.Hold, confidence) }

func fails(kind signal.FailureKind, message string) turn {
	return turn{err: &provider.Error{Kind: kind, Message: message}}
}

func failsForNow(kind signal.FailureKind, message string) turn {
	return turn{err: &provider.Error{Kind: kind, Message: message, Retryable: true}}
}

// plays makes a model.
func plays(name string, script ...turn) *model { return &model{name: name, script: script} }

func (m *model) weighing(w float64) *model { m.Weight = &w; return m }

// over registers the models and makes an Orchestrator.
func over(t testing.TB, options orchestrator.Options, models ...*model) *orchestrator.Orchestrator {
	t.Helper()
	return orchestrator.New(registryOf(t, models...), options)
}

func registryOf(t testing.TB, models ...*model) *provider.Registry {
	t.Helper()
	registry := &provider.Registry{}
	for _, m := range models {
		m.Provider = m
		if err := registry.Register(m.Entry); err != nil {
			t.Fatal(err)
		}
	}
	return registry
}

// question makes a valid request and applies the changes.
func question(t testing.TB, changes ...func(*orchestrator.Request)) orchestrator.Request {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	r := orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: signal.NumberOf(50000), MarketData: market(t, `{"rsi": 65.5}`)}
	for _, change := range changes {
		change(&r)
	}
	return r
}

func market(t testing.TB, json string) signal.MarketData {
	t.Helper()
	data, err := signal.ParseMarketData([]byte(json), signal.MaxText)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func ask(t testing.TB, o *orchestrator.Orchestrator, r orchestrator.Request) *signal.Consensus {
	t.Helper()
	result, err := o.GenerateConsensusSignal(t.Context(), r)
	if err != nil {
		t.Fatalf("no decision: %v", err)
	}
	return result
}

// outcomes gives the decision or the kind of failure of each provider.
func outcomes(votes []signal.Vote, failures []signal.Failure) map[string]string {
	got := map[string]string{}
	for _, v := range votes {
		got[v.Provider] = string(v.Decision)
	}
	for _, f := range failures {
		got[f.Provider] = string(f.Error)
	}
	return got
}

func outcomesOf(c *signal.Consensus) map[string]string { return outcomes(c.Responses, c.Failures) }

func codes(warnings []signal.Warning) []string {
	got := []string{}
	for _, w := range warnings {
		code := string(w.Code)
		if w.Provider != "" {
			code += ":" + w.Provider
		}
		got = append(got, code)
	}
	return got
}
