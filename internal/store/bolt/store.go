package bolt

// An open store, reading from it, and closing it.

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"thalas/internal/store"
)

// Store is a store.Store in one file.
type Store struct {
	path    string
	options Options
	db      *bbolt.DB
	file    *os.File         // of db
	opening string           // a token for this opening of the file
	opened  time.Time        // has a monotonic clock reading
	now     func() time.Time // the machine's clock

	queue     chan *operation
	gate      sync.RWMutex // held for reading while an operation is put into queue
	closed    bool         // guarded by gate
	writer    sync.WaitGroup
	hours     map[string]*hour // as they are in the file; used by the writer only
	committed atomic.Int64     // the number of the last commit; 0: unknown
	closeOnce sync.Once
	closeErr  error

	sweeper   sync.WaitGroup
	endSweeps context.CancelFunc
	sweeping  sync.Mutex    // guards counted and isAhead
	counted   time.Duration // the part of the time since opened that has been counted (sweep.go)
	isAhead   bool          // it was logged that the clock is ahead

	usable     context.Context // ends when fatal damage is found; its cause is that damage
	setDamage  context.CancelCauseFunc
	endUseOnce sync.Once
	moved      atomic.Bool  // the result of the last inspection: the file is not at its path
	inspected  atomic.Int64 // the time of that inspection, since opened
	size       atomic.Int64 // bytes that the file must have at least
}

var _ store.Store = (*Store)(nil)

// Close writes what is queued and closes the file. Methods that are called afterwards
// give ErrClosed. After damage Close does not wait for writes.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.endSweeps()
		s.sweeper.Wait()
		s.gate.Lock()
		s.closed = true
		close(s.queue)
		s.gate.Unlock()
		// If another file stands at the path, the address belongs to the store in that file.
		if _, err := os.Stat(s.path); !s.options.ReadOnly && (err != nil || isAt(s.path, s.file)) {
			removeAddress(s.path)
		}
		s.closeErr = s.closeFile()
	})
	return s.closeErr
}

// closeFile closes the database after the writer has ended. If damage keeps one of the
// two from ending, the file stays open until the process ends, because the goroutine that
// hangs may still use it. The lock is released, so that another process can open the file.
func (s *Store) closeFile() error {
	done := make(chan error, 1)
	go func() {
		s.writer.Wait()
		if s.damage() != nil {
			done <- nil
			return
		}
		done <- s.db.Close()
	}()
	select {
	case err := <-done:
		if s.damage() == nil {
			return err
		}
	case <-s.usable.Done():
		select {
		case <-done:
		case <-time.After(graceAfterDamage):
		}
	}
	unlock(s.file)
	return nil
}

// view reads in one transaction. It returns when the context ends, or when damage keeps
// the read from ending; then the goroutine that reads is left running.
func view[T any](ctx context.Context, s *Store, read func(*transaction) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := s.unusable(); err != nil {
		return none, err
	}
	if err := s.inspectSometimes(); err != nil {
		return none, err
	}
	return viewUnchecked(ctx, s, read)
}

// viewUnchecked is view without the checks before it.
func viewUnchecked[T any](ctx context.Context, s *Store, read func(*transaction) (T, error)) (T, error) {
	type outcome struct {
		found T
		err   error
	}
	done := make(chan outcome, 1)
	before := s.committed.Load()
	go func() {
		var o outcome
		o.err = s.access(func() error {
			return s.db.View(func(tx *bbolt.Tx) (err error) {
				// The writer may be between a commit and storing its number.
				if id, after := int64(tx.ID()), s.committed.Load(); before != 0 && after != 0 && (id < before || id > after+1) {
					return errOverwritten()
				}
				o.found, err = read(&transaction{tx: tx, now: s.now(), opening: s.opening})
				return err
			})
		})
		if errors.Is(o.err, berrors.ErrDatabaseNotOpen) {
			o.err = ErrClosed
		}
		done <- o
	}()
	var none T
	select {
	case o := <-done:
		return o.found, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.usable.Done():
		return none, s.damage()
	}
}

// unusable says why nothing can be read any more, or is nil.
func (s *Store) unusable() error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return s.damage()
}
