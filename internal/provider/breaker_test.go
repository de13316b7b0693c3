package provider_test

import (
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

const enough = 20 * time.Second // a budget that a provider can be held to

var (
	broken      = &provider.Error{Kind: signal.FailureProvider, Retryable: true}
	slow        = &provider.Error{Kind: signal.FailureTimeout, Retryable: true}
	wrongKey    = &provider.Error{Kind: signal.FailureAuthentication}
	outOfQuota  = &provider.Error{Kind: signal.FailureRateLimit}
	notNeeded   = &provider.Error{Kind: signal.FailureNotNeeded, Retryable: true}
	refused     = &provider.Error{Kind: signal.FailureRefusal}
	tooLarge    = &provider.Error{Kind: signal.FailureProvider, Status: 413}
	askedToWait = &provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: 7 * time.Second}
)

// call makes one call that ends with err, if it is let through.
func call(b *provider.Breaker, err *provider.Error, budget time.Duration) bool {
	if !b.TryAcquire() {
		return false
	}
	b.Record(err, budget)
	return true
}

func TestBreakerOpensByFiveFailuresOfTen(t *testing.T) {
	tests := []struct {
		name   string
		calls  []*provider.Error
		budget time.Duration
		want   provider.BreakerState
	}{
		{"none", nil, enough, provider.BreakerClosed},
		{"four failures", []*provider.Error{broken, broken, slow, broken}, enough, provider.BreakerClosed},
		{"five failures", []*provider.Error{broken, broken, slow, broken, broken}, enough, provider.BreakerOpen},
		{"five of ten", []*provider.Error{broken, nil, broken, nil, broken, nil, broken, nil, nil, broken}, enough, provider.BreakerOpen},
		{"five of eleven", []*provider.Error{broken, nil, broken, nil, broken, nil, broken, nil, nil, nil, broken}, enough, provider.BreakerClosed},
		{"five that were not needed", []*provider.Error{notNeeded, notNeeded, notNeeded, notNeeded, notNeeded}, enough, provider.BreakerClosed},
		{"five without quota", []*provider.Error{outOfQuota, outOfQuota, outOfQuota, outOfQuota, outOfQuota}, enough, provider.BreakerClosed},
		{"five requests that were too large", []*provider.Error{tooLarge, tooLarge, tooLarge, tooLarge, tooLarge}, enough, provider.BreakerClosed},
		{"five refusals", []*provider.Error{refused, refused, refused, refused, refused}, enough, provider.BreakerClosed},
		{"five timeouts in short budgets", []*provider.Error{slow, slow, slow, slow, slow}, 4999 * time.Millisecond, provider.BreakerClosed},
		{"five timeouts in five seconds", []*provider.Error{slow, slow, slow, slow, slow}, 5 * time.Second, provider.BreakerOpen},
		{"one wrong key", []*provider.Error{wrongKey}, enough, provider.BreakerOpen},
		{"one that asked to wait", []*provider.Error{askedToWait}, enough, provider.BreakerOpen},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := provider.NewBreaker()
				for i, err := range test.calls {
					if !call(b, err, test.budget) {
						t.Fatalf("call %d was not let through", i)
					}
				}
				if got := b.State(); got != test.want {
					t.Errorf("state %s, want %s", got, test.want)
				}
				if isOpen := b.Reason() != ""; isOpen != (test.want == provider.BreakerOpen) {
					t.Errorf("reason %q in state %s", b.Reason(), test.want)
				}
				if through := b.TryAcquire(); through != (test.want == provider.BreakerClosed) {
					t.Errorf("let through: %v in state %s", through, test.want)
				}
			})
		})
	}
}

func open(t *testing.T) *provider.Breaker {
	t.Helper()
	b := provider.NewBreaker()
	for range 5 {
		call(b, broken, enough)
	}
	if b.State() != provider.BreakerOpen {
		t.Fatalf("state %s after five failures", b.State())
	}
	return b
}

func TestBreakerProbesOnceAfterThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		time.Sleep(30*time.Second - time.Nanosecond)
		if b.TryAcquire() {
			t.Fatal("let through before 30 s had passed")
		}
		time.Sleep(time.Nanosecond)
		if got := b.State(); got != provider.BreakerHalfOpen || b.Reason() != "" {
			t.Fatalf("state %s, reason %q after 30 s", got, b.Reason())
		}
		if !b.TryAcquire() {
			t.Fatal("no probe was let through")
		}
		if b.TryAcquire() || b.Reason() == "" {
			t.Fatal("a second call was let through while the probe was under way")
		}
		b.Record(broken, enough)
		if b.TryAcquire() {
			t.Fatal("let through after the probe had failed")
		}
		time.Sleep(30 * time.Second)
		if !call(b, nil, enough) || b.State() != provider.BreakerClosed {
			t.Fatalf("state %s after a probe that worked", b.State())
		}
	})
}

// A probe that says nothing about the provider must not use up the permit: the
// provider would stay out for ever.
func TestBreakerProbesAgainAfterAProbeThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(*provider.Breaker){
			"not needed":   func(b *provider.Breaker) { b.Record(notNeeded, enough) },
			"no quota":     func(b *provider.Breaker) { b.Record(outOfQuota, enough) },
			"short budget": func(b *provider.Breaker) { b.Record(slow, time.Second) },
			"released":     func(b *provider.Breaker) { b.Release() },
		} {
			b := open(t)
			time.Sleep(30 * time.Second)
			for range 3 {
				if !b.TryAcquire() {
					t.Fatalf("%s: no probe was let through", name)
				}
				end(b)
			}
			if !call(b, nil, enough) || b.State() != provider.BreakerClosed {
				t.Errorf("%s: state %s after a probe that worked", name, b.State())
			}
		}
	})
}

func TestBreakerKeepsAWrongKeyOutUntilOneIsProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := provider.NewBreaker()
		call(b, wrongKey, enough)
		time.Sleep(24 * time.Hour)
		if b.TryAcquire() {
			t.Fatal("a wrong key was let through after a day")
		}
		b.Proved()
		if !b.TryAcquire() {
			t.Fatal("a proved key was not let through")
		}
	})
}

func TestBreakerKeepsTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := provider.NewBreaker()
		// Two runs had started before either failed.
		b.TryAcquire()
		b.TryAcquire()
		b.Record(askedToWait, enough)
		b.Record(&provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: time.Second}, enough)
		time.Sleep(7*time.Second - time.Nanosecond)
		if b.TryAcquire() {
			t.Fatal("let through before the wait was over")
		}
		time.Sleep(time.Nanosecond)
		if !b.TryAcquire() || b.State() != provider.BreakerClosed {
			t.Fatalf("state %s after the wait", b.State())
		}
	})
}
