package bolt

// The writer: one goroutine that commits groups of operations.

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

// queueLength is the most operations in the queue, and in a group. When the queue is
// full, writes wait until there is room in it.
const queueLength = 1024

// operation is one write. Its change may be called several times, but is committed at
// most once: if another operation of its group fails, the group is rolled back and tried
// again without that one.
type operation struct {
	ctx     context.Context
	change  func(*transaction) error // an error rolls the group back, unless it is a refusal, which has changed nothing
	refused error                    // in the last attempt
	state   atomic.Int32
	done    chan error
}

// isRefusal reports whether an error says what the store holds, and not that it failed.
func isRefusal(err error) bool {
	return errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrNotOwner) || errors.Is(err, store.ErrLimit)
}

// States of an operation. It is either taken by the writer or abandoned by the
// caller, never both.
const (
	waiting = iota
	taken
	abandoned
)

// write has the writer make and commit a change. If the context ends before the writer
// takes the operation, the change is never made. After that write waits for the outcome,
// whatever the context. After damage the writer may hang, and write gives the damage.
func (s *Store) write(ctx context.Context, change func(*transaction) error) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	op := &operation{ctx: ctx, change: change, done: make(chan error, 1)}
	if err := s.enqueue(op); err != nil {
		return err
	}
	ended, damaged := ctx.Done(), s.usable.Done()
	var late <-chan time.Time
	for {
		select {
		case err := <-op.done:
			return err
		case <-ended:
			if op.state.CompareAndSwap(waiting, abandoned) {
				return ctx.Err()
			}
			ended = nil
		case <-damaged:
			if op.state.CompareAndSwap(waiting, abandoned) {
				return s.damage()
			}
			damaged, late = nil, time.After(graceAfterDamage)
		case <-late:
			return s.damage()
		}
	}
}

func (s *Store) enqueue(op *operation) error {
	if err := op.ctx.Err(); err != nil {
		return err
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.damage(); err != nil {
		return err
	}
	select {
	case s.queue <- op:
		return nil
	case <-op.ctx.Done():
		return op.ctx.Err()
	case <-s.usable.Done():
		return s.damage()
	}
}

// writeAll is the writer. It ends when the queue is closed and empty.
func (s *Store) writeAll() {
	var recent rate
	for first := range s.queue {
		held := recent.hold(time.Now())
		time.Sleep(held)
		group := []*operation{first}
		for range min(len(s.queue), queueLength-1) {
			group = append(group, <-s.queue)
		}
		recent.count(time.Now(), len(group), held)
		s.commit(slices.DeleteFunc(group, func(op *operation) bool {
			return op.ctx.Err() != nil || !op.state.CompareAndSwap(waiting, taken)
		}))
	}
}

// commit makes the changes of a group in one transaction, and then tells each operation
// its outcome.
func (s *Store) commit(group []*operation) {
	for len(group) > 0 {
		failed := -1
		err := s.update(func(t *transaction) error {
			for i, op := range group {
				if op.refused = op.change(t); op.refused != nil && !isRefusal(op.refused) {
					failed = i
					return op.refused
				}
			}
			return t.finish()
		})
		if failed < 0 {
			for _, op := range group {
				op.done <- cmp.Or(err, op.refused)
			}
			return
		}
		group[failed].done <- err
		group = slices.Delete(group, failed, failed+1)
	}
}

// errUnchanged ends a transaction that needs no commit.
var errUnchanged = errors.New("nothing was changed")

// update makes a change in one transaction. It writes nothing to a file that was found
// damaged. If the commit itself fails, it is not known whether the changes are on the
// disk.
func (s *Store) update(change func(*transaction) error) error {
	if err := s.damage(); err != nil {
		return err
	}
	if err := s.inspect(); err != nil {
		return err
	}
	if len(s.hours) > hoursInMemory || s.hours == nil {
		s.hours = map[string]*hour{}
	}
	number := int64(0)
	err := s.access(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			number = int64(tx.ID())
			if last := s.committed.Load(); last != 0 && number != last+1 {
				return errOverwritten()
			}
			s.size.Store(tx.Size())
			return change(&transaction{tx: tx, now: s.now(), opening: s.opening, hours: s.hours, scores: map[string]*row{}})
		})
	})
	switch {
	case errors.Is(err, errUnchanged):
		return nil
	case err != nil:
		s.hours = nil        // their changes were rolled back
		s.committed.Store(0) // it may still have been committed
		// The transaction may have failed because the file can't be read any more.
		if damage := s.access(func() error { return s.db.View(func(*bbolt.Tx) error { return nil }) }); errors.Is(damage, ErrDamaged) {
			return damage
		}
		return err
	}
	s.committed.Store(number)
	return s.inspect() // what is written to a deleted file is lost
}

// A commit syncs the file twice and writes the pages from the root down. One write costs
// nearly as much as ten. When writes come fast, the writer waits a moment for more of
// them, which then share a commit. Otherwise no write waits.
const (
	holdFrom = 500 // writes a second; from this rate on a second write is likely within holdOpen
	holdOpen = 4 * time.Millisecond

	// rateDecay is the time after which a write counts for 1/e of a new one in the rate.
	rateDecay = 50 * time.Millisecond
)

// rate estimates how many writes a second there were recently.
type rate struct {
	perSecond float64
	at        time.Time
}

// hold gives how long the writer waits for more writes before it commits.
func (r *rate) hold(now time.Time) time.Duration {
	if r.decayed(now) < holdFrom {
		return 0
	}
	return holdOpen
}

// count adds a group of writes to the rate. If the writer waited in vain for a second
// write, it does not wait again until the rate is reached anew: a caller that makes one
// write after the other must not wait for writes that don't come.
func (r *rate) count(now time.Time, writes int, held time.Duration) {
	r.perSecond = r.decayed(now) + float64(writes)/rateDecay.Seconds()
	r.at = now
	if held > 0 && writes == 1 {
		r.perSecond = 0
	}
}

func (r *rate) decayed(now time.Time) float64 {
	return r.perSecond * math.Exp(-float64(now.Sub(r.at))/float64(rateDecay))
}
