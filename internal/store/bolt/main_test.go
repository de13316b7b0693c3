package bolt

// What several tests of the package use.

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"thalas/internal/store"
	"thalas/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role, os.Args[len(os.Args)-1]))
	}
	// Goroutines that damage keeps from ending run until the process ends.
	var hanging []goleak.Option
	for _, function := range []string{"(*DB).beginTx", "(*DB).beginRWTx", "(*DB).mmap", "(*Tx).writeMeta", "(*DB).removeTx"} {
		hanging = append(hanging, goleak.IgnoreAnyFunction("go.etcd.io/bbolt."+function))
	}
	goleak.VerifyTestMain(m, append(hanging, goleak.IgnoreAnyFunction("thalas/internal/store/bolt.(*Store).closeFile.func1"))...)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, tempFile(t), Options{}) })
}

func tempFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "store.db")
}

// open opens a store. It is closed at the end of the test, if not before.
func open(t testing.TB, path string, options Options) *Store {
	t.Helper()
	s, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// view calls read in one transaction.
func (s *Store) view(ctx context.Context, read func(*transaction) error) error {
	_, err := view(ctx, s, func(t *transaction) (bool, error) { return true, read(t) })
	return err
}

var anyTime = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

func sampleResult(t testing.TB) store.Result {
	t.Helper()
	return resultOf(uuid.Must(uuid.NewV7()).String())
}

// idAt makes an id of that millisecond. Its last bits are the number.
func idAt(at time.Time, number uint64) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], 1<<63|number)
	return id.String()
}
