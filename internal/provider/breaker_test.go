package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

var (
	broken      = &provider.Error{Kind: signal.FailureProvider, Retryable: true}
	panicked    = &provider.Error{Kind: signal.FailureProvider}
	slow        = &provider.Error{Kind: signal.FailureTimeout, Retryable: true}
	noVote      = &provider.Error{Kind: signal.FailureInvalidResponse, Retryable: true}
	overloaded  = &provider.Error{Kind: signal.FailureRateLimit, Retryable: true, Status: 529}
	wrongKey    = &provider.Error{Kind: signal.FailureAuthentication, Message: "grok answered 401: no; check GROK_API_KEY"}
	denied      = &provider.Error{Kind: signal.FailureProvider, Status: 403, Denied: true, Message: "grok answered 403: not in your country"}
	noCredit    = &provider.Error{Kind: signal.FailureRateLimit, Status: 429, Message: "grok answered 429: no credits; add credit"}
	notNeeded   = &provider.Error{Kind: signal.FailureNotNeeded, Retryable: true}
	refused     = &provider.Error{Kind: signal.FailureRefusal, Status: 403}
	truncated   = &provider.Error{Kind: signal.FailureTruncated, Status: 200}
	tooLarge    = &provider.Error{Kind: signal.FailureProvider, Status: 429}
	wrongModel  = &provider.Error{Kind: signal.FailureProvider, Status: 404}
	tooFast     = &provider.Error{Kind: signal.FailureRateLimit, Status: 429, Retryable: true}
	askedToWait = &provider.Error{Kind: signal.FailureRateLimit, Status: 429, Retryable: true, RetryAfter: 7 * time.Second}
)

const (
	whole = true  // the call has the whole time
	short = false // the call has less
)

// call makes one call that ends with err. It reports whether the breaker permitted it.
func call(b *provider.Breaker, err *provider.Error, hasWholeTime bool) bool {
	permit, left := b.Acquire(hasWholeTime)
	if left != nil {
		return false
	}
	permit.Record(err)
	return true
}

// Each failure as in the table of docs/providers.md.
func TestBreakerByFailure(t *testing.T) {
	tests := []struct {
		name     string
		err      *provider.Error
		whole    bool
		after    int // calls in a row keep it out; 0: never
		reason   signal.LeftOutReason
		until    time.Duration
		insisted bool // asked all the same for a quorum
	}{
		{"5xx, reset", broken, whole, 8, signal.LeftOutFailing, 5 * time.Second, true},
		{"panic", panicked, whole, 8, signal.LeftOutFailing, 5 * time.Second, true},
		{"no vote", noVote, whole, 8, signal.LeftOutFailing, 5 * time.Second, true},
		{"overloaded", overloaded, whole, 8, signal.LeftOutFailing, 5 * time.Second, true},
		{"timeout", slow, whole, 8, signal.LeftOutFailing, 5 * time.Second, true},
		{"timeout of a short deadline", slow, short, 0, "", 0, false},
		{"wrong key", wrongKey, short, 1, signal.LeftOutKeyRefused, 30 * time.Second, true},
		{"account denied", denied, short, 1, signal.LeftOutAccessDenied, 30 * time.Second, true},
		{"no credit", noCredit, short, 1, signal.LeftOutNoCredit, 15 * time.Minute, false},
		{"no credit until a time", &provider.Error{Kind: signal.FailureRateLimit, RetryAfter: time.Minute}, whole, 1, signal.LeftOutNoCredit, time.Minute, false},
		{"asked to wait", askedToWait, short, 1, signal.LeftOutAskedToWait, 7 * time.Second, false},
		{"too many requests", tooFast, whole, 0, "", 0, false},
		{"not needed", notNeeded, whole, 0, "", 0, false},
		{"refusal", refused, whole, 0, "", 0, false},
		{"truncated", truncated, whole, 0, "", 0, false},
		{"too large", tooLarge, whole, 0, "", 0, false},
		{"unknown model", wrongModel, whole, 0, "", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := provider.NewBreaker()
				calls := test.after
				if calls == 0 {
					calls = 20
				}
				for i := range calls {
					if !call(b, test.err, test.whole) {
						t.Fatalf("call %d was not let through", i+1)
					}
				}
				if test.after == 0 {
					if b.State() != provider.BreakerClosed || !call(b, nil, whole) {
						t.Errorf("state %s after %d calls", b.State(), calls)
					}
					return
				}
				left := b.LeftOut()
				if left == nil || b.State() != provider.BreakerOpen {
					t.Fatalf("not left out after %d calls: %s", calls, b.State())
				}
				if left.Reason != test.reason || time.Until(left.Until) != test.until {
					t.Errorf("left out for %s in %v, want %s in %v", left.Reason, time.Until(left.Until), test.reason, test.until)
				}
				if _, left := b.Insist(short); (left == nil) != test.insisted {
					t.Errorf("asked for a quorum: %t, want %t", left == nil, test.insisted)
				}
				time.Sleep(test.until - time.Nanosecond)
				if call(b, nil, whole) {
					t.Fatal("let through before the time was over")
				}
				time.Sleep(time.Nanosecond)
				if !call(b, nil, whole) || b.State() != provider.BreakerClosed || b.LeftOut() != nil {
					t.Errorf("state %s after the time and a vote", b.State())
				}
			})
		})
	}
}

// A provider that answers one call in eight is asked every time.
func TestBreakerCountsFailuresInARow(t *testing.T) {
	b := provider.NewBreaker()
	for i := range 100 {
		err := broken
		if i%8 == 7 {
			err = nil
		}
		if !call(b, err, whole) {
			t.Fatalf("call %d was not let through", i+1)
		}
	}
}

func failing(t *testing.T) *provider.Breaker {
	t.Helper()
	b := provider.NewBreaker()
	for range 8 {
		call(b, broken, whole)
	}
	if b.State() != provider.BreakerOpen {
		t.Fatalf("state %s after eight failures", b.State())
	}
	return b
}

// Every failed try makes the delay until the next one longer, up to a bound.
func TestDelaysGrow(t *testing.T) {
	s, m := time.Second, time.Minute
	tests := []struct {
		name  string
		err   *provider.Error
		first int
		waits []time.Duration
	}{
		{"failing", broken, 8, []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 60 * s, 60 * s}},
		{"key refused", wrongKey, 1, []time.Duration{30 * s, m, 2 * m, 4 * m, 8 * m, 15 * m, 15 * m}},
		{"denied", denied, 1, []time.Duration{30 * s, m, 2 * m, 4 * m, 8 * m, 15 * m, 15 * m}},
		{"no credit", noCredit, 1, []time.Duration{15 * m, 15 * m}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := provider.NewBreaker()
				for range test.first {
					call(b, test.err, whole)
				}
				for i, wait := range test.waits {
					if got := time.Until(b.LeftOut().Until); got != wait {
						t.Fatalf("wait %d is %v, want %v", i+1, got, wait)
					}
					time.Sleep(wait)
					if b.State() != provider.BreakerHalfOpen {
						t.Fatalf("state %s after wait %d", b.State(), i+1)
					}
					if !call(b, test.err, whole) {
						t.Fatalf("not tried after wait %d", i+1)
					}
				}
			})
		})
	}
}

func TestBreakerLetsOneCallTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := failing(t)
		time.Sleep(5 * time.Second)
		permit, left := b.Acquire(whole)
		if left != nil {
			t.Fatal("no call was let through to try")
		}
		if _, left := b.Acquire(whole); left == nil || b.State() != provider.BreakerHalfOpen || !strings.Contains(left.Message("grok"), "until another run has tried it") {
			t.Fatalf("a second call was let through while the first one tries: %+v", left)
		}
		// A call that insists for its quorum is not a try: its failure delays nothing.
		beside, left := b.Insist(whole)
		if left != nil {
			t.Fatal("a run without a quorum was not let through")
		}
		beside.Record(broken)
		if left := b.LeftOut(); time.Until(left.Until) > 0 {
			t.Errorf("a failure beside the try put the next one off by %v", time.Until(left.Until))
		}
		permit.Record(nil)
		if b.State() != provider.BreakerClosed {
			t.Errorf("state %s after a try that worked", b.State())
		}
	})
}

// After a try that says nothing about the provider, another call must be permitted to try.
// Otherwise the provider would be left out for ever.
func TestTryThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(provider.Permit){
			"not needed": func(p provider.Permit) { p.Record(notNeeded) },
			"too large":  func(p provider.Permit) { p.Record(tooLarge) },
			"released":   provider.Permit.Release,
		} {
			b := failing(t)
			time.Sleep(5 * time.Second)
			for range 3 {
				permit, left := b.Acquire(whole)
				if left != nil {
					t.Fatalf("%s: no call was let through", name)
				}
				end(permit)
			}
			if !call(b, nil, whole) || b.State() != provider.BreakerClosed {
				t.Errorf("%s: state %s after a try that worked", name, b.State())
			}
		}
	})
}

// A call with a short deadline is not the try, and its timeout decides nothing. If no caller
// gives more time, such calls are permitted now and then, and an answer ends the outage.
func TestBreakerAndShortDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := failing(t)
		time.Sleep(5 * time.Second)
		if call(b, slow, short) {
			t.Fatal("a short call took the try")
		}
		time.Sleep(time.Minute)
		for range 3 {
			if !call(b, slow, short) {
				t.Fatal("nobody else came for a minute, and the short call was not let through")
			}
			if call(b, slow, short) {
				t.Fatal("a second short call was let through in the same minute")
			}
			time.Sleep(time.Minute)
		}
		if !call(b, nil, short) || b.State() != provider.BreakerClosed {
			t.Errorf("state %s after a vote in a short time", b.State())
		}
	})
}

func TestProvedAndReplacedEndOutages(t *testing.T) {
	tests := []struct {
		name             string
		err              *provider.Error
		proved, replaced bool // lets it in
	}{
		{"wrong key", wrongKey, true, true},
		{"denied", denied, true, true},
		{"no credit", noCredit, false, true},
		{"asked to wait", askedToWait, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for event, in := range map[string]struct {
				tell func(*provider.Breaker)
				want bool
			}{"proved": {(*provider.Breaker).Proved, test.proved}, "replaced": {(*provider.Breaker).Replaced, test.replaced}} {
				b := provider.NewBreaker()
				call(b, test.err, whole)
				in.tell(b)
				if got := b.LeftOut() == nil; got != in.want {
					t.Errorf("let in after the key was %s: %t, want %t", event, got, in.want)
				}
			}
		})
	}
}

// Whoever misses the vote of a provider is told what it said about the account.
func TestLeftOutSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for says, err := range map[string]*provider.Error{
			"not asked for another 30s: grok answered 401: no; check GROK_API_KEY":   wrongKey,
			"not asked for another 30s: grok answered 403: not in your country":      denied,
			"not asked for another 15m0s: grok answered 429: no credits; add credit": noCredit,
			"not asked for another 7s: grok asked to wait":                           askedToWait,
			"not asked for another 5s: grok failed 8 times in a row":                 broken,
		} {
			b := provider.NewBreaker()
			for call(b, err, whole) {
			}
			if got := b.LeftOut().Message("grok"); got != says {
				t.Errorf("message %q, want %q", got, says)
			}
		}
	})
}

func TestBreakerKeepsTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := provider.NewBreaker()
		// Two runs begin before either of them fails.
		first, _ := b.Acquire(whole)
		second, _ := b.Acquire(whole)
		first.Record(askedToWait)
		second.Record(&provider.Error{Kind: signal.FailureRateLimit, Retryable: true, RetryAfter: time.Second})
		if got := time.Until(b.LeftOut().Until); got != 7*time.Second {
			t.Errorf("the wait is %v, want 7s", got)
		}
		third := &provider.Error{Kind: signal.FailureProvider, Status: 503, Retryable: true, RetryAfter: time.Hour}
		second.Record(third)
		if got := time.Until(b.LeftOut().Until); got != 15*time.Minute {
			t.Errorf("the wait is %v, want at most 15 minutes", got)
		}
	})
}

// Calls that began before an outage do not make it longer.
func TestEarlierCallsDoNotProlongAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := provider.NewBreaker()
		var before []provider.Permit
		for range 20 {
			permit, _ := b.Acquire(whole)
			before = append(before, permit)
		}
		for _, permit := range before {
			permit.Record(broken)
		}
		if got := time.Until(b.LeftOut().Until); got != 5*time.Second {
			t.Errorf("20 failures at once keep it out for %v, want 5s", got)
		}
	})
}

// The try of an outage that is over decides nothing about the next outage.
func TestTryOfAnEarlierOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := provider.NewBreaker()
		early, _ := b.Acquire(whole)
		for range 8 {
			call(b, broken, whole)
		}
		time.Sleep(5 * time.Second)
		late, _ := b.Acquire(whole) // is the try of the first outage
		early.Record(nil)           // ends that outage
		for range 8 {
			call(b, broken, whole)
		}
		time.Sleep(5 * time.Second)
		if _, left := b.Acquire(whole); left != nil {
			t.Fatal("the second outage is not tried")
		}
		late.Record(broken)
		if _, left := b.Acquire(whole); left == nil || left.Until.After(time.Now()) {
			t.Errorf("left out %+v, want one call that tries", left)
		}
	})
}

// Whatever happens: when all calls have ended and every wait is over, a call is permitted,
// and only one if it is a try.
func TestOutagesEnd(t *testing.T) {
	errs := []*provider.Error{nil, broken, slow, wrongKey, denied, noCredit, askedToWait, refused, notNeeded}
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 1<<20), 1, 120).Draw(rt, "steps")
		var wrong string // told outside, since rapid ends the goroutine that fails
		synctest.Test(t, func(t *testing.T) {
			b := provider.NewBreaker()
			var open []provider.Permit
			for _, n := range steps {
				switch act, n := n%8, n/8; {
				case act < 4:
					ask := b.Acquire
					if act == 3 {
						ask = b.Insist
					}
					if permit, left := ask(n%4 != 0); left == nil {
						open = append(open, permit)
					}
				case act < 7 && len(open) > 0:
					i := n % len(open)
					if n%10 == 0 {
						open[i].Release()
					} else {
						open[i].Record(errs[n%len(errs)])
					}
					open = slices.Delete(open, i, i+1)
				default:
					time.Sleep(time.Duration(n%600) * time.Second / 10)
				}
				if left := b.LeftOut(); left != nil && time.Until(left.Until) > 15*time.Minute {
					wrong = fmt.Sprintf("left out for %v", time.Until(left.Until))
				}
			}
			for _, permit := range open {
				permit.Record(broken)
			}
			time.Sleep(15 * time.Minute)
			if _, left := b.Acquire(whole); left != nil {
				wrong = fmt.Sprintf("left out for ever: %+v", left)
			} else if b.LeftOut() != nil { // the call above decides
				if _, left := b.Acquire(whole); left == nil {
					wrong = "two calls decide"
				}
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// Concurrent events cause no panic, no deadlock and no outage of more than 15 minutes.
func TestBreakerConcurrently(t *testing.T) {
	b := provider.NewBreaker()
	var group sync.WaitGroup
	for _, err := range []*provider.Error{nil, broken, slow, wrongKey, denied, noCredit, askedToWait, refused, notNeeded} {
		group.Go(func() {
			for i := range 500 {
				permit, left := b.Insist(i%2 == 0)
				if left == nil {
					permit.Record(err)
				} else if time.Until(left.Until) > 15*time.Minute {
					t.Errorf("left out for %v", time.Until(left.Until))
				}
				b.State()
				b.Proved()
			}
		})
	}
	group.Wait()
	var none *provider.Breaker
	if permit, left := none.Acquire(whole); left != nil || none.State() != provider.BreakerClosed || none.LeftOut() != nil {
		t.Error("where there is no breaker, something is left out")
	} else {
		permit.Record(broken)
		permit.Release()
	}
}
