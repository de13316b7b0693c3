package bolt

// Damaged files: an error or the truth, never a panic, and never a lock that
// stays behind.

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/store"
)

const pageSize = 4096

// soundFile writes a store of some pages of each kind and gives its bytes and
// the results in it.
func soundFile(t *testing.T) (content []byte, kept map[string]store.Result) {
	t.Helper()
	path := tempFile(t)
	s := open(t, path, Options{})
	kept = map[string]store.Result{}
	for i := range 60 {
		r := sampleResult(t)
		if i%3 == 0 {
			r.ExpiresAt = time.Now().Add(time.Duration(i-30) * time.Hour).UTC()
		}
		if err := s.Record(t.Context(), &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}}); err != nil {
			t.Fatal(err)
		}
		kept[r.ID] = r
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content, kept
}

// survive opens a damaged file and does everything with it. It says whether it
// could be opened.
func survive(t *testing.T, path string, content []byte, readOnly bool, kept map[string]store.Result) (opened bool) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{ReadOnly: readOnly})
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewerFormat) {
			t.Errorf("error = %v, want ErrDamaged", err)
		}
		return false
	}
	for id, want := range kept {
		// bbolt has no checksum of pages: what lies in the body can't be told. What
		// is read must be a result all the same.
		if got, err := s.Result(t.Context(), id); err == nil && got.ID != want.ID {
			t.Errorf("result %s: got %+v", id, got)
		}
	}
	for _, want := range kept {
		_, _ = s.Latest(t.Context(), want.Series)
		_, _ = s.Series(t.Context(), want.Series, store.Range{Limit: 1000})
		_, _ = s.Day(t.Context(), want.Day, store.Range{Limit: 1000})
		break
	}
	_, _ = s.Hours(t.Context(), "0000-01-01", "9999-12-31")
	r := resultOf(uuid.Must(uuid.NewV7()).String())
	_ = s.Record(t.Context(), &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}})
	_ = writes(s)
	_ = s.Close()
	return true
}

func TestTruncated(t *testing.T) {
	content, kept := soundFile(t)
	path := tempFile(t)
	lengths := []int{1, 100, pageSize - 1, pageSize, pageSize + 100, 2*pageSize - 1, 2 * pageSize, 3 * pageSize, 4 * pageSize}
	for length := 5 * pageSize; length < len(content); length += len(content) / 20 {
		lengths = append(lengths, length, length-1)
	}
	opened := 0
	for _, length := range lengths {
		for _, readOnly := range []bool{false, true} {
			if survive(t, path, content[:length], readOnly, kept) {
				opened++
			}
		}
	}
	if opened == 2*len(lengths) {
		t.Error("no truncated file was refused")
	}
	// Neither a mapping nor a lock of all of them is in the way of a sound one.
	if !survive(t, path, content, false, kept) {
		t.Error("the sound file was refused")
	}
}

func TestOverwritten(t *testing.T) {
	content, kept := soundFile(t)
	path := tempFile(t)
	source := rand.NewChaCha8([32]byte{42})
	random := rand.New(source)
	for name, spoil := range map[string]func(content []byte){
		"a page of noise": func(content []byte) {
			page := random.IntN(len(content)/pageSize) * pageSize
			_, _ = source.Read(content[page : page+pageSize])
		},
		"a page of zeros": func(content []byte) {
			page := random.IntN(len(content)/pageSize) * pageSize
			clear(content[page : page+pageSize])
		},
		"a page over another": func(content []byte) {
			from, to := random.IntN(len(content)/pageSize)*pageSize, random.IntN(len(content)/pageSize)*pageSize
			copy(content[to:to+pageSize], content[from:])
		},
	} {
		for i := range 25 {
			spoilt := bytes.Clone(content)
			spoil(spoilt)
			t.Logf("%s %d: opened %v", name, i, survive(t, path, spoilt, i%5 == 0, kept))
		}
	}
}

// A file that is cut while it is open faults where it is read.
func TestCutWhileOpen(t *testing.T) {
	content, kept := soundFile(t)
	path := tempFile(t)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{})
	if err := os.Truncate(path, 2*pageSize); err != nil {
		t.Fatal(err)
	}
	for id := range kept {
		if _, err := s.Result(t.Context(), id); !errors.Is(err, ErrDamaged) {
			t.Fatalf("read: %v, want ErrDamaged", err)
		}
		break
	}
	r := sampleResult(t)
	for range 2 { // once it is known, nothing more is written
		if err := s.Record(t.Context(), &r, store.Count{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("write: %v, want ErrDamaged", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := s.Result(t.Context(), r.ID); !errors.Is(err, ErrClosed) {
		t.Errorf("read after Close: %v, want ErrClosed", err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened again: %v, want ErrDamaged", err)
	}
}
