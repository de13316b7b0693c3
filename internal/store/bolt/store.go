package bolt

// The open store, and its end.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"sync"
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
	broken    error            // damage that was met while writing; only the writer's, and Close's after it
	hours     map[string]*hour // as they stand in the file; only the writer's
	sweeper   sync.WaitGroup
	endSweeps context.CancelFunc
	closeOnce sync.Once
	closeErr  error
}

var _ store.Store = (*Store)(nil)

// start makes the store of an open file and its goroutines.
func start(path string, options Options, db *bbolt.DB, file *os.File) *Store {
	s := &Store{
		path: path, options: options, log: options.Log, db: db, file: file, opening: rand.Text(),
		queue: make(chan *operation, queueLength),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if !options.ReadOnly {
		s.writer.Go(s.writeAll)
	}
	sweeping, end := context.WithCancel(context.Background())
	s.endSweeps = end
	if !options.ReadOnly && options.SweepEvery > 0 {
		s.sweeper.Go(func() { s.sweepAlways(sweeping) })
	}
	return s
}

// Close writes what is queued and closes the file. Whatever is called afterwards
// gives ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.endSweeps()
		s.sweeper.Wait()
		s.gate.Lock()
		s.closed = true
		close(s.queue)
		s.gate.Unlock()
		s.writer.Wait()
		if !s.options.ReadOnly {
			withdraw(s.path)
		}
		s.closeErr = closeFile(s.db, s.file, s.broken)
	})
	return s.closeErr
}

// view reads in one transaction.
func (s *Store) view(ctx context.Context, read func(*transaction) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.isClosed() {
		return ErrClosed
	}
	err := contained(s.path, func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			return read(&transaction{tx: tx, now: time.Now(), opening: s.opening})
		})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

func (s *Store) isClosed() bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	return s.closed
}
