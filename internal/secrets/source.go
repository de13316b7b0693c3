package secrets

// A Source gives the keys of all providers: those that are fixed, and those of
// the secret.

import (
	"context"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"thalas/internal/provider"
)

// DefaultMaxAge is how long fetched keys are used where the Options say nothing.
const DefaultMaxAge = 5 * time.Minute

// StaleLimit is how long after their fetch keys are used while Secrets Manager
// can't be read: longer than an outage, but a key that was taken out of the
// secret does not live on for ever.
const StaleLimit = 24 * time.Hour

// Client is what is needed of AWS; *secretsmanager.Client is one.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Options say which keys a Source gives.
type Options struct {
	Providers []string                // names of all known providers; {NAME}_API_KEY is the entry of each
	Fixed     map[string]provider.Key // by provider: keys that win over the secret's
	SecretID  string                  // name or ARN of the secret; empty: the fixed keys are all there are
	MaxAge    time.Duration           // age at which the secret is fetched again; 0: DefaultMaxAge
	Logger    *slog.Logger            // nil: no log
}

// Source gives the keys of all providers. It is safe for concurrent use.
type Source struct {
	client Client
	o      Options
	log    *slog.Logger

	turn chan struct{}         // holds one token while somebody may fetch
	held atomic.Pointer[state] // never nil; replaced only by who has the turn
}

// state is what is known of the secret. It is never changed in place. Times are
// of the wall clock alone, see now.
type state struct {
	keys      map[string]provider.Key // by provider; what the last good fetch brought
	fetched   time.Time               // when; zero: never
	failure   *Error                  // of the last fetch; nil: it was good
	failed    time.Time               // when
	refreshed time.Time               // last fetch that a refused key caused; zero: none
}

// New makes a Source. It calls nobody. client may be nil where the Options name
// no secret.
func New(client Client, o Options) *Source {
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	fixed := map[string]provider.Key{}
	for name, key := range o.Fixed {
		if key.IsSet() {
			fixed[name] = key
		}
	}
	o.Fixed = fixed
	s := &Source{client: client, o: o, log: o.Logger, turn: make(chan struct{}, 1)}
	s.held.Store(&state{})
	return s
}

// Keys gives the key of every provider that has one, by provider. It fetches the
// secret where that was never done or is too long ago; a fetch takes five seconds
// at most, two where there are keys to go on with. The secret is not fetched at all where every key is fixed.
//
// An *Error says why the secret gave no keys. The map is good even then: it holds
// the fixed keys. Where ctx ends first, the error wraps ctx's.
func (s *Source) Keys(ctx context.Context) (map[string]provider.Key, error) {
	if !s.needsSecret() {
		return maps.Clone(s.o.Fixed), nil
	}
	held := s.held.Load()
	if !s.settled(held) {
		var err error
		if held, err = s.inTurn(ctx, s.settled, renewing); err != nil {
			return maps.Clone(s.o.Fixed), err
		}
	}
	if failure := s.failureOf(held); failure != nil {
		return maps.Clone(s.o.Fixed), failure
	}
	return s.merged(held), nil
}

// needsSecret reports whether a provider has no fixed key and there is a secret
// that may hold one.
func (s *Source) needsSecret() bool {
	if s.o.SecretID == "" {
		return false
	}
	for _, name := range s.o.Providers {
		if !s.o.Fixed[name].IsSet() {
			return true
		}
	}
	return false
}

// settled reports whether nothing is to be fetched now: the keys are young
// enough, or the last fetch failed a moment ago.
func (s *Source) settled(held *state) bool {
	at := now()
	return within(at, held.fetched, s.o.MaxAge) || (held.failure != nil && within(at, held.failed, s.retryAfter(held)))
}

// failureOf gives the failure that the held keys can't make up for.
func (s *Source) failureOf(held *state) *Error {
	if held.failure == nil || s.usable(held) {
		return nil
	}
	return held.failure
}

// usable reports whether there are keys that may be used, fresh or stale.
func (s *Source) usable(held *state) bool {
	return held.keys != nil && within(now(), held.fetched, max(s.o.MaxAge, StaleLimit))
}

// merged gives the secret's keys with the fixed ones over them.
func (s *Source) merged(held *state) map[string]provider.Key {
	keys := make(map[string]provider.Key, len(held.keys)+len(s.o.Fixed))
	maps.Copy(keys, held.keys)
	maps.Copy(keys, s.o.Fixed)
	return keys
}

// now is the wall clock alone: the monotonic one stands still while a Lambda
// sandbox is frozen, and keys would seem younger than they are.
func now() time.Time { return time.Now().Round(0) }

// within reports whether d has not passed since a moment. A moment in the future
// is not within: the clock was set back, and nothing is known.
func within(at, since time.Time, d time.Duration) bool {
	age := at.Sub(since)
	return !since.IsZero() && age >= 0 && age < d
}
