package bolt

// Sums with a limit, and leases on parts of the limit.

import (
	"context"
	"fmt"
	"math"
	"time"

	"thalas/internal/store"
)

// sum is what is spent and reserved of a key. Because of the file's lock, every process
// that had the file open before has ended, and so have its leases.
type sum struct {
	Sum       int64           `json:"sum"`               // spent and reserved
	Leases    map[int64]int64 `json:"leases,omitempty"`  // the second at which leases end → the sum of their amounts
	Opening   string          `json:"opening,omitempty"` // the opening of the file in which the leases were taken
	ExpiresAt time.Time       `json:"expires_at,omitzero"`
}

// Reserve implements store.Coordination.
func (s *Store) Reserve(ctx context.Context, lease store.Lease, limit int64) (total store.Sum, err error) {
	err = s.book(ctx, lease, 0, func(current *sum) error {
		if left := limit - current.Sum; limit != 0 && lease.Amount > left {
			total = current.total()
			return store.ErrLimit
		}
		current.add(lease.Amount)
		current.Leases[lease.Until.Unix()] += lease.Amount
		total = current.total()
		return nil
	})
	if err != nil && !isRefusal(err) {
		return store.Sum{}, fmt.Errorf("reserve: %w", err)
	}
	return total, err
}

// Settle implements store.Coordination.
func (s *Store) Settle(ctx context.Context, lease store.Lease, cost int64) error {
	err := s.book(ctx, lease, cost, func(current *sum) error {
		// If the amount is not there any more, the lease has ended by itself.
		if until := lease.Until.Unix(); current.Leases[until] >= lease.Amount {
			current.Sum -= lease.Amount
			if current.Leases[until] -= lease.Amount; current.Leases[until] == 0 {
				delete(current.Leases, until)
			}
		}
		current.add(cost)
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// Spending implements store.Coordination.
func (s *Store) Spending(ctx context.Context, key string) (store.Sum, error) {
	current, err := view(ctx, s, func(t *transaction) (sum, error) { return t.sum(key) })
	if err != nil {
		return store.Sum{}, fmt.Errorf("read what is spent: %w", err)
	}
	return current.total(), nil
}

// book changes the sum of a lease's key, and stores it unless change refuses that.
func (s *Store) book(ctx context.Context, lease store.Lease, cost int64, change func(*sum) error) error {
	if err := lease.Validate(cost); err != nil {
		return err
	}
	return s.write(ctx, func(t *transaction) error {
		current, err := t.sum(lease.Key)
		if err != nil {
			return err
		}
		before := expiryOf(current.ExpiresAt)
		if err := change(&current); err != nil {
			return err
		}
		current.Opening, current.ExpiresAt = t.opening, lease.ExpiresAt.UTC()
		return t.writeExpiring(sumsBucket, lease.Key, current, before, expiryOf(lease.ExpiresAt))
	})
}

// sum reads the sum of a key, without the leases that have ended. An expired sum is
// zero, but keeps its ExpiresAt.
func (t *transaction) sum(key string) (s sum, err error) {
	_, err = t.readJSON(sumsBucket, []byte(key), &s)
	if t.expired(expiryOf(s.ExpiresAt)) {
		s.Sum, s.Leases = 0, nil
	}
	for until, amount := range s.Leases {
		if s.Opening != t.opening || t.now.Unix() >= until {
			s.Sum -= amount
			delete(s.Leases, until)
		}
	}
	if s.Leases == nil {
		s.Leases = map[int64]int64{}
	}
	return s, err
}

// add adds an amount. The sum stays within int64.
func (s *sum) add(amount int64) { s.Sum = min(s.Sum, math.MaxInt64-amount) + amount }

func (s *sum) total() store.Sum {
	total := store.Sum{Spent: s.Sum}
	for _, amount := range s.Leases {
		total.Reserved += amount
	}
	total.Spent -= total.Reserved
	return total
}
