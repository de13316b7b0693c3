package bolt

// The errors of a store file.

import (
	"errors"
	"fmt"

	"thalas/internal/store"
)

// Kinds of error, for errors.Is.
var (
	// ErrInUse means that another process has the file open. The error is an [*InUse].
	ErrInUse = errors.New("in use by another process")
	// ErrNewerFormat means that a newer version of the program wrote the file.
	ErrNewerFormat = errors.New("newer store format")
	// ErrDamaged means that the file is not a store file, is damaged, or was moved away.
	ErrDamaged = store.ErrDamaged
	// ErrReadOnly means that the store was opened for reading only.
	ErrReadOnly = errors.New("the store is open for reading only")
	// ErrClosed means that the store has been closed.
	ErrClosed = errors.New("the store is closed")
)

// InUse says which process holds a store file.
type InUse struct {
	Path    string
	Address string // of the server that holds it; empty: unknown
	Token   string // of the server's address file ([Store.Announce]); it is never shown
}

func (e *InUse) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("%s is in use by another process: wait until it has ended, or stop it", e.Path)
	}
	return fmt.Sprintf("%s is in use by another process, the server at %s: ask that server, or stop it", e.Path, e.Address)
}

// Is holds for ErrInUse.
func (e *InUse) Is(target error) bool { return target == ErrInUse }

// damageError is an ErrDamaged that says what was found.
type damageError struct {
	path  string // added by withPath
	found string
	fatal bool // the damage is in bbolt's own structures, so nothing in the file can be trusted
	moved bool // the file was deleted, moved or replaced while it was open; found is empty
}

func (e *damageError) Error() string {
	if e.moved {
		return fmt.Sprintf("%s was deleted, moved or replaced while it was open, and nothing is stored or read any more: "+
			"as long as nothing else stands at its place, 'thalas backup FILE' saves what its server has open; then stop the server, put the file back and start it again", e.path)
	}
	return fmt.Sprintf("%s is damaged, or not a store file (%s): 'thalas check' tells what is lost; restore it from a backup, or move it away to start with an empty one",
		e.path, e.found)
}

func (e *damageError) Is(target error) bool { return target == ErrDamaged }

// damagef makes an ErrDamaged that does not name the file yet.
func damagef(format string, args ...any) error {
	return &damageError{found: fmt.Sprintf(format, args...)}
}

// withPath adds the file's path to an error, if that is a damageError.
func withPath(err error, path string) error {
	if found, is := errors.AsType[*damageError](err); is {
		found.path = path
	}
	return err
}

// foundIn gives what was found, without the path and the advice.
func foundIn(err error) string {
	if damage, is := errors.AsType[*damageError](err); is {
		return damage.found
	}
	return err.Error()
}
