package bolt

// Claims: who works on a key.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"thalas/internal/store"
)

// claim is a store.Claim as it stands in the file. The file's lock proves that the
// process of an earlier opening has ended: a claim of it that is in progress is free.
type claim struct {
	Owner     string    `json:"owner"`
	Payload   string    `json:"payload,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Result    string    `json:"result,omitempty"`
	Opening   string    `json:"opening,omitempty"` // in which it was made; none: completed, or made by an older program
}

func (c *claim) claim() *store.Claim {
	return &store.Claim{Owner: c.Owner, Payload: c.Payload, Until: c.Until, ExpiresAt: c.ExpiresAt, Result: c.Result}
}

// Claim implements store.Coordination.
func (s *Store) Claim(ctx context.Context, key string, wanted store.Claim) (old *store.Claim, err error) {
	if err := wanted.Validate(key); err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	var held error
	err = s.write(ctx, func(t *transaction) error {
		old, held = nil, nil // of an attempt that was rolled back
		standing, found, err := t.claim(key)
		if err != nil {
			return err
		}
		if found {
			old = standing.claim()
		}
		if found && !t.free(standing) {
			held = store.ErrHeld
			return nil
		}
		return t.setClaim(key, standing, claim{
			Owner: wanted.Owner, Payload: wanted.Payload, Until: wanted.Until.UTC(), ExpiresAt: wanted.ExpiresAt.UTC(), Opening: t.opening,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	return old, held
}

// Complete implements store.Coordination.
func (s *Store) Complete(ctx context.Context, key, owner, result string) error {
	if result == "" {
		return errors.New("complete: there is no result")
	}
	return s.settle(ctx, key, owner, func(t *transaction, mine claim) error {
		done := mine
		done.Result, done.Opening = result, ""
		return t.setClaim(key, mine, done)
	})
}

// Release implements store.Coordination.
func (s *Store) Release(ctx context.Context, key, owner string) error {
	return s.settle(ctx, key, owner, func(t *transaction, mine claim) error {
		return errors.Join(
			t.delete(claimsBucket, []byte(key)),
			t.expire(claimsBucket, key, expiryOf(mine.ExpiresAt), never),
		)
	})
}

// settle changes a claim, if it is still the owner's.
func (s *Store) settle(ctx context.Context, key, owner string, change func(*transaction, claim) error) error {
	if store.ValidateText("key", key) != nil {
		return store.ErrNotOwner // nobody can have claimed it
	}
	var refused error
	err := s.write(ctx, func(t *transaction) error {
		refused = nil
		mine, found, err := t.claim(key)
		if err != nil {
			return err
		}
		if !found || mine.Owner != owner {
			refused = store.ErrNotOwner
			return nil
		}
		return change(t, mine)
	})
	if err != nil {
		return err
	}
	return refused
}

// free reports whether a standing claim may be taken over: its work did not come
// to an end in time.
func (t *transaction) free(c claim) bool {
	return c.Result == "" && t.expired(c.Until.UnixMilli())
}

// claim gives the claim that stands. It may have been left by an owner that is
// late; an expired one is none, and one of a dead process is overdue.
func (t *transaction) claim(key string) (c claim, found bool, err error) {
	found, err = t.readJSON(claimsBucket, []byte(key), &c)
	if found && t.expired(expiryOf(c.ExpiresAt)) {
		return c, false, nil
	}
	if c.Result == "" && c.Opening != t.opening {
		c.Until = time.Time{}
	}
	return c, found, err
}

// setClaim writes a claim in place of the old one, which may have expired.
func (t *transaction) setClaim(key string, old claim, c claim) error {
	return errors.Join(
		t.writeJSON(claimsBucket, []byte(key), c),
		t.expire(claimsBucket, key, expiryOf(old.ExpiresAt), expiryOf(c.ExpiresAt)),
	)
}
