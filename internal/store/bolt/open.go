package bolt

// Opening a store file: its lock, its format, the files that are refused, and the address
// file of the server that has it open.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
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

	loadFreeList bool // read the list of free pages even if ReadOnly is set; writers always read it
}

// Open opens a store file. For writing it creates a missing file and its folder for this
// user alone, and refuses a file that other users can read or write. For reading it
// accepts any permissions. Errors are fs.ErrNotExist, fs.ErrPermission, ErrInUse,
// ErrNewerFormat and ErrDamaged. Each says what to do.
func Open(path string, options Options) (*Store, error) {
	s, err := openStore(path, options)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", withPath(err, path))
	}
	return s, nil
}

func openStore(path string, options Options) (*Store, error) {
	if err := checkPath(path, options.ReadOnly); err != nil {
		return nil, err
	}
	db, file, err := openFile(path, options)
	if err == nil && !isAt(path, file) { // the file was replaced while Open waited for the lock
		_ = db.Close()
		db, file, err = openFile(path, options)
	}
	if err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{path: path, options: options, db: db, file: file, opening: rand.Text(), opened: time.Now(), now: time.Now, queue: make(chan *operation, queueLength)}
	err = catchDamage(func() error {
		if err := checkFormat(db, file, path); err != nil {
			return err
		}
		return db.View(func(tx *bbolt.Tx) error {
			s.size.Store(tx.Size())
			s.committed.Store(int64(tx.ID()))
			return nil
		})
	})
	switch {
	case errors.Is(err, ErrDamaged):
		_ = abandon(file) // bbolt may hold one of its locks forever, and its Close would wait for that
		return nil, err
	case err != nil:
		_ = db.Close()
		return nil, err
	}
	s.usable, s.setDamage = context.WithCancelCause(context.Background())
	sweeping, endSweeps := context.WithCancel(context.Background())
	s.endSweeps = endSweeps
	if !options.ReadOnly {
		removeAddress(path)
		s.writer.Go(s.writeAll)
		if options.SweepEvery > 0 {
			s.sweeper.Go(func() { s.sweepAlways(sweeping) })
		}
	}
	return s, nil
}

// isAt reports whether an open file is the one at a path.
func isAt(path string, file *os.File) bool {
	atPath, err := os.Stat(path)
	open, openErr := file.Stat()
	return err == nil && openErr == nil && os.SameFile(atPath, open)
}

// checkPath refuses a path that is not a usable file, and makes the folder of a new file.
func checkPath(path string, readOnly bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name another", path)
	case err == nil && !readOnly && runtime.GOOS != "windows" && info.Mode()&0o077 != 0: // Windows does not keep rights in the mode
		return fmt.Errorf("other users of this machine can read or write %s, which holds every question and answer: run chmod 600 '%s'", path, path)
	case err == nil && readOnly && info.Size() == 0:
		return damagef("the file is empty")
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case readOnly:
		return fmt.Errorf("there is no store at %s yet: %w", path, fs.ErrNotExist)
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// openFile opens and locks the file. It also gives bbolt's own handle, which must be
// closed if bbolt panics.
func openFile(path string, options Options) (db *bbolt.DB, file *os.File, err error) {
	wait := lockWait
	if address, _ := Announced(path); options.ReadOnly && address != "" {
		wait = lockWaitAnnounced
	}
	err = catchDamage(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			ReadOnly:        options.ReadOnly,
			PreLoadFreelist: options.loadFreeList,
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
	case errors.Is(err, fs.ErrPermission) && !options.ReadOnly:
		return nil, nil, fmt.Errorf("%w: the file must be readable and writable for this user", err)
	case errors.As(err, &refused):
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	default:
		return nil, nil, damagef("%s", err)
	}
}

// checkFormat refuses a file that this version can't read, lays out a new file, and adds
// to an older one what it lacks.
func checkFormat(db *bbolt.DB, file *os.File, path string) error {
	isNew, isOld := false, false
	err := db.View(func(tx *bbolt.Tx) error {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return damagef("%d bytes long, and should be %d", info.Size(), tx.Size())
		}
		if first, _ := tx.Cursor().First(); first == nil {
			isNew = true
			return nil
		}
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return damagef("written by another program")
		}
		found, err := strconv.Atoi(string(meta.Get(formatKey)))
		switch {
		case err != nil || found < 1:
			return damagef("without a format version")
		case found > format:
			return fmt.Errorf("%w: %s has store format %d, and this version of the program knows formats up to %d: "+
				"use the newer version that wrote it, or name another file", ErrNewerFormat, path, found, format)
		}
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				return damagef("without %s", name)
			}
		}
		isOld = slices.ContainsFunc(laterBuckets, func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	switch {
	case err != nil:
		return err
	case isNew && db.IsReadOnly():
		return damagef("nothing was ever written to it")
	case isNew:
		return db.Update(layOut)
	case isOld && !db.IsReadOnly():
		return db.Update(addLaterBuckets)
	}
	return nil
}

// addLaterBuckets makes the buckets that a file of an older program does not have.
func addLaterBuckets(tx *bbolt.Tx) error {
	for _, name := range laterBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// layOut makes the buckets of an empty file.
func layOut(tx *bbolt.Tx) error {
	for _, name := range slices.Concat(buckets, laterBuckets, [][]byte{metaBucket}) {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	t := &transaction{tx: tx}
	return errors.Join(
		t.put(metaBucket, formatKey, strconv.AppendInt(nil, format, 10)),
		t.writeJSON(metaBucket, passedKey, passedTime{Until: time.Now().UTC()}),
	)
}

// abandon closes the file of a database without bbolt. The mapping stays until the
// process ends.
func abandon(file *os.File) error {
	unlock(file)
	return file.Close()
}

// The address file lies beside a store file. It holds the address of the server that has
// the store open, and a token. A program that can read the token proves by it to the
// server that it may read the store's folder.
func addressFile(path string) string { return path + ".addr" }

// Announce writes the address file, with the server's address and a token, so that the
// [InUse] errors of other processes have them. Close removes it. If a process was killed
// and left its file, the next [Open] for writing removes that.
func (s *Store) Announce(address, token string) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	// An old file may be readable by other users; a new one is not.
	removeAddress(s.path)
	if err := os.WriteFile(addressFile(s.path), []byte(address+"\n"+token+"\n"), 0o600); err != nil {
		return fmt.Errorf("announce the server's address: %w", err)
	}
	return nil
}

// removeAddress removes the address file. Only the holder of the lock may call it.
func removeAddress(path string) { _ = os.Remove(addressFile(path)) }

// Announced reads the address file of a store file. The results are empty without one.
func Announced(path string) (address, token string) {
	text, err := os.ReadFile(addressFile(path))
	if err != nil {
		return "", ""
	}
	address, token, _ = strings.Cut(string(text), "\n")
	return strings.TrimSpace(address), strings.TrimSpace(token)
}
