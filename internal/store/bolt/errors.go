package bolt

// What can be wrong with a store file.

import (
	"errors"
	"fmt"

	"thalas/internal/store"
)

// Kinds of error, for errors.Is.
var (
	// ErrInUse: another process has the file open. The error is an *InUse.
	ErrInUse = errors.New("in use by another process")
	// ErrNewerFormat: a newer version of the program wrote the file. The error is
	// a *NewerFormat.
	ErrNewerFormat = errors.New("newer store format")
	// ErrDamaged: the file is no store file, cut off or broken, or not at its place any more.
	ErrDamaged = store.ErrDamaged
	// ErrReadOnly: the store was opened for reading only.
	ErrReadOnly = errors.New("the store is open for reading only")
	// ErrClosed: the store has been closed.
	ErrClosed = errors.New("the store is closed")
)

// InUse says who holds a store file.
type InUse struct {
	Path    string
	Address string // of the server that holds it; empty: unknown
	Token   string // that this server takes from whoever may read the file's folder; never shown
}

func (e *InUse) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("%s is in use by another process: wait until it has ended, or stop it", e.Path)
	}
	return fmt.Sprintf("%s is in use by another process, the server at %s: ask that server, or stop it", e.Path, e.Address)
}

// Is holds for ErrInUse.
func (e *InUse) Is(target error) bool { return target == ErrInUse }

// NewerFormat names the format of a file and the newest that is known here.
type NewerFormat struct {
	Path   string
	Format int
	Known  int
}

func (e *NewerFormat) Error() string {
	return fmt.Sprintf("%s has store format %d, and this version of the program knows formats up to %d: "+
		"use the newer version that wrote it, or name another file", e.Path, e.Format, e.Known)
}

// Is holds for ErrNewerFormat.
func (e *NewerFormat) Is(target error) bool { return target == ErrNewerFormat }

// damaged is an ErrDamaged that says what was found.
type damaged struct {
	path  string // empty: not yet known to whoever found it
	found string
	fatal bool // it was met in bbolt's own structures, so nothing of the file can be relied on
}

func (e *damaged) Error() string {
	return fmt.Sprintf("%s is damaged, or not a store file (%s): 'thalas check' tells what is lost; restore it from a backup, or move it away to start with an empty one",
		e.path, e.found)
}

func (e *damaged) Is(target error) bool { return target == ErrDamaged }

// damagedRecord is damage within one record.
func damagedRecord(format string, args ...any) error {
	return &damaged{found: fmt.Sprintf(format, args...)}
}

// missing is an ErrDamaged: the open file was deleted, moved, or replaced.
type missing struct{ path string }

func (e *missing) Error() string {
	return fmt.Sprintf("%s was deleted, moved or replaced while it was open, and nothing is stored or read any more: "+
		"as long as nothing else stands at its place, 'thalas backup FILE' saves what its server has open; then stop the server, put the file back and start it again", e.path)
}

func (e *missing) Is(target error) bool { return target == ErrDamaged }
