package service_test

// Results that were paid for are stored, even if the store is slow.

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/store"
)

// slowToRecord is a store that is slow to store results.
type slowToRecord struct {
	*faulty
	takes time.Duration
}

func (s *slowToRecord) Record(ctx context.Context, r *store.Result, c store.Count) error {
	if err := pause(ctx, s.takes); err != nil {
		return err
	}
	return s.faulty.Record(ctx, r, c)
}

// A run waits for a slow store, and answers after its result is stored.
func TestPaidResultsWaitForASlowStore(t *testing.T) {
	for _, test := range []struct {
		name     string
		record   time.Duration
		deadline time.Duration // of the caller; 0: none
		stored   bool
		within   time.Duration // of the question
	}{
		{"slow", 9 * time.Second, 0, true, 11 * time.Second},
		{"within the deadline", 5 * time.Second, 8 * time.Second, true, 8 * time.Second},
		{"too slow for the deadline", 5 * time.Second, 4 * time.Second, false, 4 * time.Second},
		{"hanging", time.Hour, 0, false, 12 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, service.Options{}, &voter{name: "a", after: time.Second})
				defer s.store.Close()
				s.Store = &slowToRecord{s.store, test.record}
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				asked := time.Now()
				answer, err := s.Ask(ctx, question())
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(asked); took >= test.within {
					t.Errorf("answered after %v, want less than %v", took, test.within)
				}
				if stored := answer.Body != nil; stored != test.stored {
					t.Errorf("stored: %v, warnings %v", stored, codes(answer.Consensus))
				}
				if _, err := s.Show(t.Context(), answer.Consensus.ID); (err == nil) != test.stored {
					t.Errorf("read back: %v", err)
				}
			})
		})
	}
}

// The longest run, with the write of its result, ends within the 40 s for which a server
// that shuts down waits.
func TestTheLongestRunEndsWithinTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{}, &voter{name: "a", after: time.Hour})
		defer s.store.Close()
		s.Store = &slowToRecord{s.store, time.Hour}
		q := question()
		q.Timeout = orchestrator.MaxTimeout
		asked := time.Now()
		if _, err := s.Ask(t.Context(), q); err == nil {
			t.Error("a model that does not answer gave a decision")
		}
		if took := time.Since(asked); took > 40*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}
