package e2e

// What is done to the store's file while a server has it open: it is spoilt or taken
// away, and it is copied.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A file that is spoilt under load: everybody is answered, decisions with the warning
// not_stored and everything that needs the store with an error; health shows it; and the
// server ends by a signal, saying how many answers are lost.
func TestFileSpoiltWhileServing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(path string) error
		log   string
	}{
		{"cut to a page", func(path string) error { return os.Truncate(path, 4096) }, "is damaged"},
		{"overwritten", func(path string) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = file.WriteAt(bytes.Repeat([]byte("noise"), len(content)/5), 0)
			return err
		}, "is damaged"},
		{"deleted", os.Remove, "was deleted, moved or replaced"},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".new", []byte("another"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, "was deleted, moved or replaced"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := gated(t)
			s := startServer(t, storeFile(t), p.env()...)
			id := resultOf(t, s.ask(t, about("BTC/USDT"))).ID
			paths := []string{"/v1/consensus/" + id, "/v1/consensus/latest?pair=BTC/USDT", "/v1/consensus?pair=BTC/USDT", "/v1/consensus", "/v1/metrics", "/v1/health", "/api/v1/strategies/llm-consensus"}
			ctx, stop := context.WithCancel(t.Context())
			var users sync.WaitGroup
			for i := range 12 {
				users.Go(func() {
					for n := i; ctx.Err() == nil; n++ {
						var r reply
						if i%3 == 0 {
							r = s.do(context.Background(), http.MethodPost, "/v1/consensus", about("BTC/USDT"))
							if r.err == nil && r.status != 200 {
								t.Errorf("a question: %d %s", r.status, r.body)
							}
						} else {
							r = s.do(context.Background(), http.MethodGet, paths[n%len(paths)], "")
						}
						if r.err != nil {
							t.Errorf("no answer: %v", r.err)
							return
						}
					}
				})
			}
			if err := test.spoil(s.file); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(guard); ; {
				var health struct{ Status, Store string }
				r := s.get(t, "/v1/health")
				if err := json.Unmarshal([]byte(r.body), &health); err != nil {
					t.Fatalf("%v: %d %s", r.err, r.status, r.body)
				}
				if health.Status == "degraded" && health.Store == "unreachable" {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("health does not show it: %s", r.body)
				}
			}
			stop()
			users.Wait()
			for _, path := range paths[:5] {
				if r := s.get(t, path); r.status != 503 || !strings.Contains(r.body, "The store is damaged, deleted or replaced") || strings.Contains(r.body, s.file) {
					t.Errorf("%s: %v %d %s", path, r.err, r.status, r.body)
				}
			}
			if r := s.ask(t, about("ETH/USDT")); resultOf(t, r).ID == "" || !strings.Contains(r.body, `"not_stored"`) {
				t.Errorf("a question: %d %s", r.status, r.body)
			}
			if r := s.ask(t, about("ETH/USDT"), "Idempotency-Key", "mine"); r.status != 503 {
				t.Errorf("a question that may be paid only once: %d %s", r.status, r.body)
			}
			if !strings.Contains(s.log.String(), test.log) || !strings.Contains(s.log.String(), s.file) {
				t.Errorf("the log does not say that %s %s", s.file, test.log)
			}
			_ = s.process.Signal(sigterm)
			if <-s.done; s.code != 1 || !strings.Contains(s.log.String(), "answers that could not be stored, and are lost now:") {
				t.Errorf("exit code %d, want 1 and how many answers are lost:\n%s", s.code, s.log)
			}
		})
	}
}

// Five of five copies of a file under load are sound, and hold every result that was
// answered before they were begun, byte for byte.
func TestBackupWhileServing(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	var (
		mu       sync.Mutex
		answered []string // the answers
		users    sync.WaitGroup
	)
	ctx, stop := context.WithCancel(t.Context())
	for i := range 8 {
		users.Go(func() {
			for ctx.Err() == nil {
				r := s.do(context.Background(), http.MethodPost, "/v1/consensus", about(fmt.Sprintf("C%d/USDT", i)))
				if r.err != nil || r.status != 200 {
					t.Errorf("%v %d %s", r.err, r.status, r.body)
					return
				}
				mu.Lock()
				answered = append(answered, r.body)
				mu.Unlock()
			}
		})
	}
	for i := range 5 {
		mu.Lock()
		before := slices.Clone(answered)
		mu.Unlock()
		copied := filepath.Join(t.TempDir(), fmt.Sprintf("copy%d.db", i))
		if output, err := child(t, []string{"DATA_FILE=" + s.file}, "backup", copied).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if output, err := child(t, []string{"DATA_FILE=" + copied}, "check").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		held := map[string]bool{}
		for _, line := range exported(t, copied) {
			answered, _, _ := strings.Cut(string(line), `,"outcome":`)
			held[answered+"}"] = true
		}
		for _, answer := range before {
			if !held[strings.TrimSpace(answer)] {
				t.Errorf("copy %d lacks %s", i, answer)
			}
		}
		t.Logf("copy %d holds %d results; %d were answered before it", i, len(held), len(before))
	}
	stop()
	users.Wait()
	s.terminate(t, sigterm)
}
