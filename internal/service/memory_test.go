package service_test

// Concurrent runs are bounded by the memory, and each question is held in memory once.

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"thalas/internal/provider"
	"thalas/internal/service"
)

// limited makes a service in a process with that much memory.
func limited(t *testing.T, limit int64, voters ...*voter) fixture {
	t.Helper()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	return newService(t, service.Options{}, voters...)
}

func TestRunsAtOnceAreBoundedByMemory(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	for _, test := range []struct {
		name         string
		limit        int64
		size         int // of each question
		asked, taken int
	}{
		{"256 of 126 KiB in 512 MiB", 512 * mib, 126 * kib, 256, 256},
		{"256 of 256 KiB in 512 MiB", 512 * mib, 256 * kib, 256, 146},
		{"256 small ones in 64 MiB", 64 * mib, 3 * kib, 256, 256},
		{"one that is larger than the memory", mib, 256 * kib, 2, 1},
		{"no limit", 1<<63 - 1, 256 * kib, 256, 256},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := limited(t, test.limit, &voter{name: "a", after: time.Second})
				defer s.store.Close()
				q := question()
				q.Size = test.size
				for range 2 { // what runs have held is free after them
					var all sync.WaitGroup
					errs := make([]error, test.asked)
					for i := range errs {
						all.Go(func() { _, errs[i] = s.Ask(t.Context(), q) })
					}
					all.Wait()
					taken := 0
					for _, err := range errs {
						if err == nil {
							taken++
						} else if !errors.Is(err, service.ErrBusy) {
							t.Fatal(err)
						}
					}
					if taken != test.taken {
						t.Errorf("%d of %d questions were taken, want %d", taken, test.asked, test.taken)
					}
				}
			})
		})
	}
}

// looker remembers the addresses of the prompts that it is given.
type looker struct {
	*voter
	mu  sync.Mutex
	saw map[*byte]bool // guarded by mu
}

func (l *looker) look(prompt provider.Prompt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saw[unsafe.StringData(prompt.User)] = true
}

func (l *looker) Ask(ctx context.Context, prompt provider.Prompt) (provider.Answer, error) {
	l.look(prompt)
	return l.voter.Ask(ctx, prompt)
}

func (l *looker) WorstCaseUSD(prompt provider.Prompt) (float64, bool) {
	l.look(prompt)
	return l.voter.WorstCaseUSD(prompt)
}

// The budget reads the same prompt, in the same memory, that the models are asked.
func TestThePromptIsMadeOnce(t *testing.T) {
	s := newService(t, service.Options{DailyBudgetUSD: 10})
	saw := map[*byte]bool{}
	l := &looker{voter: &voter{name: "a", worst: 0.01}, saw: saw}
	if err := s.Registry.Register(provider.Entry{Provider: l}); err != nil {
		t.Fatal(err)
	}
	ask(t, s, question())
	if len(saw) != 1 {
		t.Errorf("%d prompts were made, want 1", len(saw))
	}
}
