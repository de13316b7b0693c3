package bolt

// The writer: one goroutine that commits in groups.

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// queueLength is how many operations wait at most; more wait to be queued.
// A group is at most as long.
const queueLength = 1024

// operation is something to be written. It is run at most once to the end, but
// may be begun several times: when another of its group failed, the group is
// rolled back and run again without that one.
type operation struct {
	ctx   context.Context
	run   func(*transaction) error // an error rolls back; a refusal is no error
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

// write has an operation run and committed. The context bounds the wait until
// it is taken: then it has not happened and never will. From there on its true
// end is waited for.
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

// outcome waits for the true end of an operation that the writer has taken. Where
// damage was met, the writer may hang: then there is none.
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
	var lately rate
	for first := range s.queue {
		held := lately.hold(time.Now())
		time.Sleep(held)
		group := []*operation{first}
		for range min(len(s.queue), queueLength-1) {
			group = append(group, <-s.queue)
		}
		lately.count(time.Now(), len(group), held)
		s.commit(slices.DeleteFunc(group, func(op *operation) bool { return !op.take() }))
	}
}

// take makes an operation the writer's, unless its context ended before.
func (op *operation) take() bool {
	if err := op.ctx.Err(); err != nil {
		if op.state.CompareAndSwap(waiting, abandoned) {
			op.done <- err
		}
		return false
	}
	return op.state.CompareAndSwap(waiting, taken)
}

// commit runs a group in one transaction and answers each operation after it.
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

// update runs one transaction. Once the file was found damaged nothing more is
// written to it. When the commit itself fails, it is unknown whether it is on
// the disk.
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
		s.hours = nil        // what was counted was rolled back
		s.committed.Store(0) // it may have been committed all the same
		if damage := s.contained(s.readable); errors.Is(damage, ErrDamaged) {
			return damage
		}
		return err
	}
	s.committed.Store(number)
	return s.inspect() // a file that was deleted meanwhile keeps nothing
}

// readable fails where the last transaction has left no file to be read.
func (s *Store) readable() error { return s.db.View(func(*bbolt.Tx) error { return nil }) }
