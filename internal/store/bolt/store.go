package bolt

// An open store, reading from it, and closing it.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
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
	log     *slog.Logger
	db      *bbolt.DB
	file    *os.File // of db
	opening string   // a token for this opening of the file

	queue     chan *operation
	gate      sync.RWMutex // held for reading while an operation is put into queue
	closed    bool         // guarded by gate
	writer    sync.WaitGroup
	hours     map[string]*hour // as they are in the file; used by the writer only
	sweeper   sync.WaitGroup
	endSweeps context.CancelFunc
	closeOnce sync.Once
	closeErr  error

	now      func() time.Time // the machine's clock
	sweeping sync.Mutex       // guards counted and isAhead
	counted  time.Duration    // the part of the time since opened that has been counted (passed.go)
	isAhead  bool             // it was logged that the clock is ahead

	opened    time.Time       // has a monotonic clock reading
	sound     context.Context // ends when damage is met, which is its cause
	endSound  context.CancelCauseFunc
	meetOnce  sync.Once
	missing   atomic.Pointer[error] // the result of the last inspection: nil, or that the file is not at its path
	inspected atomic.Int64          // the time of that inspection, since opened
	size      atomic.Int64          // bytes that the file must have at least
	committed atomic.Int64          // the number of the last commit; 0: unknown
}

var _ store.Store = (*Store)(nil)

// newStore makes the store for an open file.
func newStore(path string, options Options, db *bbolt.DB, file *os.File) *Store {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	sound, endSound := context.WithCancelCause(context.Background())
	return &Store{
		path: path, options: options, log: options.Log, db: db, file: file, opening: rand.Text(),
		queue: make(chan *operation, queueLength), now: time.Now, opened: time.Now(), sound: sound, endSound: endSound,
	}
}

// start starts the store's goroutines.
func (s *Store) start() {
	if !s.options.ReadOnly {
		s.writer.Go(s.writeAll)
	}
	sweeping, end := context.WithCancel(context.Background())
	s.endSweeps = end
	if !s.options.ReadOnly && s.options.SweepEvery > 0 {
		s.sweeper.Go(func() { s.sweepAlways(sweeping) })
	}
}

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
		if _, err := os.Stat(s.path); !s.options.ReadOnly && (err != nil || isAt(s.path, s.file)) { // otherwise the address is of another store
			withdraw(s.path)
		}
		s.closeErr = s.end()
	})
	return s.closeErr
}

// end closes the database after the writer has ended. If damage keeps one of the two
// from ending, the file stays open until the process ends, because the goroutine that
// hangs may still use it. The lock is given up, so that another process can open it.
func (s *Store) end() error {
	done := make(chan error, 1)
	go func() {
		s.writer.Wait()
		if s.met() != nil {
			done <- nil
			return
		}
		done <- s.db.Close()
	}()
	select {
	case err := <-done:
		if s.met() == nil {
			return err
		}
	case <-s.sound.Done():
		grace := time.NewTimer(graceAfterDamage)
		defer grace.Stop()
		select {
		case <-done:
		case <-grace.C:
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
	if err := s.usable(); err != nil {
		return none, err
	}
	if err := s.look(); err != nil {
		return none, err
	}
	return viewInGoroutine(ctx, s, read)
}

// viewInGoroutine is view without the checks before it.
func viewInGoroutine[T any](ctx context.Context, s *Store, read func(*transaction) (T, error)) (T, error) {
	var none T
	type outcome struct {
		found T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		found, err := viewHere(s, read)
		done <- outcome{found, err}
	}()
	select {
	case o := <-done:
		return o.found, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.sound.Done():
		return none, s.met()
	}
}

// viewHere reads in one transaction, in the caller's goroutine.
func viewHere[T any](s *Store, read func(*transaction) (T, error)) (found T, err error) {
	before := s.committed.Load()
	err = s.contained(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			// The writer may be between a commit and storing its number.
			if id, after := int64(tx.ID()), s.committed.Load(); before != 0 && after != 0 && (id < before || id > after+1) {
				return s.notOurs()
			}
			found, err = read(&transaction{tx: tx, now: s.now(), opening: s.opening})
			return err
		})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return found, err
}

// usable is why nothing can be read any more, or nil.
func (s *Store) usable() error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return s.met()
}
