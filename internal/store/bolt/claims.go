package bolt

// Claims: which run works on a key.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"thalas/internal/store"
)

// claim is a claim in the file. Because of the file's lock, every process that had the file
// open before has ended: its claims in progress are free.
type claim struct {
	store.Claim
	Opening string `json:"opening,omitempty"` // the opening of the file in which it was made; empty: completed, or made by an older program
}

// Claim implements store.Coordination.
func (s *Store) Claim(ctx context.Context, key string, wanted store.Claim) (old *store.Claim, err error) {
	if err := wanted.Validate(key); err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	wanted.Until, wanted.ExpiresAt = wanted.Until.UTC(), wanted.ExpiresAt.UTC()
	err = s.write(ctx, func(t *transaction) error {
		old = nil // an earlier attempt may have been rolled back
		current, found, err := t.claim(key)
		if err != nil {
			return err
		}
		if found {
			old = &current.Claim
			if current.Result != "" || !t.expired(current.Until.UnixMilli()) {
				return store.ErrHeld
			}
		}
		return t.setClaim(key, current, claim{wanted, t.opening})
	})
	if err != nil && !isRefusal(err) {
		return nil, fmt.Errorf("claim: %w", err)
	}
	return old, err
}

// Complete implements store.Coordination.
func (s *Store) Complete(ctx context.Context, key, owner, result string) error {
	if result == "" {
		return errors.New("complete: there is no result")
	}
	return s.changeClaim(ctx, key, owner, func(t *transaction, mine claim) error {
		completed := mine
		completed.Result, completed.Opening = result, ""
		return t.setClaim(key, mine, completed)
	})
}

// Release implements store.Coordination.
func (s *Store) Release(ctx context.Context, key, owner string) error {
	return s.changeClaim(ctx, key, owner, func(t *transaction, mine claim) error {
		return errors.Join(
			t.delete(claimsBucket, []byte(key)),
			t.expire(claimsBucket, key, expiryOf(mine.ExpiresAt), never),
		)
	})
}

// changeClaim changes a claim if it still belongs to the owner.
func (s *Store) changeClaim(ctx context.Context, key, owner string, change func(*transaction, claim) error) error {
	if store.ValidateText("key", key) != nil {
		return store.ErrNotOwner // such a key can't be claimed
	}
	return s.write(ctx, func(t *transaction) error {
		mine, found, err := t.claim(key)
		if err != nil {
			return err
		}
		if !found || mine.Owner != owner {
			return store.ErrNotOwner
		}
		return change(t, mine)
	})
}

// claim gives the claim on a key. An expired claim is not found, and a claim in progress
// of a process that has ended is given as one past its Until.
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

// setClaim replaces the old claim, which may have expired.
func (t *transaction) setClaim(key string, old claim, c claim) error {
	return t.writeExpiring(claimsBucket, key, c, expiryOf(old.ExpiresAt), expiryOf(c.ExpiresAt))
}
