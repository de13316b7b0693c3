package secrets_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
	"thalas/internal/secrets"
)

// wantPairs compares keys with pairs of provider and key.
func wantPairs(t *testing.T, keys map[string]provider.Key, want ...string) {
	t.Helper()
	pairs := map[string]string{}
	for i := 0; i+1 < len(want); i += 2 {
		pairs[want[i]] = want[i+1]
	}
	if diff := cmp.Diff(pairs, revealed(keys)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestKeysAreFetchedWithTheFirstUseAndAgainWhenTheyAreOld(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		if m.count() != 0 {
			t.Error("the secret was fetched before anybody asked for a key")
		}
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
		m.answers(always(keysValue(keyB)))
		time.Sleep(maxAge - time.Second)
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
		if m.count() != 0 {
			t.Errorf("%d calls within the maximum age, want none", m.count())
		}
		time.Sleep(time.Second)
		wantKeys(t, s, "anthropic", keyB, "openai", keyO)
		wantKeys(t, s, "anthropic", keyB, "openai", keyO)
		if m.count() != 1 {
			t.Errorf("%d calls, want 1", m.count())
		}
	})
}

func TestCallersCannotChangeTheKeys(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		keys, err := s.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		clear(keys)
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
	})
}

func TestManyCallersAreOneFetch(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		m.answers(func(int) answer { a := keysValue(keyA); a.after = time.Second; return a })
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { wantKeys(t, s, "anthropic", keyA, "openai", keyO) })
		}
		all.Wait()
		if m.count() != 1 {
			t.Errorf("%d calls, want 1", m.count())
		}
	})
}

func TestCallerWhoGoesAwayFailsNobodyElse(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		slow := keysValue(keyA)
		slow.after = time.Second
		m.answers(always(slow))
		leaving, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if keys, err := s.Keys(leaving); !errors.Is(err, context.Canceled) || len(keys) != 0 {
				t.Errorf("the caller who left got %v, %v", keys, err)
			}
		})
		synctest.Wait() // until it fetches
		for range 5 {
			all.Go(func() { wantKeys(t, s, "anthropic", keyA, "openai", keyO) })
		}
		brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		all.Go(func() {
			if _, err := s.Keys(brief); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the caller whose time was up while waiting got %v", err)
			}
		})
		time.Sleep(500 * time.Millisecond)
		leave()
		all.Wait()
		if m.count() != 2 {
			t.Errorf("%d calls, want 2: the one that was given up and one for all others", m.count())
		}
		if strings.Contains(m.log.String(), "not fetched") {
			t.Errorf("a caller who left is logged as a failure:\n%s", m.log)
		}
	})
}

func TestFirstFetchThatFailsIsTriedAgain(t *testing.T) {
	tests := []struct {
		name   string
		answer answer
		reason error
		says   string
		wait   time.Duration // the time without another fetch
		takes  time.Duration // at most
		calls  int           // of one fetch; 0: any number
	}{
		{"no value", noValue, secrets.ErrNoValue, `put the keys there with: aws secretsmanager put-secret-value --secret-id thalas/provider-keys --secret-string '{"ANTHROPIC_API_KEY":"…"}'`, 10 * time.Second, 0, 1},
		{"access denied", denied, secrets.ErrDenied, "may not be read (AccessDeniedException): the role needs secretsmanager:GetSecretValue", time.Second, 0, 1},
		{"marked for deletion", refusal(400, "InvalidRequestException", "it was marked for deletion"), secrets.ErrDenied, "aws secretsmanager restore-secret --secret-id thalas/provider-keys", time.Second, 0, 1},
		{"another refusal", refusal(400, "ValidationException", "no"), secrets.ErrUnreachable, "can't be read now (ValidationException)", time.Second, 0, 1},
		{"throttled to the end", throttled, secrets.ErrUnreachable, "can't be read now (ThrottlingException)", time.Second, 5 * time.Second, 3},
		{"broken to the end", broken, secrets.ErrUnreachable, "can't be read now (InternalServiceError)", time.Second, 5 * time.Second, 3},
		{"hanging", hangs, secrets.ErrUnreachable, "did not answer in time", time.Second, 5 * time.Second, 1},
		{"answer that is cut off", answer{body: `{"SecretString":"{\"OPENAI_API_KEY\":\"` + keyO}, secrets.ErrUnreachable, "gives no answer", time.Second, 5 * time.Second, 0},
		{"page of a proxy", answer{status: 502, body: "<html>" + keyO + "</html>"}, secrets.ErrUnreachable, "can't be read now", time.Second, 5 * time.Second, 0},
		{"malformed", value(`["` + keyA + `"]`), secrets.ErrMalformed, "it is not a JSON object", time.Second, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withManager(t, func(t *testing.T, m *manager) {
				s := m.source()
				m.answers(always(tt.answer))
				began := time.Now()
				keys, err := s.Keys(t.Context())
				if took := time.Since(began); took > tt.takes {
					t.Errorf("took %s, want at most %s", took, tt.takes)
				}
				wantPairs(t, keys)
				var failure *secrets.Error
				if !errors.As(err, &failure) || !errors.Is(err, tt.reason) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), secretID) {
					t.Fatalf("error %v, want %v that says %q", err, tt.reason, tt.says)
				}
				for _, secret := range []string{keyA, keyO, "arn:aws:sts"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error tells %q: %v", secret, err)
					}
				}
				if tt.calls != 0 && m.count() != tt.calls {
					t.Errorf("%d calls, want %d", m.count(), tt.calls)
				}

				m.answers(always(keysValue(keyA)))
				time.Sleep(tt.wait - time.Millisecond)
				if _, again := s.Keys(t.Context()); again == nil || m.count() != 0 {
					t.Errorf("before the wait is over: error %v, %d calls", again, m.count())
				}
				time.Sleep(time.Millisecond)
				wantKeys(t, s, "anthropic", keyA, "openai", keyO)
				if lines := strings.Count(m.log.String(), "Provider keys not fetched:"); lines != 1 {
					t.Errorf("%d lines about one failure:\n%s", lines, m.log)
				}
			})
		})
	}
}

func TestShortTroubleIsOverWithinTheFetch(t *testing.T) {
	for name, trouble := range map[string]answer{"throttled": throttled, "broken": broken, "unavailable": {status: 503, body: "{}"}} {
		t.Run(name, func(t *testing.T) {
			withManager(t, func(t *testing.T, m *manager) {
				m.answers(first(trouble, trouble, keysValue(keyA)))
				began := time.Now()
				wantKeys(t, m.source(), "anthropic", keyA, "openai", keyO)
				if took := time.Since(began); took > time.Second || m.count() != 3 {
					t.Errorf("%d calls in %s, want 3 in at most 1 s", m.count(), took)
				}
			})
		})
	}
}

func TestStaleKeysAreUsedForADay(t *testing.T) {
	for name, trouble := range map[string]answer{"hanging": hangs, "denied": denied, "malformed": value(`{"OPENAI_API_KEY":17}`)} {
		t.Run(name, func(t *testing.T) {
			withManager(t, func(t *testing.T, m *manager) {
				s := m.source()
				wantKeys(t, s, "anthropic", keyA, "openai", keyO)
				m.answers(always(trouble))
				time.Sleep(maxAge)
				began := time.Now()
				for range 3 {
					wantKeys(t, s, "anthropic", keyA, "openai", keyO)
				}
				if took := time.Since(began); took > 2*time.Second || m.count() != 1 {
					t.Errorf("%d calls in %s, want 1 in at most 2 s", m.count(), took)
				}
				if !strings.Contains(m.log.String(), "going on with the ones from before") {
					t.Errorf("the log does not say that the keys are stale:\n%s", m.log)
				}
				for wait, want := range []int{1, 2} { // just before and at half a minute after the failure
					time.Sleep([]time.Duration{30*time.Second - time.Millisecond, time.Millisecond}[wait])
					wantKeys(t, s, "anthropic", keyA, "openai", keyO)
					if m.count() != want {
						t.Errorf("%d calls, want %d", m.count(), want)
					}
				}
				time.Sleep(secrets.StaleLimit)
				if keys, err := s.Keys(t.Context()); err == nil || len(keys) != 0 {
					t.Errorf("after a day still %v, %v", revealed(keys), err)
				}
				m.answers(always(keysValue(keyB)))
				time.Sleep(time.Second)
				wantKeys(t, s, "anthropic", keyB, "openai", keyO)
			})
		})
	}
}

func TestSecretThatLostItsValueLeavesNoKeys(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
		m.answers(always(noValue))
		time.Sleep(maxAge)
		for range 2 {
			if keys, err := s.Keys(t.Context()); !errors.Is(err, secrets.ErrNoValue) || len(keys) != 0 {
				t.Errorf("got %v, %v", keys, err)
			}
		}
		if m.count() != 1 {
			t.Errorf("%d calls, want 1", m.count())
		}
	})
}

func TestLogTellsProvidersAndUnusedEntries(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		m.answers(always(value(`{"OPENAI_API_KEY":"` + keyO + `","` + keyA + `":"x"}`)))
		wantKeys(t, s, "openai", keyO)
		time.Sleep(maxAge)
		wantKeys(t, s, "openai", keyO)
		for text, want := range map[string]int{
			`level=INFO msg="Provider keys fetched:" secret=thalas/provider-keys providers=[openai]`: 1, // only once, since later nothing has changed
			`level=DEBUG msg="Provider keys fetched:"`:                                               1,
			`note="entry 2 is not known and not used"`:                                               2,
		} {
			if got := strings.Count(m.log.String(), text); got != want {
				t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, m.log)
			}
		}
	})
}
