package bolt

// Damage to the file while it is open, and how the process survives it.
//
// bbolt reads a mapped file. It panics at a page that makes no sense, and an access
// beyond the end of a file that was cut is a fault. If that happens while bbolt holds a
// lock, the lock is never released, and every later call of bbolt may hang. So after
// damage a store answers everything with that error at once, never calls bbolt again,
// and closes without it.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	berrors "go.etcd.io/bbolt/errors"
)

const (
	// inspectEvery is the least time between two inspections of the file by reads.
	inspectEvery = time.Second
	// graceAfterDamage is how long the writer may take to end its commit after a read has
	// met damage. After that time it is taken to hang.
	graceAfterDamage = time.Second
)

// contained calls a function that reads or writes the mapped file. It turns a panic of
// bbolt, and the fault of an access beyond the file's end, into an ErrDamaged. The fault
// would otherwise end the process.
func contained(path string, run func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		found := recover()
		if found == nil {
			return
		}
		if _, fault := found.(runtime.Error); fault {
			found = "it is cut, or its pages make no sense"
		}
		err = &damaged{path: path, found: fmt.Sprint(found), fatal: true}
	}()
	return run()
}

// contained calls a function that reads or writes the mapped file of an open store.
// Damage in bbolt's own structures ends the use of the store. A record that can't be
// read does not.
func (s *Store) contained(run func() error) error {
	err := contained(s.path, run)
	var found *damaged
	switch {
	case errors.As(err, &found):
		found.path = s.path
		if found.fatal {
			s.meet(found)
		}
	case errors.Is(err, berrors.ErrInvalidMapping): // the file had to be mapped again when it grew, and could not
		err = &damaged{path: s.path, found: err.Error(), fatal: true}
		s.meet(err)
	}
	return err
}

// met is the damage that the store has met, for good, or nil.
func (s *Store) met() error { return context.Cause(s.sound) }

// meet notes damage that was met. Only the first is told.
func (s *Store) meet(err error) {
	s.meetOnce.Do(func() {
		s.endSound(err)
		s.log.Error("The store is damaged, and nothing is stored or read any more:", "error", err)
	})
}

// look inspects the file, or gives the result of the last inspection if that was less
// than inspectEvery ago.
func (s *Store) look() error {
	last := s.inspected.Load()
	if now := int64(time.Since(s.opened)); now-last >= int64(inspectEvery) && s.inspected.CompareAndSwap(last, now) {
		return s.inspect()
	}
	if err := s.missing.Load(); err != nil {
		return *err
	}
	return nil
}

// inspect compares the open file with the one at its path. A file that was moved away may
// come back, and then the store works again. A file that was cut is damaged.
func (s *Store) inspect() error {
	standing, err := os.Stat(s.path)
	mine, failed := s.file.Stat()
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && failed == nil && !os.SameFile(standing, mine): // with another error it is not known
		gone := error(&missing{path: s.path})
		if s.missing.Swap(&gone) == nil {
			s.log.Error("The store's file is not in its place:", "error", gone)
		}
		return gone
	case failed == nil && mine.Size() < s.size.Load():
		s.meet(&damaged{path: s.path, fatal: true, found: fmt.Sprintf("cut to %d bytes while it was open, and should have %d", mine.Size(), s.size.Load())})
		return s.met()
	}
	s.missing.Store(nil)
	return nil
}

// notOurs makes the error of a file to which another program wrote while it was open.
func (s *Store) notOurs() error {
	return &damaged{path: s.path, found: "another program wrote to it while it was open", fatal: true}
}
