package secrets

// A Source gives the keys of the secret, and replaces a key that a provider has refused.

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"thalas/internal/provider"
)

const (
	// StaleLimit is how long after their fetch keys are used if Secrets Manager can't be read.
	// It is longer than an outage, but a key that was removed from the secret ends some time.
	StaleLimit = 24 * time.Hour

	// refreshWait is the least time between two fetches because of refused keys. Otherwise a
	// wrong key would cause a call to AWS for every request.
	refreshWait = time.Minute

	// The time after a failed fetch in which no other one is made.
	failureWait = time.Second      // without keys, since callers are refused meanwhile
	noValueWait = 10 * time.Second // without a value, which somebody has to put there first
	staleWait   = 30 * time.Second // with keys from before
)

// Client is the part of *secretsmanager.Client that a Source needs.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Options say which secret a Source reads. All but the Logger must be set.
type Options struct {
	Providers []string      // names of all known providers; each may have an entry {NAME}_API_KEY
	SecretID  string        // name or ARN
	MaxAge    time.Duration // the age at which the secret is fetched again
	Logger    *slog.Logger  // nil: no log
}

// Source gives the keys of the secret. It is safe for concurrent use.
type Source struct {
	client Client
	Options

	turn chan struct{}         // holds a token while a caller fetches
	held atomic.Pointer[state] // never nil; replaced only by the caller that has the turn
}

// state is what is known of the secret. It is never changed in place. Its times are those of
// [now].
type state struct {
	keys      map[string]provider.Key // by provider, of the last successful fetch
	fetched   time.Time               // when that was; zero: never
	failure   *Error                  // of the last fetch; nil if it succeeded
	failed    time.Time               // when that was
	refreshed time.Time               // the last fetch because of a refused key; zero: never
}

// New makes a Source. It does not call Secrets Manager.
func New(client Client, o Options) *Source {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Source{client: client, Options: o, turn: make(chan struct{}, 1)}
	s.held.Store(&state{})
	return s
}

// Keys gives the keys of the secret by provider. It fetches the secret if that was not done
// yet or is too long ago. A fetch takes at most five seconds, or two if there are keys from
// before. An *Error says why there are no keys. If ctx ends first, the error wraps its error.
func (s *Source) Keys(ctx context.Context) (map[string]provider.Key, error) {
	held := s.held.Load()
	if !s.isCurrent(held) {
		var err error
		if held, err = s.inTurn(ctx, false, s.isCurrent); err != nil {
			return nil, err
		}
	}
	if held.failure != nil && !s.isUsable(held) {
		return nil, held.failure
	}
	return maps.Clone(held.keys), nil
}

// Refresh gives the key to try instead of one that a provider has refused. It is unset if
// the secret still has the refused key, or no key of that provider.
//
// If the known key is another one already, it is given at once. Otherwise the secret is
// fetched, but at most once a minute for all providers together. The errors are those of
// [Source.Keys]. After a failed fetch the known keys stay in use, and the next refused key
// may fetch again after a second if Secrets Manager could not be reached.
func (s *Source) Refresh(ctx context.Context, name string, refused provider.Key) (provider.Key, error) {
	held, err := s.inTurn(ctx, true, func(held *state) bool {
		at := now()
		return s.hasOther(held, name, refused) || within(at, held.refreshed, refreshWait) ||
			(held.failure != nil && within(at, held.failed, held.failure.wait()))
	})
	switch {
	case err != nil:
		return provider.Key{}, err
	case s.hasOther(held, name, refused):
		return held.keys[name], nil
	case held.failure != nil:
		return provider.Key{}, held.failure
	}
	return provider.Key{}, nil
}

// isCurrent reports whether nothing has to be fetched now: the keys are young enough, or
// the last fetch failed a moment ago.
func (s *Source) isCurrent(held *state) bool {
	at, wait := now(), staleWait
	if held.failure != nil && !s.isUsable(held) {
		wait = held.failure.wait()
	}
	return within(at, held.fetched, s.MaxAge) || (held.failure != nil && within(at, held.failed, wait))
}

// isUsable reports whether there are keys, fresh or from before.
func (s *Source) isUsable(held *state) bool {
	return held.keys != nil && within(now(), held.fetched, max(s.MaxAge, StaleLimit))
}

// hasOther reports whether there is a key of a provider other than the refused one.
func (s *Source) hasOther(held *state, name string, refused provider.Key) bool {
	key := held.keys[name]
	return s.isUsable(held) && key.IsSet() && !isSame(key, refused)
}

// wait is the time after a failure in which nothing is fetched if there are no keys.
func (e *Error) wait() time.Duration {
	if errors.Is(e, ErrNoValue) {
		return noValueWait
	}
	return failureWait
}

func isSame(a, b provider.Key) bool { return a.Reveal() == b.Reveal() }

// now is the time without its monotonic part. That one stands still while a Lambda sandbox
// is frozen, so that keys would seem younger than they are.
func now() time.Time { return time.Now().Round(0) }

// within reports whether at is less than d after since. It is false if at is before since:
// then the clock was set back, and the age is not known.
func within(at, since time.Time, d time.Duration) bool {
	age := at.Sub(since)
	return !since.IsZero() && age >= 0 && age < d
}
