package secrets

// A provider that refuses a key may mean that the key was replaced.

import (
	"context"
	"time"

	"thalas/internal/provider"
)

// refreshWait is the least time between two fetches that refused keys cause: a
// key that is simply wrong must not become a call to AWS for every request.
const refreshWait = time.Minute

// Refresh gives the key to try instead of one that a provider has refused. It is
// unset where there is none: the secret still holds the refused key or has no key
// of that provider, or the refused key is a fixed one.
//
// Where the key that is held is another one already, it is given at once: the
// refused one was read before somebody else refreshed. Otherwise the secret is
// fetched, but at most once a minute for all providers together. The errors are
// as those of Keys; a failed fetch leaves the keys that are held in use, and may
// be tried again a second later.
func (s *Source) Refresh(ctx context.Context, name string, refused provider.Key) (provider.Key, error) {
	if s.o.SecretID == "" || s.o.Fixed[name].IsSet() {
		return provider.Key{}, nil
	}
	held, err := s.inTurn(ctx, func(held *state) bool {
		at := now()
		return s.replaces(held, name, refused) || within(at, held.refreshed, refreshWait) ||
			(held.failure != nil && within(at, held.failed, held.failure.wait()))
	}, refreshing)
	if err != nil {
		return provider.Key{}, err
	}
	if s.replaces(held, name, refused) {
		return held.keys[name], nil
	}
	if held.failure != nil {
		return provider.Key{}, held.failure
	}
	return provider.Key{}, nil
}

// replaces reports whether there is a key that may be used, other than a refused one.
func (s *Source) replaces(held *state, name string, refused provider.Key) bool {
	key := held.keys[name]
	return s.usable(held) && key.IsSet() && !sameKey(key, refused)
}
