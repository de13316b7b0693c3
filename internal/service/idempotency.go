package service

// Idempotency: the same key and body are paid for once.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// replayFor is how long the same key gives the same answer.
	replayFor = 24 * time.Hour
	// claimSlack is what a run needs beyond its budget to be stored. A process
	// that was killed holds its keys no longer than that.
	claimSlack = 10 * time.Second
	// completeTimeout bounds the wait for a claim to be completed. It is longer than
	// that of other writes: where a claim is left behind, the key is paid again.
	completeTimeout = 5 * time.Second
)

// once runs a question unless its key was used before.
func (s *Service) once(ctx context.Context, q Question) (Answer, error) {
	key := claimKey(q)
	owner := uuid.NewString()
	now := time.Now()
	claiming, claimed := context.WithTimeout(ctx, writeTimeout)
	held, err := s.Store.Claim(claiming, key, store.Claim{Owner: owner, Payload: q.Payload, Until: s.claimedUntil(ctx, now, q), ExpiresAt: now.Add(replayFor)})
	claimed()
	if err != nil {
		// The caller asked not to pay twice, and nobody can promise it now.
		return Answer{}, unreachable("to check the Idempotency-Key", err)
	}
	if held != nil {
		return s.held(ctx, q, *held)
	}
	answer, err := s.run(ctx, q.Request)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	if answer.Body == nil { // no decision, or none that could be replayed
		s.logged(ctx, "release", s.Store.Release(ctx, key, owner))
		return answer, err
	}
	s.logged(ctx, "complete", s.Store.Complete(ctx, key, owner, answer.Consensus.ID))
	return answer, nil
}

// claimKey scopes a key by its caller. Both are hashed: they may hold anything.
func claimKey(q Question) string {
	hash := sha256.Sum256([]byte(q.Caller + "\x00" + q.IdempotencyKey))
	return "idem#" + hex.EncodeToString(hash[:])
}

// claimedUntil is when the run has ended at the latest, even if it is killed.
func (s *Service) claimedUntil(ctx context.Context, now time.Time, q Question) time.Time {
	budget := q.Timeout
	if budget == 0 {
		budget = orchestrator.MaxTimeout
	}
	until := now.Add(budget)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	return until.Add(claimSlack)
}

// held answers a question whose key somebody has.
func (s *Service) held(ctx context.Context, q Question, claim store.Claim) (Answer, error) {
	switch {
	case claim.Payload != q.Payload:
		return Answer{}, &Error{Message: "This Idempotency-Key was used with another body. Send a new key with a new question.", kind: ErrOtherBody}
	case claim.Result == "":
		return Answer{}, &Error{Message: "The same question is being worked on under this Idempotency-Key. Ask again for its answer.", RetryAfter: time.Second, kind: ErrInFlight}
	}
	result, err := s.Store.Result(ctx, claim.Result)
	if err != nil {
		if errors.Is(err, store.ErrNotFound) { // results are kept for a shorter time than keys
			return Answer{}, &Error{Message: "The answer to this Idempotency-Key is no longer kept. Send a new key.", kind: ErrNotFound}
		}
		return Answer{}, unreachable("to read the answer to the Idempotency-Key", err)
	}
	var consensus signal.Consensus
	if err := json.Unmarshal(result.Body, &consensus); err != nil {
		return Answer{}, err
	}
	consensus.Cache = signal.CacheReplay
	return Answer{Consensus: &consensus, Replayed: true}, nil
}

// logged notes a claim that could not be ended: it ends by itself at its Until.
func (s *Service) logged(ctx context.Context, what string, err error) {
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "Idempotency claim left behind:", slog.String("step", what), slog.String("error", err.Error()))
	}
}
