package bolt

// Damage to the file while it is open, and how a store outlives it.
//
// bbolt reads the mapped file. Where that makes no sense it panics, and where it was
// cut the access faults; either may happen while bbolt holds a lock, which is then
// held for good. So whatever touches the mapped file can come to hang as soon as
// there was one panic. Nobody waits for it then: a store that has met damage answers
// everything with that error at once, never calls bbolt again, and closes without it.

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
	// inspectEvery is how often reads look whether the file is still in its place.
	inspectEvery = time.Second
	// graceAfterDamage is what the writer has to end the commit that it is at when
	// somebody else meets damage. Past it the writer hangs.
	graceAfterDamage = time.Second
)

// contained runs what touches the mapped file. A panic in it becomes an
// ErrDamaged: bbolt's own on a page that makes no sense, and the fault of an
// access behind the file's end, which would otherwise end the process.
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

// contained runs what touches the mapped file of an open store. Damage that bbolt
// itself met ends the store's use; a record that can't be read is only that record's.
func (s *Store) contained(run func() error) error {
	err := contained(s.path, run)
	var found *damaged
	switch {
	case errors.As(err, &found):
		found.path = s.path
		if found.fatal {
			s.meet(found)
		}
	case errors.Is(err, berrors.ErrInvalidMapping): // it could not be mapped anew when it grew
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

// look inspects the file, or tells what the last inspection found where that is less
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

// inspect holds the open file against the one at its path. A file that was moved away
// may come back; one that was cut is damaged for good.
func (s *Store) inspect() error {
	standing, err := os.Stat(s.path)
	mine, failed := s.file.Stat()
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && failed == nil && !os.SameFile(standing, mine): // else it can't be told
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

// notOurs is damage by a program that wrote to the open file.
func (s *Store) notOurs() error {
	return &damaged{path: s.path, found: "another program wrote to it while it was open", fatal: true}
}
