package bolt

// Sums with a limit.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"thalas/internal/store"
)

type sum struct {
	Sum       int64     `json:"sum"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Spend implements store.Coordination.
func (s *Store) Spend(ctx context.Context, key string, amount, limit int64, expiresAt time.Time) (total int64, err error) {
	if err := checkText("key", key); err != nil {
		return 0, fmt.Errorf("spend: %w", err)
	}
	var refused error
	err = s.write(ctx, func(t *transaction) error {
		var old sum
		if _, err := t.readJSON(sumsBucket, []byte(key), &old); err != nil {
			return err
		}
		total = old.Sum
		if t.expired(expiryOf(old.ExpiresAt)) {
			total = 0
		}
		if refused = checkSpend(total, amount, limit); refused != nil {
			return nil
		}
		total += amount
		return errors.Join(
			t.writeJSON(sumsBucket, []byte(key), sum{Sum: total, ExpiresAt: expiresAt.UTC()}),
			t.expire(sumsBucket, key, expiryOf(old.ExpiresAt), expiryOf(expiresAt)),
		)
	})
	if err != nil {
		return 0, fmt.Errorf("spend: %w", err)
	}
	return total, refused
}

func checkSpend(total, amount, limit int64) error {
	over := amount > 0 && total > math.MaxInt64-amount
	under := amount < 0 && total < math.MinInt64-amount
	switch {
	case limit != 0 && (over || !under && total+amount > limit):
		return store.ErrLimit
	case over || under:
		return errors.New("spend: the sum would leave the range of its number")
	}
	return nil
}
