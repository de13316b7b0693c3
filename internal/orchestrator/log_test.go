package orchestrator_test

// The log lines, with the texts and levels of the original system.

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// journal collects the log without times. Every line must name its run.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey:
			return slog.Attr{}
		case "run":
			return slog.String("run", "…")
		case "next_in_ms":
			return slog.String("next_in_ms", "…") // random
		case "stack":
			return slog.String("stack", "…")
		}
		return a
	}}))
}

// lines gives the lines without the run.
func (j *journal) lines(t *testing.T) []string {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var lines []string
	for line := range strings.Lines(j.text.String()) {
		rest, found := strings.CutSuffix(line, "\n")
		before, after, named := strings.Cut(rest, " run=…")
		if !found || !named {
			t.Errorf("the line names no run: %s", line)
		}
		lines = append(lines, before+after)
	}
	return lines
}

func TestLogOfARun(t *testing.T) {
	models := func() []*model {
		broken := fails(signal.FailureAuthentication, "grok answered 401; check GROK_API_KEY").in(2 * time.Second)
		broken.err.(*provider.Error).Status, broken.err.(*provider.Error).RequestID = 401, "req-7"
		return []*model{
			plays("anthropic", failsForNow(signal.FailureInvalidResponse, "no vote").in(time.Second/2), buys(.85).in(5*time.Second).costing(1900, 140, .0085)),
			plays("gemini", holds(.75).in(time.Second)).weighing(.8),
			plays("grok", broken).weighing(.7),
		}
	}
	info := []string{
		`level=INFO msg="Generating consensus signal for" pair=BTC/USDT timeframe=5m price=50000`,
		`level=INFO msg=Querying count=3 providers="[anthropic gemini grok]"`,
		`level=WARN msg="Provider attempt failed:" provider=anthropic error=invalid_response attempt=1 message="no vote" next_in_ms=…`,
		`level=WARN msg="Provider failed:" provider=grok error=authentication message="grok answered 401; check GROK_API_KEY" status=401 request_id=req-7 attempts=1 latency_ms=2000`,
		`level=INFO msg=Received count=2 providers="[anthropic gemini]"`,
		`level=INFO msg="Consensus reached:" decision=BUY confidence=0.7224999999999999 agreement=0.5862068965517241 participating=2 total=3 latency_ms=… cost_usd=0.0085 simulated=false`,
	}
	debug := []string{
		info[0], info[1],
		`level=DEBUG msg="Provider weights:" weights.anthropic=1 weights.gemini=0.8 weights.grok=0.7`,
		`level=DEBUG msg="Calling provider:" provider=anthropic`,
		`level=DEBUG msg="Calling provider:" provider=gemini`,
		`level=DEBUG msg="Calling provider:" provider=grok`,
		info[2],
		`level=DEBUG msg="Provider responded:" provider=gemini decision=HOLD confidence=0.75 attempts=1 latency_ms=1000`,
		info[3],
		`level=DEBUG msg="Provider responded:" provider=anthropic decision=BUY confidence=0.85 attempts=2 latency_ms=…`,
		info[4], info[5],
	}
	for _, test := range []struct {
		level slog.Level
		want  []string
	}{{slog.LevelInfo, info}, {slog.LevelDebug, debug}} {
		t.Run(test.level.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				ask(t, over(t, orchestrator.Options{Logger: j.logger(test.level)}, models()...), question(t))
				got := j.lines(t)
				for i, line := range got { // the wait before the second attempt is random
					if before, after, found := strings.Cut(line, "latency_ms=5"); found {
						_, after, found = strings.Cut(after, " ")
						if found {
							after = " " + after
						}
						got[i] = before + "latency_ms=…" + after
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestLogWithoutADecision(t *testing.T) {
	tests := []struct {
		name   string
		models []*model
		want   []string
	}{
		{"no provider", nil, []string{`level=ERROR msg="No available providers in registry" failed=[] latency_ms=0 cost_usd=0`}},
		{"too few", []*model{plays("a", buys(.9))}, []string{`level=ERROR msg="Insufficient available providers:" have=1 need=2 failed=[] latency_ms=0 cost_usd=0`}},
		{"too few answers", []*model{plays("a", buys(.9)), plays("b", fails(signal.FailureRefusal, "no").costing(1, 1, .5))}, []string{
			`level=WARN msg="Provider failed:" provider=b error=refusal message=no status=0 request_id="" attempts=1 latency_ms=0`,
			`level=ERROR msg="Insufficient successful provider responses:" have=1 need=2 failed=[b:refusal] latency_ms=0 cost_usd=0.5`}},
		{"a panic", []*model{plays("a", buys(.9)), plays("b", turn{panics: "sk-0123456789abcdef"})}, []string{
			`level=ERROR msg="Provider panicked:" provider=b panic=string stack=…`,
			`level=WARN msg="Provider failed:" provider=b error=provider message="b panicked; the log says where" status=0 request_id="" attempts=1 latency_ms=0`,
			`level=ERROR msg="Insufficient successful provider responses:" have=1 need=2 failed=[b:provider] latency_ms=0 cost_usd=0`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				o := over(t, orchestrator.Options{MinProviders: 2, Logger: j.logger(slog.LevelWarn)}, test.models...)
				if _, err := o.GenerateConsensusSignal(t.Context(), question(t)); err == nil {
					t.Fatal("a decision")
				}
				if diff := cmp.Diff(test.want, j.lines(t)); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A provider that was not needed has not failed, so there is no warning.
func TestLogOfNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		o := over(t, orchestrator.Options{Logger: j.logger(slog.LevelWarn)}, plays("a", buys(.9)), plays("b", buys(.9).in(time.Hour)).weighing(.1))
		if got := outcomesOf(ask(t, o, question(t, decided)))["b"]; got != "not_needed" {
			t.Fatalf("b came to %s, want not_needed", got)
		}
		if got := j.lines(t); len(got) > 0 {
			t.Errorf("warned: %q", got)
		}
	})
}

// Market data and reasoning are not logged.
func TestLogHoldsNoData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		spoken := buys(.9)
		spoken.answer.Reasoning = "secret-reasoning"
		request := question(t, func(r *orchestrator.Request) { r.MarketData = market(t, `{"secret-indicator": "secret-value"}`) })
		ask(t, over(t, orchestrator.Options{Logger: j.logger(slog.LevelInfo)}, plays("a", spoken)), request)
		if got := strings.Join(j.lines(t), "\n"); strings.Contains(got, "secret") {
			t.Errorf("the log holds market data or an answer:\n%s", got)
		}
	})
}

// The log says that a run was cancelled.
func TestLogOfACancelledRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("unused"))
		time.AfterFunc(time.Second, cancel)
		o := over(t, orchestrator.Options{Logger: j.logger(slog.LevelError)}, plays("a", buys(.9).in(time.Minute)))
		if _, err := o.GenerateConsensusSignal(ctx, question(t)); !errors.Is(err, orchestrator.ErrCanceled) {
			t.Fatalf("error %v, want ErrCanceled", err)
		}
		want := []string{`level=ERROR msg="The run was cancelled before it was decided" cause="context canceled" failed=[a:not_needed] latency_ms=1000 cost_usd=0`}
		if diff := cmp.Diff(want, j.lines(t)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}
