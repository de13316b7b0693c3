package bolt

// Tests with damaged files. Each operation gives an error or a stored result. None of them
// panics, and no lock stays held.

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/store"
)

const pageSize = 4096

// useDamaged calls every method on a damaged file. It reports whether the file could be
// opened.
func useDamaged(t *testing.T, path string, content []byte, readOnly bool, stored []store.Result) (opened bool) {
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
	for _, want := range stored {
		// bbolt has no checksums of its pages, so an error is not certain. A result that is
		// read must be the one of that id.
		if got, err := s.Result(t.Context(), want.ID); err == nil && got.ID != want.ID {
			t.Errorf("result %s: got %+v", want.ID, got)
		}
	}
	_, _ = s.Latest(t.Context(), stored[0].Series)
	_, _ = s.Series(t.Context(), stored[0].Series, store.Range{Limit: 1000})
	_, _ = s.Day(t.Context(), stored[0].Day, store.Range{Limit: 1000})
	_, _ = s.Hours(t.Context(), "0000-01-01", "9999-12-31")
	r := resultOf(uuid.Must(uuid.NewV7()).String())
	_ = s.Record(t.Context(), &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}})
	_ = writes(s)
	_ = s.Close()
	return true
}

func TestTruncated(t *testing.T) {
	content, stored := soundFile()
	path := tempFile(t)
	lengths := []int{1, 100, pageSize - 1, pageSize, pageSize + 100, 2*pageSize - 1, 2 * pageSize, 3 * pageSize, 4 * pageSize}
	for length := 5 * pageSize; length < len(content); length += len(content) / 20 {
		lengths = append(lengths, length, length-1)
	}
	opened := 0
	for _, length := range lengths {
		for _, readOnly := range []bool{false, true} {
			if useDamaged(t, path, content[:length], readOnly, stored) {
				opened++
			}
		}
	}
	if opened == 2*len(lengths) {
		t.Error("no truncated file was refused")
	}
	// A sound file can still be opened: no lock or mapping of the damaged ones is left.
	if !useDamaged(t, path, content, false, stored) {
		t.Error("the sound file was refused")
	}
}

func TestOverwritten(t *testing.T) {
	content, stored := soundFile()
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
			t.Logf("%s %d: opened %v", name, i, useDamaged(t, path, spoilt, i%5 == 0, stored))
		}
	}
}

// A file is damaged while it is open. Reads and writes that are under way return, later
// ones give an error, and Close does not wait.
func TestSpoiltWhileOpen(t *testing.T) {
	content, stored := soundFile()
	var noise [8192]byte
	_, _ = rand.NewChaCha8([32]byte{7}).Read(noise[:])
	overwrite := func(t *testing.T, path string, with []byte) {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteAt(with, 0)
		}
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	must := func(t *testing.T, err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		says  string
	}{
		{"emptied", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, ""},
		{"cut to a page", func(t *testing.T, path string) { must(t, os.Truncate(path, pageSize)) }, ""},
		{"cut to two pages", func(t *testing.T, path string) { must(t, os.Truncate(path, 2*pageSize)) }, ""},
		{"its beginning overwritten", func(t *testing.T, path string) { overwrite(t, path, noise[:]) }, ""},
		{"overwritten", func(t *testing.T, path string) {
			for at := 0; at < len(content); at += len(noise) {
				overwrite(t, path, bytes.Repeat(noise[:], 1+len(content)/len(noise)))
			}
		}, ""},
		{"zeroed", func(t *testing.T, path string) { overwrite(t, path, make([]byte, len(content))) }, ""},
		{"an older copy written over it", func(t *testing.T, path string) { overwrite(t, path, content) }, ""},
		{"deleted", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "deleted, moved or replaced"},
		{"moved away", func(t *testing.T, path string) { must(t, os.Rename(path, path+".old")) }, "deleted, moved or replaced"},
		{"replaced", func(t *testing.T, path string) {
			must(t, os.WriteFile(path+".new", content, 0o600))
			must(t, os.Rename(path+".new", path))
		}, "deleted, moved or replaced"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := tempFile(t)
			must(t, os.WriteFile(path, content, 0o600))
			s := open(t, path, Options{})
			for range 3 {
				r := sampleResult(t)
				must(t, s.Record(t.Context(), &r, store.Count{}))
			}
			var users sync.WaitGroup
			var working sync.WaitGroup
			for i := range 16 {
				working.Add(1)
				users.Go(func() {
					begun := sync.OnceFunc(working.Done)
					for {
						var err error
						if i%4 == 0 {
							r := resultOf(uuid.Must(uuid.NewV7()).String())
							err = s.Record(context.Background(), &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}})
						} else {
							_, err = s.Hours(context.Background(), "0000-01-01", "9999-12-31")
						}
						if err != nil {
							if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.says) {
								t.Errorf("error = %v, want ErrDamaged with %q", err, test.says)
							}
							return
						}
						begun()
					}
				})
			}
			working.Wait()
			test.spoil(t, path)
			answered := make(chan bool)
			go func() { users.Wait(); close(answered) }() // each of them stops at its first error
			for waiting := true; waiting; {
				select {
				case <-answered:
					waiting = false
				case <-time.After(50 * time.Millisecond):
					if strings.HasPrefix(test.name, "its beginning") {
						test.spoil(t, path) // a commit may have repaired the damage by writing the pages again
					}
				}
			}
			if _, err := s.Result(t.Context(), stored[0].ID); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("read: %v, want ErrDamaged", err)
			}
			for name, err := range writes(s) {
				if !errors.Is(err, store.ErrDamaged) && name != "Announce" {
					t.Errorf("%s: %v, want ErrDamaged", name, err)
				}
			}
			must(t, s.Close())
			if _, err := s.Result(t.Context(), uuid.NewString()); !errors.Is(err, ErrClosed) {
				t.Errorf("read after Close: %v, want ErrClosed", err)
			}
			if strings.HasPrefix(test.name, "cut") {
				if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
					t.Errorf("opened again: %v, want ErrDamaged", err)
				}
			}
		})
	}
}

// A file that was moved away and comes back can be used again, because nothing was written
// meanwhile.
func TestMovedAwayAndBack(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	before, within, after := sampleResult(t), sampleResult(t), sampleResult(t)
	if err := s.Record(t.Context(), &before, store.Count{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), &within, store.Count{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("while it is away: %v, want ErrDamaged", err)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), &after, store.Count{}); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	for _, r := range []store.Result{before, after} {
		if _, err := s.Result(t.Context(), r.ID); err != nil {
			t.Error(err)
		}
	}
	checkConsistent(t, s)
}
