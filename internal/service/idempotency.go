package service

// Idempotency: a question is paid for once for each key and body.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	// claimSlack is the time after a run's deadline in which its result is stored. A
	// claim is free after that, even if its process was killed.
	claimSlack = paidTimeout + 5*time.Second
	// completeTimeout bounds each write that ends a claim.
	completeTimeout = 5 * time.Second
)

// claim is what a run claims, so that no other run is paid for the same question.
type claim struct {
	key      string
	payload  string        // a hash of the question that the key stands for
	budget   time.Duration // how long the run may take
	lifetime time.Duration // how long the key gives this run's answer
}

// claim gives the claim of a question with an Idempotency-Key. Key and caller are
// hashed, because they may be any text.
func (q Question) claim() claim {
	hash := sha256.Sum256([]byte(q.Caller + q.Route + "\x00" + q.IdempotencyKey))
	budget := q.Timeout
	if budget == 0 {
		budget = orchestrator.MaxTimeout
	}
	return claim{key: "idem#" + hex.EncodeToString(hash[:]), payload: q.Payload, budget: budget, lifetime: replayFor}
}

// once calls run if the claim is free, and otherwise gives the answer of the run that
// had it. The owner of a claim is the id of its run: the answer of a run whose process
// was killed before it could complete its claim is found by that.
func (s *Service) once(ctx context.Context, c claim, run func(ctx context.Context, id string) (Answer, error)) (Answer, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Answer{}, err
	}
	owner := id.String()
	now := time.Now()
	claiming, claimed := context.WithTimeout(ctx, writeTimeout)
	old, err := s.Store.Claim(claiming, c.key, store.Claim{Owner: owner, Payload: c.payload, Until: latestEnd(ctx, now, c.budget).Add(claimSlack), ExpiresAt: now.Add(c.lifetime)})
	claimed()
	switch {
	case errors.Is(err, store.ErrHeld):
		return s.answerOfHolder(ctx, c, *old)
	case err != nil:
		// The caller asked not to pay twice, which can't be promised without the store.
		return Answer{}, unreachable("to check whether this was asked before", err)
	}
	if old != nil && old.Payload == c.payload {
		if answer, err := s.recoverAnswer(ctx, c.key, owner, *old); !errors.Is(err, store.ErrNotFound) {
			return answer, err
		}
	}
	ended := false
	defer func() {
		if !ended { // a panic: the same question may be asked again at once
			s.releaseClaim(ctx, c.key, owner)
		}
	}()
	answer, err := run(ctx, owner)
	ended = true
	if answer.Consensus == nil { // no decision
		s.releaseClaim(ctx, c.key, owner)
		return answer, err
	}
	// The claim is completed even if the answer could not be stored: it is paid for, and
	// this process still has it.
	s.completeClaim(ctx, c.key, owner, answer.Consensus.ID)
	return answer, nil
}

// endClaim changes a claim for the last time. An error is only logged, because the claim
// ends by itself at its Until.
func (s *Service) endClaim(ctx context.Context, step string, change func(context.Context) error) {
	ctx, cancel := writeContext(ctx, completeTimeout)
	defer cancel()
	if err := change(ctx); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "Idempotency claim left behind:", slog.String("step", step), slog.String("error", err.Error()))
	}
}

func (s *Service) completeClaim(ctx context.Context, key, owner, result string) {
	s.endClaim(ctx, "complete", func(ctx context.Context) error { return s.Store.Complete(ctx, key, owner, result) })
}

func (s *Service) releaseClaim(ctx context.Context, key, owner string) {
	s.endClaim(ctx, "release", func(ctx context.Context) error { return s.Store.Release(ctx, key, owner) })
}

// recoverAnswer gives the answer of the run that held a claim before, and completes the
// claim for it: its process was killed between storing the answer and completing the
// claim. It gives [store.ErrNotFound] if no answer was stored; then the run is repeated.
func (s *Service) recoverAnswer(ctx context.Context, key, owner string, old store.Claim) (Answer, error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	answer, err := s.replayed(reading, old.Owner)
	switch {
	case err == nil:
		s.completeClaim(ctx, key, owner, old.Owner)
	case !errors.Is(err, store.ErrNotFound): // it is not known whether the answer was paid for
		s.releaseClaim(ctx, key, owner)
		// The claim that was taken over is restored, so that the next attempt looks for its
		// answer again.
		s.endClaim(ctx, "put back", func(ctx context.Context) error {
			if _, err := s.Store.Claim(ctx, key, old); !errors.Is(err, store.ErrHeld) { // otherwise another process has taken it
				return err
			}
			return nil
		})
		err = unreachable("to check whether this was asked before", err)
	}
	return answer, err
}

// latestEnd gives the deadline of a run that begins now and may take as long as budget.
func latestEnd(ctx context.Context, now time.Time, budget time.Duration) time.Time {
	end := now.Add(budget)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return end
}

// answerOfHolder answers a question whose key another run has claimed.
func (s *Service) answerOfHolder(ctx context.Context, c claim, held store.Claim) (Answer, error) {
	switch {
	case held.Payload != c.payload:
		return Answer{}, &Error{Message: "This Idempotency-Key was used with another body. Send a new key with a new question.", kind: ErrOtherBody}
	case held.Result == "":
		return Answer{}, &Error{Message: "The same question is being worked on under this Idempotency-Key. Ask again for its answer.", RetryAfter: time.Second, kind: ErrInFlight}
	}
	answer, err := s.replayed(ctx, held.Result)
	if errors.Is(err, store.ErrNotFound) { // it could not be stored, or has expired before the key
		return Answer{}, &Error{Message: "This was asked and paid for under the same Idempotency-Key, but its answer could not be stored or is no longer kept. Send a new key to ask, and pay, again.", kind: ErrNotFound}
	}
	return answer, unreachable("to read the answer that was given before", err)
}

// replayed reads an earlier answer.
func (s *Service) replayed(ctx context.Context, id string) (Answer, error) {
	result, stored, err := s.result(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	var consensus signal.Consensus
	if err := json.Unmarshal(result.Body, &consensus); err != nil {
		return Answer{}, fmt.Errorf("the stored result %s: %w", id, err)
	}
	consensus.Cache = signal.CacheReplay
	if !stored {
		consensus.Warnings = append(consensus.Warnings, notStored)
	}
	return Answer{Consensus: &consensus, Replayed: true}, nil
}
