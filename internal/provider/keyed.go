package provider

// Providers whose key may change while the program runs.

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"

	"thalas/internal/signal"
)

// KeySource gives the key to try after a provider has refused one. The key is unset if there
// is no other.
type KeySource interface {
	Refresh(ctx context.Context, name string, refused Key) (Key, error)
}

// Keyed is a [Provider] that is made anew for every key. If the key is refused and the source
// has another one, it is tried at once, so that replacing a key costs no vote. That second
// call is not one of the attempts of a [Caller].
type Keyed struct {
	construct func(Key) (Provider, error)
	keys      KeySource
	breaker   *Breaker // hears of every new key; may be nil

	mu      sync.RWMutex
	key     Key      // guarded by mu
	current Provider // guarded by mu; made for key
}

var (
	_ Provider = (*Keyed)(nil)
	_ Priced   = (*Keyed)(nil)
)

// NewKeyed makes a provider without a key; Use sets one. An error is that of construct, for a
// mistake in the other settings.
func NewKeyed(construct func(Key) (Provider, error), keys KeySource, breaker *Breaker) (*Keyed, error) {
	current, err := construct(Key{})
	if err != nil {
		return nil, err
	}
	return &Keyed{construct: construct, keys: keys, breaker: breaker, current: current}, nil
}

// Use sets the key for all calls from now on; calls that have begun keep theirs. An unset key
// means that there is none any more.
func (k *Keyed) Use(key Key) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if isSame(k.key, key) {
		return nil
	}
	made, err := k.construct(key)
	if err != nil {
		return err
	}
	k.key, k.current = key, made
	if key.IsSet() {
		k.breaker.Replaced()
	}
	return nil
}

// Name is the provider's name.
func (k *Keyed) Name() string { return k.provider().Name() }

// Model is the model that is asked.
func (k *Keyed) Model() string { return k.provider().Model() }

// WorstCaseUSD is an upper bound of the cost of one attempt. It does not include the second
// call with another key, since the call with the refused key costs nothing.
func (k *Keyed) WorstCaseUSD(prompt Prompt) (usd float64, known bool) {
	priced, ok := k.provider().(Priced)
	if !ok {
		return 0, false
	}
	return priced.WorstCaseUSD(prompt)
}

// ListPrice is that of [Remote.ListPrice].
func (k *Keyed) ListPrice() (Price, bool) {
	if listed, ok := k.provider().(interface{ ListPrice() (Price, bool) }); ok {
		return listed.ListPrice()
	}
	return Price{}, false
}

// Ask makes one attempt, and another one if the key was replaced.
func (k *Keyed) Ask(ctx context.Context, prompt Prompt) (answer Answer, err error) {
	err = k.withKey(ctx, func(p Provider) error {
		answer, err = p.Ask(ctx, prompt)
		return err
	})
	return answer, err
}

// Check makes the free call that proves the key, and another one if it was replaced.
func (k *Keyed) Check(ctx context.Context) error {
	return k.withKey(ctx, func(p Provider) error { return p.Check(ctx) })
}

func (k *Keyed) provider() Provider {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current
}

// withKey calls the provider with the present key and, if that is refused, with its
// replacement.
func (k *Keyed) withKey(ctx context.Context, call func(Provider) error) error {
	k.mu.RLock()
	key, current := k.key, k.current
	k.mu.RUnlock()
	refused := call(current)
	if !errors.Is(refused, ErrAuthentication) {
		return refused
	}
	next, err := k.keys.Refresh(ctx, current.Name(), key)
	switch {
	case err != nil && ctx.Err() == nil:
		return &Error{
			Kind: signal.FailureAuthentication, Status: AsError(refused).Status, RequestID: AsError(refused).RequestID,
			Message: fmt.Sprintf("%s Whether there is another key is not known: %v", refused.Error(), err),
		}
	case err != nil, !next.IsSet():
		return refused
	}
	if err := k.Use(next); err != nil {
		return &Error{Kind: signal.FailureAuthentication, Message: err.Error()}
	}
	return call(k.provider())
}

func isSame(a, b Key) bool {
	return subtle.ConstantTimeCompare([]byte(a.Reveal()), []byte(b.Reveal())) == 1
}
