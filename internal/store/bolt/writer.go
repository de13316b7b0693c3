package bolt

// The writer: one goroutine that commits groups of operations.

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// queueLength is the most operations in the queue, and in a group. When the queue is
// full, writes wait until there is room in it.
const queueLength = 1024

// operation is one write. Its run may be called several times, but is committed at most
// once: if another operation of its group fails, the group is rolled back and run again
// without that one.
type operation struct {
	ctx   context.Context
	run   func(*transaction) error // an error rolls the group back; a refusal is not an error
	state atomic.Int32
	done  chan error
}

// States of an operation. It is either taken by the writer or abandoned by the
// caller, never both.
const (
	waiting = iota
	taken
	abandoned
)

// write has the writer run and commit an operation. If the context ends before the
// writer takes the operation, it is never run. After that write waits for its outcome,
// whatever the context.
func (s *Store) write(ctx context.Context, run func(*transaction) error) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	op := &operation{ctx: ctx, run: run, done: make(chan error, 1)}
	if err := s.enqueue(op); err != nil {
		return err
	}
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
		if op.state.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
	case <-s.sound.Done():
	}
	return s.outcome(op)
}

// outcome waits for the outcome of an operation that the writer has taken. After damage
// the writer may hang, and outcome gives the damage.
func (s *Store) outcome(op *operation) error {
	select {
	case err := <-op.done:
		return err
	case <-s.sound.Done():
	}
	if op.state.CompareAndSwap(waiting, abandoned) {
		return s.met()
	}
	grace := time.NewTimer(graceAfterDamage)
	defer grace.Stop()
	select {
	case err := <-op.done:
		return err
	case <-grace.C:
		return s.met()
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
	if err := s.met(); err != nil {
		return err
	}
	select {
	case s.queue <- op:
		return nil
	case <-op.ctx.Done():
		return op.ctx.Err()
	case <-s.sound.Done():
		return s.met()
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
		s.commit(slices.DeleteFunc(group, func(op *operation) bool { return !op.take() }))
	}
}

// take reports whether the writer may run an operation: its context has not ended.
func (op *operation) take() bool {
	if err := op.ctx.Err(); err != nil {
		if op.state.CompareAndSwap(waiting, abandoned) {
			op.done <- err
		}
		return false
	}
	return op.state.CompareAndSwap(waiting, taken)
}

// commit runs a group in one transaction, and then tells each operation its outcome.
func (s *Store) commit(group []*operation) {
	for len(group) > 0 {
		failed := -1
		err := s.update(func(t *transaction) error {
			for i, op := range group {
				if err := op.run(t); err != nil {
					failed = i
					return err
				}
			}
			return t.finish()
		})
		if failed < 0 {
			for _, op := range group {
				op.done <- err
			}
			return
		}
		group[failed].done <- err
		group = slices.Delete(group, failed, failed+1)
	}
}

// errUnchanged ends a transaction that needs no commit.
var errUnchanged = errors.New("nothing was changed")

// update runs one transaction. It writes nothing to a file that was found damaged. If
// the commit itself fails, it is not known whether the changes are on the disk.
func (s *Store) update(change func(*transaction) error) error {
	if err := s.met(); err != nil {
		return err
	}
	if err := s.inspect(); err != nil {
		return err
	}
	if len(s.hours) > remembered || s.hours == nil {
		s.hours = map[string]*hour{}
	}
	number := int64(0)
	err := s.contained(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			number = int64(tx.ID())
			if last := s.committed.Load(); last != 0 && number != last+1 {
				return s.notOurs()
			}
			s.size.Store(tx.Size())
			return change(&transaction{tx: tx, now: s.now(), opening: s.opening, hours: s.hours})
		})
	})
	switch {
	case errors.Is(err, errUnchanged):
		return nil
	case err != nil:
		s.hours = nil        // their changes were rolled back
		s.committed.Store(0) // it may still have been committed
		if damage := s.contained(s.readable); errors.Is(damage, ErrDamaged) {
			return damage
		}
		return err
	}
	s.committed.Store(number)
	return s.inspect() // what is written to a deleted file is lost
}

// readable gives an error if the file can't be read after a failed transaction.
func (s *Store) readable() error { return s.db.View(func(*bbolt.Tx) error { return nil }) }
