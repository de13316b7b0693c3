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
	// found damage. After that time the writer is considered to hang.
	graceAfterDamage = time.Second
)

// catchDamage calls a function that reads or writes the mapped file. It turns a panic of
// bbolt, and the fault of an access beyond the file's end, into an ErrDamaged. The fault
// would otherwise end the process.
func catchDamage(access func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		found := recover()
		if found == nil {
			return
		}
		if _, fault := found.(runtime.Error); fault {
			found = "it is cut, or its pages make no sense"
		}
		err = &damageError{found: fmt.Sprint(found), fatal: true}
	}()
	return access()
}

// access calls a function that reads or writes the mapped file of an open store.
// Damage in bbolt's own structures ends the use of the store. A record that can't be
// read does not.
func (s *Store) access(function func() error) error {
	err := catchDamage(function)
	if errors.Is(err, berrors.ErrInvalidMapping) { // the file grew and could not be mapped again
		err = &damageError{found: err.Error(), fatal: true}
	}
	if damage, is := errors.AsType[*damageError](err); is && damage.fatal {
		return s.endUse(damage)
	}
	return withPath(err, s.path)
}

// damage gives the damage that ended the use of the store, or nil.
func (s *Store) damage() error { return context.Cause(s.usable) }

// endUse ends the use of the store because of damage, and gives the error of that damage.
// Only the first damage is logged.
func (s *Store) endUse(damage *damageError) error {
	damage.path = s.path
	s.endUseOnce.Do(func() {
		s.setDamage(damage)
		s.options.Log.Error("The store is damaged, and nothing is stored or read any more:", "error", damage)
	})
	return damage
}

// inspectSometimes inspects the file, or gives the result of the last inspection if that
// was less than inspectEvery ago.
func (s *Store) inspectSometimes() error {
	last := s.inspected.Load()
	if now := int64(time.Since(s.opened)); now-last >= int64(inspectEvery) && s.inspected.CompareAndSwap(last, now) {
		return s.inspect()
	}
	if s.moved.Load() {
		return &damageError{path: s.path, moved: true}
	}
	return nil
}

// inspect compares the open file with the one at its path. A file that was moved away may
// come back, and then the store works again. A file that was cut is damaged.
func (s *Store) inspect() error {
	atPath, err := os.Stat(s.path)
	open, openErr := s.file.Stat()
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && openErr == nil && !os.SameFile(atPath, open): // after another error it is not known
		moved := &damageError{path: s.path, moved: true}
		if !s.moved.Swap(true) {
			s.options.Log.Error("The store's file is not in its place:", "error", moved)
		}
		return moved
	case openErr == nil && open.Size() < s.size.Load():
		return s.endUse(&damageError{fatal: true, found: fmt.Sprintf("cut to %d bytes while it was open, and should have %d", open.Size(), s.size.Load())})
	}
	s.moved.Store(false)
	return nil
}

// errOverwritten makes the error of a file to which another program wrote while it was open.
func errOverwritten() error {
	return &damageError{found: "another program wrote to it while it was open", fatal: true}
}
