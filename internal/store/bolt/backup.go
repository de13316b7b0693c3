package bolt

// Copies of a file: a backup, and a compacted file without unused space.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Backup writes the whole file as it is at this moment, and gives its size in bytes.
// Other writes go on meanwhile. Backup can still save a file that was deleted while it
// was open. If the file has to grow, that waits until the backup has ended: w should be
// as fast as the disk.
func (s *Store) Backup(ctx context.Context, w io.Writer) (size int64, err error) {
	if err := s.unusable(); err != nil {
		return 0, err
	}
	return viewUnchecked(ctx, s, func(t *transaction) (int64, error) { return t.tx.WriteTo(w) })
}

// compactStep is how many bytes one transaction of a compaction writes.
const compactStep = 16 << 20

// Compact writes a copy of the file without unused space and, if the copy is smaller,
// replaces the file by it atomically. It gives both sizes in bytes. No other process may
// have the file open.
func Compact(ctx context.Context, path string) (before, after int64, err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return 0, 0, err
	}
	s, err := Open(path, Options{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	old, err := s.file.Stat()
	if err != nil {
		return 0, 0, err
	}
	fresh := path + ".compact"
	if err := os.RemoveAll(fresh); err != nil { // a killed process may have left it
		return 0, 0, err
	}
	defer func() { _ = os.Remove(fresh) }() // if it has not replaced the file
	into, err := bbolt.Open(fresh, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	err = s.access(func() error { return bbolt.Compact(into, s.db, compactStep) })
	if err := errors.Join(err, into.Close()); err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	// The copy replaces everything that is stored, so it must be sound.
	checked, err := Check(ctx, fresh)
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("compact: %w", err)
	case len(checked.Damage) > 0:
		return 0, 0, withPath(damagef("%s", checked.Damage[0]), path)
	}
	if err := errors.Join(sameOwner(fresh, old), os.Chmod(fresh, old.Mode().Perm())); err != nil {
		return 0, 0, fmt.Errorf("compact: keep the file's owner and mode: %w", err)
	}
	small, err := os.Stat(fresh)
	if err != nil {
		return 0, 0, err
	}
	if small.Size() >= old.Size() { // the file stays as it is
		return old.Size(), old.Size(), nil
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, 0, err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return 0, 0, err
	}
	_ = folder.Sync() // makes the renaming durable; some systems can't
	return old.Size(), small.Size(), folder.Close()
}
