package secrets

// Fetching the secret: one caller at a time, bounded in time, and how long to
// leave Secrets Manager alone after a failure.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"thalas/internal/provider"
)

// How long a fetch may take, the SDK's own retries included.
const (
	fetchTime   = 5 * time.Second // where there are no keys to go on with
	refetchTime = 2 * time.Second // where there are
)

// backoff is the pause between the SDK's tries. Its own, of up to twenty seconds,
// would not fit into a fetch.
const backoff = 500 * time.Millisecond

// How long after a failure nobody asks again.
const (
	failureWait = time.Second      // without keys, callers are being refused
	noValueWait = 10 * time.Second // somebody has to put a value there first
	staleWait   = 30 * time.Second // with keys to go on with
)

// purpose is why a fetch is made.
type purpose int

const (
	renewing   purpose = iota // the keys are missing or too old
	refreshing                // a provider has refused one
)

// inTurn waits for the turn and fetches, unless settled says that another caller
// has brought what is needed. The error is ctx's only: what else went wrong is in
// the state. There is no goroutine that could outlive the request (one that is
// frozen with a Lambda sandbox goes on inside somebody else's), and a caller that
// goes away takes only its own attempt with it: the next one in line makes another.
func (s *Source) inTurn(ctx context.Context, settled func(*state) bool, why purpose) (*state, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, gone(ctx)
	}
	defer func() { <-s.turn }()
	held := s.held.Load()
	if settled(held) {
		return held, nil
	}
	next := s.fetch(ctx, *held, why)
	s.held.Store(&next)
	if ctx.Err() != nil {
		return nil, gone(ctx)
	}
	return &next, nil
}

func gone(ctx context.Context) error {
	return fmt.Errorf("provider keys: the request ended before they were there: %w", ctx.Err())
}

// fetch asks Secrets Manager and gives the state after that.
func (s *Source) fetch(ctx context.Context, before state, why purpose) state {
	limit := fetchTime
	if s.usable(&before) {
		limit = refetchTime
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	keys, notes, failure := s.get(bounded)
	if failure != nil && ctx.Err() != nil {
		return before // it says nothing about the secret
	}
	after := before
	after.failure = failure
	if why == refreshing && !errors.Is(failure, ErrUnreachable) {
		after.refreshed = now()
	}
	if failure == nil {
		after.keys, after.fetched = keys, now()
		s.logFetched(ctx, before.keys, keys, notes)
		return after
	}
	after.failed = now()
	if errors.Is(failure, ErrNoValue) { // an answer, not an outage: there are no keys any more
		after.keys, after.fetched = nil, time.Time{}
	}
	s.logFailure(ctx, &after)
	return after
}

// get makes the call and reads what it brings. The notes are about entries that
// mean nothing here.
func (s *Source) get(ctx context.Context) (keys map[string]provider.Key, notes []string, failure *Error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.o.SecretID)}, func(o *secretsmanager.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, backoff)
	})
	if err != nil {
		return nil, nil, s.failed(err)
	}
	document := out.SecretBinary
	if out.SecretString != nil {
		document = []byte(*out.SecretString)
	}
	keys, notes, mistakes := parse(document, s.o.Providers)
	if len(mistakes) > 0 {
		return nil, nil, s.malformed(mistakes)
	}
	return keys, notes, nil
}

// retryAfter is how long after its failure the secret is left alone.
func (s *Source) retryAfter(held *state) time.Duration {
	if s.usable(held) {
		return staleWait
	}
	return held.failure.wait()
}

// wait is how long after e nobody asks again where there are no keys.
func (e *Error) wait() time.Duration {
	if errors.Is(e, ErrNoValue) {
		return noValueWait
	}
	return failureWait
}

func (s *Source) logFetched(ctx context.Context, before, after map[string]provider.Key, notes []string) {
	level := slog.LevelDebug
	if !maps.EqualFunc(before, after, sameKey) {
		level = slog.LevelInfo
	}
	s.log.LogAttrs(ctx, level, "Provider keys fetched:", slog.String("secret", s.o.SecretID), slog.Any("providers", slices.Sorted(maps.Keys(after))))
	for _, note := range notes {
		s.log.LogAttrs(ctx, slog.LevelWarn, "Provider keys:", slog.String("secret", s.o.SecretID), slog.String("note", note))
	}
}

// logFailure says what went wrong, and what the service goes on with.
func (s *Source) logFailure(ctx context.Context, after *state) {
	attrs := []slog.Attr{slog.String("secret", s.o.SecretID), slog.String("error", after.failure.Error())}
	if after.failure.cause != nil {
		attrs = append(attrs, slog.String("cause", after.failure.cause.Error()))
	}
	if s.usable(after) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "Provider keys not fetched, going on with the ones from before:",
			append(attrs, slog.Time("fetched", after.fetched), slog.Time("used_until", after.fetched.Add(max(s.o.MaxAge, StaleLimit))))...)
		return
	}
	s.log.LogAttrs(ctx, slog.LevelError, "Provider keys not fetched:", attrs...)
}

func sameKey(a, b provider.Key) bool { return a.Reveal() == b.Reveal() }
