package bolt

// Opening a store file: its lock, its format, and the files that are refused.

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

// format is the version of the layout. It is raised when older programs could not read
// the files any more.
const format = 1

// lockWait is how long Open waits for the lock. A reader waits for a shorter time if a
// server has announced its address, because it can ask that server.
const (
	lockWait          = time.Second
	lockWaitAnnounced = 50 * time.Millisecond
)

// Options say how a store is opened. The zero value is for reading and writing.
type Options struct {
	ReadOnly   bool          // other readers may open the file too; every write gives ErrReadOnly
	SweepEvery time.Duration // how often expired records are removed; 0: only by Sweep
	Log        *slog.Logger  // for errors of background work; nil: no log
}

// Open opens a store file. For writing it creates a missing file and its folder for this
// user alone, and refuses a file that other users can read or write. For reading it
// accepts any permissions. Errors are fs.ErrNotExist, fs.ErrPermission, ErrInUse,
// ErrNewerFormat and ErrDamaged. Each says what to do.
func Open(path string, options Options) (*Store, error) { return openWith(path, options, false) }

// openWith opens a store file. If freePages is true, it reads the list of free pages
// even of a file that is opened for reading.
func openWith(path string, options Options, freePages bool) (*Store, error) {
	if err := checkPath(path, options.ReadOnly); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db, file, err := openFile(path, options.ReadOnly, freePages)
	if err == nil && !isAt(path, file) { // it was compacted while Open waited for the lock
		_ = db.Close()
		db, file, err = openFile(path, options.ReadOnly, freePages)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s := newStore(path, options, db, file)
	err = contained(path, func() error {
		if err := checkFormat(db, file, path); err != nil {
			return err
		}
		return db.View(func(tx *bbolt.Tx) error {
			s.size.Store(tx.Size())
			s.committed.Store(int64(tx.ID()))
			return nil
		})
	})
	if err != nil {
		_ = closeFile(db, file, err)
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if !options.ReadOnly {
		withdraw(path)
	}
	s.start()
	return s, nil
}

// isAt reports whether an open file is the one at a path.
func isAt(path string, file *os.File) bool {
	standing, err := os.Stat(path)
	mine, failed := file.Stat()
	return err == nil && failed == nil && os.SameFile(standing, mine)
}

// checkPath refuses a path that is not a usable file, and makes the folder of a new file.
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

// isOpenToOthers reports whether the mode of a file gives rights to other users. Windows
// does not keep rights in the mode.
func isOpenToOthers(info fs.FileInfo) bool {
	const others fs.FileMode = 0o077 // group and world
	return runtime.GOOS != "windows" && info.Mode()&others != 0
}

// openFile opens and locks the file. It also gives bbolt's own handle, which must be
// closed if bbolt panics.
func openFile(path string, readOnly, freePages bool) (db *bbolt.DB, file *os.File, err error) {
	wait := lockWait
	if address, _ := Announced(path); readOnly && address != "" {
		wait = lockWaitAnnounced
	}
	err = contained(path, func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			ReadOnly:        readOnly,
			PreLoadFreelist: freePages,
			Timeout:         wait,
			// Sweeping leaves many free pages, at which the array type is slow.
			FreelistType: bbolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				file, err = os.OpenFile(name, flag, mode)
				return file, err
			},
		})
		return err
	})
	var refused syscall.Errno // an error of the operating system says nothing about the content
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, berrors.ErrTimeout):
		address, token := Announced(path)
		return nil, nil, &InUse{Path: path, Address: address, Token: token}
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

// checkFormat refuses a file that this version can't read, and lays out a new file.
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
	if _, err := tx.CreateBucket(metaBucket); err != nil {
		return err
	}
	t := &transaction{tx: tx}
	return errors.Join(
		t.put(metaBucket, formatKey, strconv.AppendInt(nil, format, 10)),
		t.writeJSON(metaBucket, passedKey, passed{Until: time.Now().UTC()}),
	)
}

// closeFile closes a database. After damage bbolt may hold one of its locks forever, and
// its Close would wait for that.
func closeFile(db *bbolt.DB, file *os.File, err error) error {
	if errors.Is(err, ErrDamaged) {
		return abandon(file)
	}
	return db.Close()
}

// abandon closes the file of a database without bbolt. The mapping stays until the
// process ends.
func abandon(file *os.File) error {
	unlock(file)
	return file.Close()
}
