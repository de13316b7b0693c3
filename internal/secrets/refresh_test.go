package secrets_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"thalas/internal/provider"
	"thalas/internal/secrets"
)

func refresh(t *testing.T, s *secrets.Source, name, refused, want string) {
	t.Helper()
	key, err := s.Refresh(t.Context(), name, provider.NewKey(refused))
	if err != nil || key.Reveal() != want {
		t.Errorf("Refresh(%s) gives %q, %v, want %q", name, key.Reveal(), err, want)
	}
}

func TestRefreshFetchesAtOnceAndOnceAMinute(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
		m.answers(always(keysValue(keyA)))
		refresh(t, s, "anthropic", keyA, "") // the key in the secret is the refused one
		m.answers(always(keysValue(keyB)))
		time.Sleep(time.Minute - time.Second)
		refresh(t, s, "anthropic", keyA, "")
		refresh(t, s, "openai", keyO, "")
		if m.count() != 0 {
			t.Errorf("%d calls within a minute, want none", m.count())
		}
		time.Sleep(time.Second)
		refresh(t, s, "anthropic", keyA, keyB)
		refresh(t, s, "anthropic", keyA, keyB) // a request that began earlier
		refresh(t, s, "gemini", keyA, "")      // has no key at all
		if m.count() != 1 {
			t.Errorf("%d calls, want 1", m.count())
		}
		wantKeys(t, s, "anthropic", keyB, "openai", keyO)
	})
}

func TestRefreshThatFailsKeepsTheKeys(t *testing.T) {
	tests := []struct {
		name   string
		answer answer
		reason error
		again  time.Duration // after which the next fetch is made
		keeps  bool
	}{
		{"hanging", hangs, secrets.ErrUnreachable, time.Second, true},
		{"denied", denied, secrets.ErrDenied, time.Minute, true},
		{"malformed", value(`{}`), secrets.ErrMalformed, time.Minute, true},
		{"no value", noValue, secrets.ErrNoValue, time.Minute, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withManager(t, func(t *testing.T, m *manager) {
				s := m.source()
				wantKeys(t, s, "anthropic", keyA, "openai", keyO)
				m.answers(always(tt.answer))
				began := time.Now()
				for range 2 {
					if key, err := s.Refresh(t.Context(), "anthropic", provider.NewKey(keyA)); key.IsSet() || !errors.Is(err, tt.reason) {
						t.Errorf("got %q, %v, want %v", key.Reveal(), err, tt.reason)
					}
				}
				if took := time.Since(began); took > 2*time.Second || m.count() != 1 {
					t.Errorf("%d calls in %s, want 1 in at most 2 s", m.count(), took)
				}
				if tt.keeps {
					wantKeys(t, s, "anthropic", keyA, "openai", keyO)
				} else if _, err := s.Keys(t.Context()); !errors.Is(err, tt.reason) {
					t.Errorf("Keys gives %v, want %v", err, tt.reason)
				}
				m.answers(always(keysValue(keyB)))
				time.Sleep(tt.again)
				refresh(t, s, "anthropic", keyA, keyB)
			})
		})
	}
}

func TestRefreshEndsWithItsRequest(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		wantKeys(t, s, "anthropic", keyA, "openai", keyO)
		m.answers(always(hangs))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := s.Refresh(ctx, "anthropic", provider.NewKey(keyA)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		m.answers(always(keysValue(keyB)))
		refresh(t, s, "anthropic", keyA, keyB) // the fetch that was given up does not count
	})
}

// A key is replaced under load, and the old one is revoked at the same time. Every request
// succeeds with at most one retry, and there is only one fetch.
func TestRotationUnderLoadLosesNoRequest(t *testing.T) {
	withManager(t, func(t *testing.T, m *manager) {
		s := m.source()
		var valid atomic.Value
		valid.Store(keyA)
		var retried atomic.Int32
		request := func() bool {
			keys, err := s.Keys(t.Context())
			if err != nil {
				t.Error(err)
				return false
			}
			key := keys["anthropic"]
			time.Sleep(300 * time.Millisecond) // the provider's call
			if key.Reveal() == valid.Load() {
				return true
			}
			retried.Add(1)
			key, err = s.Refresh(t.Context(), "anthropic", key)
			return err == nil && key.Reveal() == valid.Load()
		}
		if !request() {
			t.Fatal("fails before anything changes")
		}
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				if !request() {
					t.Errorf("request %d failed", i)
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		m.answers(always(keysValue(keyB)))
		valid.Store(keyB)
		all.Wait()
		if m.count() != 1 || retried.Load() == 0 {
			t.Errorf("%d calls for %d refused requests, want 1", m.count(), retried.Load())
		}
	})
}
