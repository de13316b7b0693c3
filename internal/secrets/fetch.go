package secrets

// Fetching the secret: one caller at a time, and within a limit of time.

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

const (
	fetchTime   = 5 * time.Second // for a fetch without keys from before, including the retries of the SDK
	refetchTime = 2 * time.Second // for a fetch with keys from before

	// maxBackoff is the longest pause between the attempts of the SDK. Its own limit, 20 s,
	// would not fit into a fetch.
	maxBackoff = 500 * time.Millisecond
)

// inTurn waits for its turn and fetches the secret, unless done says that another caller
// has brought what is needed. refused says that the reason is a refused key. The error is
// only that of ctx; the state has all others.
//
// The fetch has no goroutine of its own, which could be frozen with a Lambda sandbox and go
// on within another request. A caller that goes away ends only its own fetch; the next one
// in line makes another.
func (s *Source) inTurn(ctx context.Context, refused bool, done func(*state) bool) (*state, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ended(ctx)
	}
	held := s.held.Load()
	if done(held) {
		return held, nil
	}
	held = s.fetch(ctx, *held, refused)
	s.held.Store(held)
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	return held, nil
}

func ended(ctx context.Context) error {
	return fmt.Errorf("provider keys: the request ended before they were there: %w", ctx.Err())
}

// fetch calls Secrets Manager, and gives the state after that.
func (s *Source) fetch(ctx context.Context, before state, refused bool) *state {
	limit := fetchTime
	if s.isUsable(&before) {
		limit = refetchTime
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	keys, notes, failure := s.get(bounded)
	if failure != nil && ctx.Err() != nil {
		return &before // the failure says nothing about the secret
	}
	after := before
	after.failure = failure
	if refused && !errors.Is(failure, ErrUnreachable) {
		after.refreshed = now()
	}
	if failure == nil {
		after.keys, after.fetched = keys, now()
		s.logFetched(ctx, before.keys, keys, notes)
		return &after
	}
	after.failed = now()
	if errors.Is(failure, ErrNoValue) { // somebody removed the keys
		after.keys, after.fetched = nil, time.Time{}
	}
	s.logFailure(ctx, &after)
	return &after
}

// get makes the call and reads its result. The notes are about entries that are not used.
func (s *Source) get(ctx context.Context) (keys map[string]provider.Key, notes []string, failure *Error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.SecretID)}, func(o *secretsmanager.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, maxBackoff)
	})
	if err != nil {
		return nil, nil, s.callFailed(err)
	}
	document := out.SecretBinary
	if out.SecretString != nil {
		document = []byte(*out.SecretString)
	}
	keys, notes, mistakes := parse(document, s.Providers)
	if len(mistakes) > 0 {
		return nil, nil, s.malformed(mistakes)
	}
	return keys, notes, nil
}

func (s *Source) logFetched(ctx context.Context, before, after map[string]provider.Key, notes []string) {
	level := slog.LevelDebug
	if !maps.EqualFunc(before, after, isSame) {
		level = slog.LevelInfo
	}
	s.Logger.LogAttrs(ctx, level, "Provider keys fetched:", slog.String("secret", s.SecretID), slog.Any("providers", slices.Sorted(maps.Keys(after))))
	for _, note := range notes {
		s.Logger.LogAttrs(ctx, slog.LevelWarn, "Provider keys:", slog.String("secret", s.SecretID), slog.String("note", note))
	}
}

func (s *Source) logFailure(ctx context.Context, after *state) {
	attrs := []slog.Attr{slog.String("secret", s.SecretID), slog.String("error", after.failure.Error())}
	if after.failure.cause != nil {
		attrs = append(attrs, slog.String("cause", after.failure.cause.Error()))
	}
	level, text := slog.LevelError, "Provider keys not fetched:"
	if s.isUsable(after) {
		level, text = slog.LevelWarn, "Provider keys not fetched, going on with the ones from before:"
		attrs = append(attrs, slog.Time("fetched", after.fetched), slog.Time("used_until", after.fetched.Add(max(s.MaxAge, StaleLimit))))
	}
	s.Logger.LogAttrs(ctx, level, text, attrs...)
}
