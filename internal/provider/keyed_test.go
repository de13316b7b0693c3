package provider_test

// Keys that change, in virtual time.

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// vendor is a provider that accepts some keys, and takes 10 ms for a call.
type vendor struct {
	mu       sync.Mutex
	accepted map[string]bool // guarded by mu
	refused  int             // guarded by mu
}

func (v *vendor) accept(keys ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.accepted = map[string]bool{}
	for _, key := range keys {
		v.accepted[key] = true
	}
}

func (v *vendor) construct(key provider.Key) (provider.Provider, error) {
	if strings.Contains(key.Reveal(), " ") {
		return nil, errors.New("GROK_API_KEY holds a space")
	}
	return &scripted{name: "grok", attempts: []attempt{func(ctx context.Context) (provider.Answer, error) {
		time.Sleep(10 * time.Millisecond)
		v.mu.Lock()
		defer v.mu.Unlock()
		if !v.accepted[key.Reveal()] {
			v.refused++
			return provider.Answer{}, &provider.Error{Kind: signal.FailureAuthentication, Message: "grok refused the key.", Status: http.StatusUnauthorized}
		}
		return answers(provider.Usage{})(ctx)
	}}}, nil
}

// secret is a source that holds one key.
type secret struct {
	mu      sync.Mutex
	key     provider.Key // guarded by mu
	err     error        // guarded by mu
	fetches int          // guarded by mu
}

func (s *secret) put(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = provider.NewKey(key)
}

func (s *secret) Refresh(_ context.Context, name string, refused provider.Key) (provider.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches++
	if s.err != nil || name != "grok" || s.key.Reveal() == refused.Reveal() {
		return provider.Key{}, s.err
	}
	return s.key, nil
}

func newKeyed(t *testing.T, v *vendor, s *secret, b *provider.Breaker) *provider.Keyed {
	t.Helper()
	k, err := provider.NewKeyed(v.construct, s, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Use(provider.NewKey("a")); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyed(t *testing.T) {
	tests := []struct {
		name     string
		accepted string
		held     string // by the source
		err      error
		says     string // of the error; empty: a vote
		fetches  int
	}{
		{"good key", "a", "a", nil, "", 0},
		{"replaced", "b", "b", nil, "", 1},
		{"the secret has the same one", "b", "a", nil, "grok refused the key.", 1},
		{"the other one is refused too", "c", "b", nil, "grok refused the key.", 1},
		{"the secret can't be read", "b", "", errors.New("the secret has no value"), "Whether there is another key is not known: the secret has no value", 1},
		{"the other one is no key", "b", "b b", nil, "GROK_API_KEY holds a space", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, s := &vendor{}, &secret{err: tt.err, key: provider.NewKey(tt.held)}
				v.accept(tt.accepted)
				k := newKeyed(t, v, s, nil)
				answer, err := k.Ask(t.Context(), provider.Prompt{})
				switch {
				case tt.says == "" && (err != nil || answer.Decision != signal.Buy):
					t.Errorf("%+v, %v", answer, err)
				case tt.says != "" && (!errors.Is(err, provider.ErrAuthentication) || !strings.Contains(err.Error(), tt.says)):
					t.Errorf("error %v, want authentication and %q", err, tt.says)
				}
				if s.fetches != tt.fetches {
					t.Errorf("the source was asked %d times, want %d", s.fetches, tt.fetches)
				}
				if k.Name() != "grok" || k.Model() != "grok-1" {
					t.Errorf("is %s %s", k.Name(), k.Model())
				}
			})
		})
	}
}

// During a rotation the old and the new key are both valid for a while, and then only the new
// one. No question may lose a vote meanwhile.
func TestRotationUnderLoadLosesNoVote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, s := &vendor{}, &secret{}
		v.accept("a")
		s.put("a")
		k := newKeyed(t, v, s, nil)
		caller := provider.NewCaller(1, slog.New(slog.DiscardHandler))
		var load sync.WaitGroup
		for i := range 200 {
			load.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if report := caller.Ask(t.Context(), k, provider.Prompt{}); report.Err != nil || report.Attempts != 1 {
					t.Errorf("question %d: %v after %d attempts", i, report.Err, report.Attempts)
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		v.accept("a", "b")
		s.put("b")
		time.Sleep(50 * time.Millisecond)
		v.accept("b")
		load.Wait()
		if v.refused == 0 || v.refused > 20 { // those that were under way, and no more
			t.Errorf("%d calls with the old key were refused", v.refused)
		}
	})
}

func TestNewKeyEndsTheOutage(t *testing.T) {
	b := provider.NewBreaker()
	k := newKeyed(t, &vendor{}, &secret{}, b)
	call(b, wrongKey, whole)
	for _, step := range []struct {
		key  string
		want bool
	}{{"a", false}, {"", false}, {"b", true}} {
		if err := k.Use(provider.NewKey(step.key)); err != nil {
			t.Fatal(err)
		}
		if got := b.LeftOut() == nil; got != step.want {
			t.Errorf("after the key %q it may be called: %v, want %v", step.key, got, step.want)
		}
	}
}

func TestNewKeyedReportsOtherMistakes(t *testing.T) {
	wrong := errors.New("GROK_MODEL is wrong")
	if _, err := provider.NewKeyed(func(provider.Key) (provider.Provider, error) { return nil, wrong }, &secret{}, nil); !errors.Is(err, wrong) {
		t.Errorf("error %v", err)
	}
}

func TestKeyedPassesThePriceThrough(t *testing.T) {
	k := newKeyed(t, &vendor{}, &secret{}, nil)
	if _, known := k.WorstCaseUSD(provider.Prompt{}); known {
		t.Error("a provider without a price has one")
	}
	if err := k.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSetUnavailable(t *testing.T) {
	var r provider.Registry
	if err := r.Register(provider.Entry{Provider: &scripted{name: "grok"}}); err != nil {
		t.Fatal(err)
	}
	before := r.Entries()
	r.SetUnavailable("grok", "no key")
	r.SetUnavailable("nobody", "no key")
	if len(r.Available()) != 0 || before[0].Unavailable != "" {
		t.Errorf("it is still available, or an earlier list changed: %+v", r.Entries())
	}
	r.SetUnavailable("grok", "")
	if len(r.Available()) != 1 {
		t.Error("it does not come back")
	}
}
