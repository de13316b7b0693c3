package bolt

// The open store, and its end.

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
	opening string   // a token of this time that the file was opened

	queue     chan *operation
	gate      sync.RWMutex // held for reading while something is put into queue
	closed    bool         // guarded by gate
	writer    sync.WaitGroup
	hours     map[string]*hour // as they stand in the file; only the writer's
	sweeper   sync.WaitGroup
	endSweeps context.CancelFunc
	closeOnce sync.Once
	closeErr  error

	now      func() time.Time // the machine's clock
	sweeping sync.Mutex       // guards counted and isAhead
	counted  time.Duration    // how much of the time since opened has been counted (passed.go)
	isAhead  bool             // the log says that the clock is ahead

	opened    time.Time       // by a clock that can't jump
	sound     context.Context // ends when damage is met, which is its cause
	endSound  context.CancelCauseFunc
	meetOnce  sync.Once
	missing   atomic.Pointer[error] // what is wrong with the file's place, as last seen
	inspected atomic.Int64          // when that was seen, since opened
	size      atomic.Int64          // bytes that the file must have
	committed atomic.Int64          // the number of the last commit; 0: unknown
}

var _ store.Store = (*Store)(nil)

// newStore makes the store of an open file.
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

// start starts its goroutines.
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

// Close writes what is queued and closes the file. Whatever is called afterwards
// gives ErrClosed. It does not wait for anything once damage was met.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.endSweeps()
		s.sweeper.Wait()
		s.gate.Lock()
		s.closed = true
		close(s.queue)
		s.gate.Unlock()
		if _, err := os.Stat(s.path); !s.options.ReadOnly && (err != nil || isAt(s.path, s.file)) { // else it is another's
			withdraw(s.path)
		}
		s.closeErr = s.end()
	})
	return s.closeErr
}

// end closes the database once the writer has ended. Where damage keeps one of them
// from ending, the file stays open until the process ends, since whoever hangs may
// still use it, and others can have it.
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

// view reads in one transaction. It does not wait longer than the context, and not
// for a read that damage keeps from ending: that one's goroutine is left behind.
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
	return apart(ctx, s, read)
}

// apart reads in a goroutine of its own.
func apart[T any](ctx context.Context, s *Store, read func(*transaction) (T, error)) (T, error) {
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

// viewHere reads in one transaction, however long that takes.
func viewHere[T any](s *Store, read func(*transaction) (T, error)) (found T, err error) {
	before := s.committed.Load()
	err = s.contained(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			// The writer may be between a commit and its note of it.
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
