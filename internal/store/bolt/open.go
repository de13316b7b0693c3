package bolt

// Opening a store file: the lock, the format, and what is refused.

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// format is the version of the layout that is written. It goes up when an older
// program could not read a file any more.
const format = 1

// lockWait is how long Open waits for another process to end. Where a server has
// announced itself, a reader asks that one soon.
const (
	lockWait          = time.Second
	lockWaitAnnounced = 50 * time.Millisecond
)

// Options are how a store is opened. The zero value reads and writes.
type Options struct {
	ReadOnly   bool          // shares the file with other readers; every write is ErrReadOnly
	SweepEvery time.Duration // how often expired records are removed; 0: only by Sweep
	Log        *slog.Logger  // of what goes wrong in the background; nil: nowhere
}

// Open opens a store file. For writing, it creates the file and its folder where
// they are missing, for this user alone, and refuses a file that other users can
// read; readers take it as it is. Errors are fs.ErrNotExist, fs.ErrPermission, ErrInUse,
// ErrNewerFormat and ErrDamaged; each says what to do.
func Open(path string, options Options) (*Store, error) {
	if err := checkPath(path, options.ReadOnly); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db, file, err := openFile(path, options.ReadOnly)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if err := contained(path, func() error { return checkFormat(db, file, path) }); err != nil {
		_ = closeFile(db, file, err)
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if !options.ReadOnly {
		withdraw(path)
	}
	return start(path, options, db, file), nil
}

// checkPath refuses what is no file, and makes the folder of one to be written.
func checkPath(path string, readOnly bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name another", path)
	case err == nil && !readOnly && isOpenToOthers(info):
		return fmt.Errorf("other users of this machine can read or write %s, which holds every question and answer: run chmod 600 '%s'", path, path)
	case err == nil && readOnly && info.Size() == 0:
		return &damaged{path: path, found: "the file is empty"}
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case readOnly:
		return fmt.Errorf("there is no store at %s yet: %w", path, fs.ErrNotExist)
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// isOpenToOthers reports whether other users have rights to a file. Windows has
// rights of another kind.
func isOpenToOthers(info fs.FileInfo) bool {
	const others fs.FileMode = 0o077 // group and world
	return runtime.GOOS != "windows" && info.Mode()&others != 0
}

// openFile opens and locks the file. The handle is bbolt's own: what is left to
// close when bbolt panics.
func openFile(path string, readOnly bool) (db *bbolt.DB, file *os.File, err error) {
	wait := lockWait
	if readOnly && announced(path) != "" {
		wait = lockWaitAnnounced
	}
	err = contained(path, func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			ReadOnly: readOnly,
			Timeout:  wait,
			// Sweeping scatters free pages; the array type is slow at many of them.
			FreelistType: bbolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				file, err = os.OpenFile(name, flag, mode)
				return file, err
			},
		})
		return err
	})
	var refused syscall.Errno // of the operating system: says nothing about the content
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, nil, &InUse{Path: path, Address: announced(path)}
	case errors.Is(err, ErrDamaged):
		_ = abandon(file)
		return nil, nil, err
	case errors.Is(err, fs.ErrPermission) && !readOnly:
		return nil, nil, fmt.Errorf("%w: the file must be readable and writable for this user", err)
	case errors.As(err, &refused):
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	default:
		return nil, nil, &damaged{path: path, found: err.Error()}
	}
}

// checkFormat refuses what this version can't read, and lays out a new file.
func checkFormat(db *bbolt.DB, file *os.File, path string) error {
	fresh := false
	err := db.View(func(tx *bbolt.Tx) error {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return &damaged{path: path, found: fmt.Sprintf("%d bytes long, and should be %d", info.Size(), tx.Size())}
		}
		if first, _ := tx.Cursor().First(); first == nil {
			fresh = true
			return nil
		}
		return checkLayout(tx, path)
	})
	switch {
	case err != nil || !fresh:
		return err
	case db.IsReadOnly():
		return &damaged{path: path, found: "nothing was ever written to it"}
	default:
		return db.Update(layOut)
	}
}

func checkLayout(tx *bbolt.Tx, path string) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return &damaged{path: path, found: "written by another program"}
	}
	found, err := strconv.Atoi(string(meta.Get(formatKey)))
	switch {
	case err != nil || found < 1:
		return &damaged{path: path, found: "without a format version"}
	case found > format:
		return &NewerFormat{Path: path, Format: found, Known: format}
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return &damaged{path: path, found: fmt.Sprintf("without %s", name)}
		}
	}
	return nil
}

// layOut makes the buckets of an empty file.
func layOut(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	return meta.Put(formatKey, strconv.AppendInt(nil, format, 10))
}

// closeFile closes a database. After damage bbolt may hold a lock of its own for
// good, on which its Close would wait.
func closeFile(db *bbolt.DB, file *os.File, err error) error {
	if errors.Is(err, ErrDamaged) {
		return abandon(file)
	}
	return db.Close()
}

// abandon closes a database's file in the place of bbolt. The mapping stays until
// the process ends.
func abandon(file *os.File) error {
	unlock(file)
	return file.Close()
}
