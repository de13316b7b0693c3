package bolt

// Copies of a file: as it stands at one moment, and with the space that is not used
// any more left out.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Backup writes the whole file as it stands at this moment, whatever is written
// meanwhile, and gives its size in bytes. A file that was deleted while it was open
// can still be saved by it. A file that has to grow waits for its end: give it a w
// that is as fast as the disk.
func (s *Store) Backup(ctx context.Context, w io.Writer) (size int64, err error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	return apart(ctx, s, func(t *transaction) (int64, error) { return t.tx.WriteTo(w) })
}

// compactStep is how many bytes one transaction of a compaction writes.
const compactStep = 16 << 20

// Compact writes the file anew without the space that is not used, and puts the new
// one into its place, there whole or not at all, if that is smaller. It gives both sizes
// in bytes. Nobody else may have the file open.
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
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) { // of one that was killed
		return 0, 0, err
	}
	defer func() { _ = os.Remove(fresh) }() // where it has not become the file
	if err := s.compactTo(fresh); err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	// What is put into the place of everything has to be sound.
	checked, err := Check(ctx, fresh)
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("compact: %w", err)
	case len(checked.Damage) > 0:
		return 0, 0, &damaged{path: path, found: checked.Damage[0]}
	}
	if err := errors.Join(sameOwner(fresh, old), os.Chmod(fresh, old.Mode().Perm())); err != nil {
		return 0, 0, fmt.Errorf("compact: keep the file's owner and mode: %w", err)
	}
	small, err := os.Stat(fresh)
	if err != nil {
		return 0, 0, err
	}
	if small.Size() >= old.Size() { // nothing to gain: it stays as it is
		return old.Size(), old.Size(), nil
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, 0, err
	}
	return old.Size(), small.Size(), syncFolder(filepath.Dir(path))
}

func (s *Store) compactTo(path string) error {
	into, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = s.contained(func() error { return bbolt.Compact(into, s.db, compactStep) })
	return errors.Join(err, into.Close())
}

// syncFolder has the disk know which file a name stands for.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = folder.Sync() // some systems can't
	return folder.Close()
}
