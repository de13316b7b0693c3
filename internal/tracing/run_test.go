package tracing_test

// The trace of a run is complete when the run returns, whatever the providers do. The runs
// use virtual time, and the documents a real socket.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/tracing/tracingtest"
)

// model is a provider with a function for each attempt. The last one is repeated.
type model struct {
	name     string
	attempts []attempt
	asked    int
}

type attempt func(context.Context) (provider.Answer, error)

func (m *model) Name() string                { return m.name }
func (m *model) Model() string               { return m.name + "-1" }
func (m *model) Check(context.Context) error { return nil }

func (m *model) Ask(ctx context.Context, _ provider.Prompt) (provider.Answer, error) {
	m.asked++ // one attempt at a time
	return m.attempts[min(m.asked, len(m.attempts))-1](ctx)
}

func buys(context.Context) (provider.Answer, error) {
	return provider.Answer{Ballot: provider.Ballot{Decision: signal.Buy, Confidence: .9, Reasoning: "planted reasoning"}}, nil
}

func slowly(ctx context.Context) (provider.Answer, error) {
	time.Sleep(2 * time.Second)
	return buys(ctx)
}

func hangs(ctx context.Context) (provider.Answer, error) {
	<-ctx.Done()
	return provider.Answer{}, ctx.Err()
}

func deaf(ctx context.Context) (provider.Answer, error) {
	time.Sleep(time.Hour)
	return buys(ctx)
}

func panics(context.Context) (provider.Answer, error) { panic("planted panic") }

func fails(kind signal.FailureKind) attempt {
	return func(context.Context) (provider.Answer, error) {
		return provider.Answer{}, &provider.Error{Kind: kind, Message: "planted message"}
	}
}

func failsForNow(kind signal.FailureKind) attempt {
	return func(context.Context) (provider.Answer, error) {
		return provider.Answer{}, &provider.Error{Kind: kind, Message: "planted message", Retryable: true}
	}
}

func orchestratorOf(t *testing.T, models ...*model) *orchestrator.Orchestrator {
	t.Helper()
	registry := &provider.Registry{}
	for _, m := range models {
		if err := registry.Register(provider.Entry{Provider: m}); err != nil {
			t.Fatal(err)
		}
	}
	return orchestrator.New(registry, orchestrator.Options{Timeout: 10 * time.Second, Tracer: tracer})
}

func question(t *testing.T) orchestrator.Request {
	t.Helper()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	market, err := signal.ParseMarketData([]byte(`{"rsi": 65.5}`), signal.MaxText)
	if err != nil {
		t.Fatal(err)
	}
	return orchestrator.Request{Pair: pair, Timeframe: "5m", CurrentPrice: signal.NumberOf(50000), MarketData: market}
}

// runs asks the models, and gives what was sent when the run returns.
func runs(t *testing.T, sampling string, wait orchestrator.Wait, models ...*model) (documents []tracingtest.Document) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, trace := invocation(t.Context(), sampling)
		request := question(t)
		request.Wait = wait
		if _, err := orchestratorOf(t, models...).GenerateConsensusSignal(ctx, request); err != nil {
			t.Errorf("no decision: %v", err)
		}
		documents = xrayDaemon.Of(t, trace)
		time.Sleep(2 * time.Hour) // until providers that ignore their context have returned
		if late := xrayDaemon.Of(t, trace); len(late) != len(documents) {
			t.Errorf("sent after the run: %v", tracingtest.Told(late[len(documents):]))
		}
	})
	return documents
}

func TestTraceOfARun(t *testing.T) {
	tests := []struct {
		name   string
		wait   orchestrator.Wait
		fourth []attempt
		want   []string // for the fourth provider
	}{
		{"votes", "", []attempt{buys}, []string{"grok 1 vote"}},
		{"is tried again", "", []attempt{failsForNow(signal.FailureRateLimit), buys}, []string{"grok 1 rate_limit +throttle", "grok 2 vote"}},
		{"fails", "", []attempt{fails(signal.FailureAuthentication)}, []string{"grok 1 authentication +error"}},
		{"hangs past the deadline", "", []attempt{hangs}, []string{"grok 1 timeout +fault"}},
		{"never looks at its context", "", []attempt{deaf}, []string{"grok 1 timeout +fault"}},
		{"panics", "", []attempt{panics}, []string{"grok 1 provider +fault"}},
		{"is cancelled", orchestrator.WaitDecided, []attempt{hangs}, []string{"grok 1 not_needed"}},
		{"is cancelled and does not notice", orchestrator.WaitDecided, []attempt{deaf}, []string{"grok 1 not_needed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			documents := runs(t, isSampled, test.wait, &model{name: "anthropic", attempts: []attempt{slowly}},
				&model{name: "gemini", attempts: []attempt{slowly}}, &model{name: "grok", attempts: test.fourth})
			want := append([]string{"anthropic 1 vote", "gemini 1 vote"}, append(test.want, "vote BUY")...)
			if diff := cmp.Diff(want, tracingtest.Told(documents)); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			for _, d := range documents {
				if d.ParentID != parent || d.Type != "subsegment" || d.InProgress || d.EndTime < d.StartTime {
					t.Errorf("%s does not hang below the invocation, closed: %s", d.Name, d.Raw)
				}
				if strings.Contains(d.Raw, "planted") {
					t.Errorf("%s holds a text of the provider's: %s", d.Name, d.Raw)
				}
			}
		})
	}
}

func TestAttemptsDocument(t *testing.T) {
	documents := runs(t, isSampled, "", &model{name: "anthropic", attempts: []attempt{slowly}})
	if len(documents) != 2 || documents[0].Name != "anthropic" {
		t.Fatalf("documents %v, want the attempt, then the vote", tracingtest.Told(documents))
	}
	got := documents[0]
	want := map[string]any{"provider": "anthropic", "model": "anthropic-1", "attempt": 1.0, "outcome": "vote"}
	if diff := cmp.Diff(want, got.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if got.Namespace != "remote" {
		t.Errorf("namespace %q, want remote", got.Namespace)
	}
	if took := got.EndTime - got.StartTime; took < 1.999 || took > 2.001 {
		t.Errorf("took %v s, want the 2 that the provider took", took)
	}
}

func TestCancelledRunIsTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, trace := invocation(t.Context(), isSampled)
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		_, err := orchestratorOf(t, &model{name: "grok", attempts: []attempt{hangs}}).GenerateConsensusSignal(ctx, question(t))
		if !errors.Is(err, orchestrator.ErrCanceled) {
			t.Fatalf("error %v, want a cancelled run", err)
		}
		if diff := cmp.Diff([]string{"grok 1 not_needed"}, tracingtest.Told(xrayDaemon.Of(t, trace))); diff != "" {
			t.Errorf("documents (-want +got):\n%s", diff)
		}
	})
}

func TestRunThatIsNotSampledSendsNothing(t *testing.T) {
	for _, sampling := range []string{notSampled, "Sampled=?", ""} {
		if got := runs(t, sampling, "", &model{name: "grok", attempts: []attempt{buys}}); len(got) > 0 {
			t.Errorf("%q: sent %v", sampling, tracingtest.Told(got))
		}
	}
}
