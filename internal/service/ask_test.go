package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

func TestAskKeepsWhatItAnswers(t *testing.T) {
	s := newService(t, service.Options{ResultRetention: time.Hour}, &voter{name: "a"}, &voter{name: "b"})
	answer := ask(t, s, question())
	stored, err := s.Show(t.Context(), answer.Consensus.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(answer.Consensus)
	if string(stored.Body) != string(want) {
		t.Errorf("stored %s\nanswered %s", stored.Body, want)
	}
	if stored.Series != "BTC/USDT#5m" || stored.Decision != "BUY" || !stored.ExpiresAt.Equal(answer.Consensus.Timestamp.Add(time.Hour)) {
		t.Errorf("stored as %+v", stored)
	}
	latest, err := s.Latest(t.Context(), answer.Consensus.Pair, "5m", time.Minute)
	if err != nil || latest.ID != answer.Consensus.ID {
		t.Errorf("latest is %q, %v", latest.ID, err)
	}
}

func TestAskRefusesBeforeAnybodyIsAsked(t *testing.T) {
	a := &voter{name: "a", worst: 1}
	s := newService(t, service.Options{DailyBudgetUSD: 10}, a)
	q := keyed("key")
	q.Weights = map[string]float64{"nobody": 1}
	var fields signal.FieldErrors
	if _, err := s.Ask(t.Context(), q); !errors.As(err, &fields) || fields[0].Field != "provider_weights.nobody" {
		t.Fatalf("got %v", err)
	}
	if a.asked.Load() != 0 {
		t.Error("a provider was asked")
	}
	// Neither the key nor the budget is held by a question that was refused.
	if answer := ask(t, s, keyed("key")); answer.Replayed {
		t.Error("the refused question had taken the key")
	}
	metrics, err := s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{})
	if err != nil || metrics.TotalRequests != 1 {
		t.Errorf("%d requests counted, %v", metrics.TotalRequests, err)
	}
}

func TestAskAnswersWhatCannotBeStored(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"}, &voter{name: "b"})
	s.store.fail(nil, errDown)
	answer := ask(t, s, keyed("key"))
	if got := codes(answer.Consensus); !slices.Contains(got, signal.WarnNotStored) {
		t.Errorf("warnings %v", got)
	}
	if _, err := s.Show(t.Context(), answer.Consensus.ID); !errors.Is(err, service.ErrNotFound) {
		t.Errorf("show: %v", err)
	}
}

// A repeated question is not paid for again if its answer could not be stored: this
// process has the answer and stores it as soon as it can, and other processes refuse.
func TestWhatCannotBeStoredIsPaidOnce(t *testing.T) {
	a := &voter{name: "a"}
	s := newService(t, service.Options{}, a)
	other := serviceOver(t, service.Options{}, s.store, a)
	occasion := func(s fixture) func() (service.Answer, error) {
		return func() (service.Answer, error) {
			return s.AskOnce(t.Context(), "occasion", func(context.Context) (orchestrator.Request, error) { return question().Request, nil })
		}
	}
	withKey := func(s fixture) func() (service.Answer, error) {
		return func() (service.Answer, error) { return s.Ask(t.Context(), keyed("key")) }
	}
	for name, of := range map[string]func(fixture) func() (service.Answer, error){"Idempotency-Key": withKey, "occasion": occasion} {
		t.Run(name, func(t *testing.T) {
			here, there := of(s), of(other)
			a.asked.Store(0)
			s.store.fail(nil, errDown)
			first, err := here()
			if err != nil {
				t.Fatal(err)
			}
			id := first.Consensus.ID
			again, err := here()
			if err != nil || !again.Replayed || again.Consensus.ID != id || !slices.Contains(codes(again.Consensus), signal.WarnNotStored) {
				t.Errorf("while it can't be stored: %+v, %v", again, err)
			}
			s.store.fail(nil, nil)
			if answer, err := there(); !errors.Is(err, service.ErrNotFound) {
				t.Errorf("another process: %+v, %v", answer, err)
			}
			again, err = here()
			if err != nil || !again.Replayed || again.Consensus.ID != id || slices.Contains(codes(again.Consensus), signal.WarnNotStored) {
				t.Errorf("when it can be stored: %+v, %v", again, err)
			}
			if answer, err := there(); err != nil || answer.Consensus.ID != id {
				t.Errorf("another process, now that it is stored: %+v, %v", answer, err)
			}
			if n := a.asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
	if metrics, err := s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{}); err != nil || metrics.TotalRequests != 2 {
		t.Errorf("%d runs are counted, want 2: %v", metrics.TotalRequests, err)
	}
}

// A result that could not be stored is stored later, when the store takes results again.
func TestWhatCouldNotBeStoredIsStoredLater(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"})
	s.store.fail(nil, errDown)
	lost := []string{ask(t, s, question()).Consensus.ID, ask(t, s, question()).Consensus.ID}
	s.store.fail(nil, nil)
	for range lost {
		ask(t, s, question())
	}
	for _, id := range lost {
		if _, err := s.Show(t.Context(), id); err != nil {
			t.Errorf("show: %v", err)
		}
	}
	if metrics, err := s.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{}); err != nil || metrics.TotalRequests != 4 {
		t.Errorf("%d runs are counted, want 4: %v", metrics.TotalRequests, err)
	}
}

func TestAskFinishesTheRunOfACallerWhoWent(t *testing.T) {
	a := &voter{name: "a", after: 20 * time.Millisecond, started: make(chan struct{}, 1)}
	s := newService(t, service.Options{}, a)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-a.started
		cancel()
	}()
	answer, err := s.Ask(ctx, question())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Show(t.Context(), answer.Consensus.ID); err != nil {
		t.Errorf("the result was not stored: %v", err)
	}
}

func TestAskTakesAsManyRunsAsAllowed(t *testing.T) {
	a := &voter{name: "a", after: 20 * time.Millisecond, started: make(chan struct{}, 1)}
	s := newService(t, service.Options{MaxConcurrentRuns: 1}, a)
	first := make(chan error, 1)
	go func() {
		_, err := s.Ask(t.Context(), question())
		first <- err
	}()
	<-a.started
	var refused *service.Error
	if _, err := s.Ask(t.Context(), question()); !errors.Is(err, service.ErrBusy) || !errors.As(err, &refused) || refused.RetryAfter <= 0 {
		t.Errorf("a second run: %v", err)
	}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.started = nil
	ask(t, s, question())
}

func TestAskCountsARunWithoutADecision(t *testing.T) {
	a := &voter{name: "a", err: &provider.Error{Kind: signal.FailureAuthentication, Message: "a wrong key"}}
	s := newService(t, service.Options{}, a)
	var undecided *orchestrator.Error
	if _, err := s.Ask(t.Context(), question()); !errors.As(err, &undecided) {
		t.Fatalf("got %v", err)
	}
	metrics, err := s.Metrics(t.Context(), service.WindowHour, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if metrics.TotalRequests != 1 || metrics.FailedRequests != 1 || metrics.Providers[0].Failures["authentication"] != 1 {
		t.Errorf("counted %+v", metrics)
	}
}

func TestIdempotencyKey(t *testing.T) {
	a := &voter{name: "a", cost: 0.01}
	s := newService(t, service.Options{}, a)
	first := ask(t, s, keyed("key"))
	again := ask(t, s, keyed("key"))
	if !again.Replayed || again.Consensus.Cache != signal.CacheReplay || a.asked.Load() != 1 {
		t.Fatalf("replayed %v, cache %s, asked %d times", again.Replayed, again.Consensus.Cache, a.asked.Load())
	}
	again.Consensus.Cache = signal.CacheMiss
	a1, _ := json.Marshal(first.Consensus)
	a2, _ := json.Marshal(again.Consensus)
	if diff := cmp.Diff(string(a1), string(a2)); diff != "" {
		t.Errorf("the replay differs:\n%s", diff)
	}

	other := keyed("key")
	other.Payload = "another body"
	if _, err := s.Ask(t.Context(), other); !errors.Is(err, service.ErrOtherBody) {
		t.Errorf("another body: %v", err)
	}
	other.Caller = "somebody else"
	if answer := ask(t, s, other); answer.Replayed {
		t.Error("two callers met in one key")
	}
	// Caller and key must not be glued together.
	split := keyed("rkey")
	split.Caller = "calle"
	if answer := ask(t, s, split); answer.Replayed {
		t.Error("another split of caller and key was taken for the same")
	}
}

func TestIdempotencyKeyInFlight(t *testing.T) {
	a := &voter{name: "a", after: 20 * time.Millisecond, started: make(chan struct{}, 8)}
	s := newService(t, service.Options{}, a)
	first := make(chan service.Answer, 1)
	go func() { first <- ask(t, s, keyed("key")) }()
	<-a.started
	var refused *service.Error
	if _, err := s.Ask(t.Context(), keyed("key")); !errors.Is(err, service.ErrInFlight) || !errors.As(err, &refused) || refused.RetryAfter <= 0 {
		t.Errorf("in flight: %v", err)
	}
	other := keyed("key")
	other.Payload = "another body"
	if _, err := s.Ask(t.Context(), other); !errors.Is(err, service.ErrOtherBody) {
		t.Errorf("another body in flight: %v", err)
	}
	id := (<-first).Consensus.ID
	if again := ask(t, s, keyed("key")); !again.Replayed || again.Consensus.ID != id {
		t.Errorf("replayed %v %s, want %s", again.Replayed, again.Consensus.ID, id)
	}
}

func TestIdempotencyKeyIsFreeAfterAFailure(t *testing.T) {
	a := &voter{name: "a", err: &provider.Error{Kind: signal.FailureProvider, Message: "a is down"}}
	s := newService(t, service.Options{}, a)
	if _, err := s.Ask(t.Context(), keyed("key")); !errors.Is(err, orchestrator.ErrInsufficientResponses) {
		t.Fatal(err)
	}
	a.err = nil
	if answer := ask(t, s, keyed("key")); answer.Replayed {
		t.Error("a failure was replayed")
	}
}

// A process that was killed during a run holds its key only until the run would have
// ended.
func TestIdempotencyKeyOfAKilledRun(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "a"})
	probe := &claims{faulty: s.store}
	s.Store = probe
	ask(t, s, keyed("key"))
	budget := probe.claim.Until.Sub(probe.at)
	if budget < orchestrator.MaxTimeout || budget > orchestrator.MaxTimeout+15*time.Second {
		t.Errorf("a run holds its key for %s", budget)
	}
	// The same claim, left behind by a process that died past its time.
	dead := probe.claim
	dead.Owner, dead.Until = "a dead process", time.Now().Add(-time.Millisecond)
	if _, err := s.store.Store.Claim(t.Context(), probe.key+"2", dead); err != nil {
		t.Fatal(err)
	}
	live := dead
	live.Owner = "a live process"
	if _, err := s.store.Store.Claim(t.Context(), probe.key+"2", live); err != nil {
		t.Errorf("the key of a dead run is held: %v", err)
	}
}

// claims remembers the last claim.
type claims struct {
	*faulty
	key   string
	claim store.Claim
	at    time.Time
}

func (c *claims) Claim(ctx context.Context, key string, claim store.Claim) (*store.Claim, error) {
	c.key, c.claim, c.at = key, claim, time.Now()
	return c.faulty.Claim(ctx, key, claim)
}

func TestIdempotencyKeyNeedsTheStore(t *testing.T) {
	a := &voter{name: "a"}
	s := newService(t, service.Options{}, a)
	s.store.fail(errDown, nil)
	if _, err := s.Ask(t.Context(), keyed("key")); !errors.Is(err, service.ErrStore) {
		t.Errorf("got %v", err)
	}
	if a.asked.Load() != 0 {
		t.Error("a provider was asked, although nobody can promise that it is paid once")
	}
	if answer := ask(t, s, question()); !slices.Contains(codes(answer.Consensus), signal.WarnNotStored) {
		t.Error("a question without a key was not answered")
	}
}
