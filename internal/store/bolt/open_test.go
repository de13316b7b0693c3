package bolt

// Tests of Open: what it creates, and which files it refuses without changing them.

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

func wantInUse(t *testing.T, err error, path, address string) {
	t.Helper()
	var inUse *InUse
	if !errors.Is(err, ErrInUse) || !errors.As(err, &inUse) {
		t.Fatalf("error = %v, want ErrInUse", err)
	}
	if inUse.Path != path || inUse.Address != address {
		t.Errorf("in use: %+v, want path %s and address %q", inUse, path, address)
	}
	if address != "" && inUse.Token != "planted-token" || strings.Contains(err.Error(), "planted") {
		t.Errorf("the token %q is not the announced one, or is in the error: %v", inUse.Token, err)
	}
	for _, part := range []string{path, address, "is in use by another process"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
}

func TestCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "store.db")
	open(t, path, Options{})
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %s, want %s", name, info.Mode(), want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	path := tempFile(t)
	want := sampleResult(t)
	s := open(t, path, Options{})
	if err := s.Record(t.Context(), &want, store.Count{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	one, two := open(t, path, Options{ReadOnly: true}), open(t, path, Options{ReadOnly: true})
	for _, s := range []*Store{one, two} {
		got, err := s.Latest(t.Context(), want.Series)
		if d := diff(want, got, err); d != "" {
			t.Errorf("with two readers (-want +got):\n%s", d)
		}
		for name, err := range writes(s) {
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("%s: %v, want ErrReadOnly", name, err)
			}
		}
	}
	_, err = Open(path, Options{})
	wantInUse(t, err, path, "")
	for _, s := range []*Store{one, two} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("reading changed the file (%v)", err)
	}
}

// writes calls each method that writes.
func writes(s *Store) map[string]error {
	ctx := context.Background()
	all := map[string]error{
		"Record":   s.Record(ctx, nil, store.Count{}),
		"Complete": s.Complete(ctx, "key", "owner", "x"),
		"Release":  s.Release(ctx, "key", "owner"),
		"Announce": s.Announce("http://127.0.0.1:1", "planted-token"),
	}
	r := resultOf(idAt(anyTime, 1))
	_, all["Add"] = s.Add(ctx, []*store.Result{&r})
	_, all["Claim"] = s.Claim(ctx, "key", store.Claim{Owner: "owner"})
	all["Settle"] = s.Settle(ctx, store.Lease{Key: "key"}, 1)
	_, all["Reserve"] = s.Reserve(ctx, store.Lease{Key: "key"}, 0)
	_, all["Sweep"] = s.Sweep(ctx)
	return all
}

func TestAddress(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	if err := s.Announce("http://127.0.0.1:8080", "planted-token"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{})
	wantInUse(t, err, path, "http://127.0.0.1:8080")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".addr"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the address file was left after Close: %v", err)
	}
}

func TestNewerFormat(t *testing.T) {
	path := tempFile(t)
	if err := open(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(formatKey, []byte("7")) })
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		_, err := Open(path, Options{ReadOnly: readOnly})
		if !errors.Is(err, ErrNewerFormat) {
			t.Fatalf("error = %v, want ErrNewerFormat", err)
		}
		for _, part := range []string{path, "format 7", "up to 1", "newer version"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error %q does not say %q", err, part)
			}
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the refused file was changed (%v)", err)
	}
}

func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNotAStore(t *testing.T) {
	write := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	layout := func(change func(*bbolt.Tx) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			edit(t, path, layOut)
			edit(t, path, change)
		}
	}
	for _, test := range []struct {
		name     string
		make     func(t *testing.T, path string)
		readOnly bool
		want     error  // nil: any error
		says     string // part of the error, which has the path too
	}{
		{"a folder", func(t *testing.T, path string) { _ = os.Mkdir(path, 0o700) }, false, nil, "is a folder"},
		{"a folder, to read", func(t *testing.T, path string) { _ = os.Mkdir(path, 0o700) }, true, nil, "is a folder"},
		{"nothing, to read", func(*testing.T, string) {}, true, fs.ErrNotExist, "no store at"},
		{"an empty file, to read", write(""), true, ErrDamaged, "empty"},
		{"a short text", write("hello\n"), false, ErrDamaged, "move it away"},
		{"a long text", write(strings.Repeat("hello\n", 10_000)), false, ErrDamaged, "move it away"},
		{"zeros", write(strings.Repeat("\x00", 65536)), false, ErrDamaged, "move it away"},
		{"another program's", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
		}, false, ErrDamaged, "another program"},
		{"an empty bbolt file, to read", func(t *testing.T, path string) { edit(t, path, func(*bbolt.Tx) error { return nil }) }, true, ErrDamaged, "nothing was ever written"},
		{"without a format", layout(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(formatKey) }), false, ErrDamaged, "format version"},
		{"a format of zero", layout(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(formatKey, []byte("0")) }), false, ErrDamaged, "format version"},
		{"without a bucket", layout(func(tx *bbolt.Tx) error { return tx.DeleteBucket(sumsBucket) }), false, ErrDamaged, "without sums"},
		{"below a file", func(t *testing.T, path string) { write("x")(t, filepath.Dir(path)) }, false, nil, "not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "folder")
			path := filepath.Join(folder, "store.db")
			if test.name != "below a file" {
				_ = os.Mkdir(folder, 0o700)
			}
			test.make(t, path)
			s, err := Open(path, Options{ReadOnly: test.readOnly})
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error = %v, want %v", err, test.want)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error %q does not say %q and %q", err, path, test.says)
			}
		})
	}
}

func TestNoPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may do everything")
	}
	path := tempFile(t)
	if err := open(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "readable and writable") {
		t.Errorf("a file with the rights to read only: %v", err)
	}
	open(t, path, Options{ReadOnly: true})
}

// If a process was killed right after it created the file, the file is empty.
func TestEmptyFileIsLaidOut(t *testing.T) {
	for name, make := range map[string]func(path string){
		"no byte":          func(path string) { _ = os.WriteFile(path, nil, 0o600) },
		"bbolt's own only": func(path string) { edit(t, path, func(*bbolt.Tx) error { return nil }) },
	} {
		path := tempFile(t)
		make(path)
		r := sampleResult(t)
		if err := open(t, path, Options{}).Record(t.Context(), &r, store.Count{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that other users can read is not opened for writing. The error gives the command
// that takes the rights from them. The file can be opened for reading.
func TestOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has rights of another kind")
	}
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o620, 0o610} {
		t.Run(mode.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "thalas.db")
			s, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Close(), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
			if s, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600 '"+path+"'") {
				t.Errorf("opened %v, %v", s, err)
			}
			reader, err := Open(path, Options{ReadOnly: true})
			if err != nil {
				t.Fatalf("reading: %v", err)
			}
			if err := errors.Join(reader.Close(), os.Chmod(path, 0o600)); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(path, Options{}); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
		})
	}
}
