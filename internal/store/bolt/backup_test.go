package bolt

// Tests of backups of a file that is written meanwhile or was deleted, and of compaction.

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/store"
)

func backUp(t *testing.T, s *Store) (path string) {
	t.Helper()
	path = tempFile(t)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	size, err := s.Backup(t.Context(), file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Errorf("Backup gave a size of %d bytes; the file: %v, %v", size, info.Size(), err)
	}
	return path
}

func wantSound(t *testing.T, path string) Checked {
	t.Helper()
	checked, err := Check(t.Context(), path)
	if err != nil || len(checked.Damage) > 0 {
		t.Fatalf("check: %v, damage %q", err, checked.Damage)
	}
	return checked
}

// Each of five backups that are made while results are recorded is sound. It holds every
// result whose Record had returned before the backup began.
func TestBackupUnderLoad(t *testing.T) {
	s := open(t, tempFile(t), Options{SweepEvery: time.Millisecond})
	var (
		mu       sync.Mutex
		answered []string
		writers  sync.WaitGroup
	)
	ctx, end := context.WithCancel(t.Context())
	more := make(chan bool, 1)
	for i := range 8 {
		writers.Go(func() {
			for ctx.Err() == nil {
				r := resultOf(uuid.Must(uuid.NewV7()).String())
				if i == 0 {
					r.ExpiresAt = r.CreatedAt.Add(-time.Hour) // for the sweeper
				}
				if err := s.Record(context.Background(), &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}}); err != nil {
					t.Error(err)
					return
				}
				if i > 0 {
					mu.Lock()
					answered = append(answered, r.ID)
					mu.Unlock()
				}
				select {
				case more <- true:
				default:
				}
			}
		})
	}
	for range 5 {
		for range 50 {
			<-more
		}
		mu.Lock()
		before := slices.Clone(answered)
		mu.Unlock()
		path := backUp(t, s)
		wantSound(t, path)
		copied := open(t, path, Options{})
		for _, id := range before {
			got, err := copied.Result(t.Context(), id)
			if d := diff(resultOf(id), got, err); d != "" {
				t.Fatalf("a result that was answered before the copy (-want +got):\n%s", d)
			}
		}
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}
	end()
	writers.Wait()
}

func TestBackupOfADeletedFile(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	r := sampleResult(t)
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), &r, store.Count{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("record: %v, want ErrDamaged", err)
	}
	if got := wantSound(t, backUp(t, s)); got.Results != 1 {
		t.Errorf("%d results were saved, want 1", got.Results)
	}
}

func TestCompact(t *testing.T) {
	path, results := writeSound(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	want := exportAll(t, path)
	before, after, err := Compact(t.Context(), link)
	if err != nil || after >= before || after == 0 {
		t.Fatalf("from %d to %d bytes, %v", before, after, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != after || info.Mode() != 0o700 {
		t.Errorf("%v, %v; want %d bytes and the same mode as before", info, err, after)
	}
	if kind, err := os.Lstat(link); err != nil || kind.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the symbolic link was replaced: %v, %v", kind, err)
	}
	if got := wantSound(t, path); got.Results != results || got.Claims != 1 || got.Sums != 1 || got.Hours != 1 {
		t.Errorf("after compaction it holds %+v", got)
	}
	if d := diff(want, exportAll(t, path), nil); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("other files were left in the folder: %q", left)
	}
}

func exportAll(t *testing.T, path string) []store.Result {
	t.Helper()
	s := open(t, path, Options{ReadOnly: true})
	defer func() { _ = s.Close() }()
	page, err := s.Series(t.Context(), "BTC/USDT#5m", store.Range{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Results
}

// A file that can't be compacted is not changed.
func TestCompactRefuses(t *testing.T) {
	path, _ := writeSound(t)
	s := open(t, path, Options{})
	if _, _, err := Compact(t.Context(), path); !errors.Is(err, ErrInUse) {
		t.Errorf("a file in use: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(content[2*pageSize:])
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Compact(t.Context(), path); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged file: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(content, after) {
		t.Errorf("the damaged file was changed (%v)", err)
	}
	if _, _, err := Compact(t.Context(), path+".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// An Open that waits for the lock while the file is replaced opens the new file.
func TestOpenedWhileReplaced(t *testing.T) {
	path, results := writeSound(t)
	s := open(t, path, Options{})
	opened := make(chan error)
	var waiting *Store
	go func() {
		var err error
		waiting, err = Open(path, Options{})
		opened <- err
	}()
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".new", content, 0o600)
	}
	if err := errors.Join(err, os.Rename(path+".new", path), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	defer func() { _ = waiting.Close() }()
	r := sampleResult(t)
	if err := waiting.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Errorf("record: %v", err)
	}
	if err := waiting.Close(); err != nil {
		t.Fatal(err)
	}
	if got := wantSound(t, path); got.Results != results+1 {
		t.Errorf("%d results, want %d", got.Results, results+1)
	}
}
