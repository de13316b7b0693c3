package storetest

// Claims: every transition from one state of a key to another.

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"thalas/internal/store"
)

var claimTests = []test{
	{"transitions", claimTransitions},
	{"only the owner may change a claim", onlyTheOwners},
	{"many at once", claimAtOnce},
	{"keys that are alike", similarClaimKeys},
}

const key = "idem#SECRET#9f86d081"

// started is the time from which the times of claims and leases count. It is fixed, so
// that two claims that are made by the same call are equal.
var started = time.Now().Truncate(time.Second).UTC()

func fromStart(d time.Duration) time.Time { return started.Add(d) }

// claimOf is a claim that stays in progress throughout the suite.
func claimOf(owner string) store.Claim {
	return store.Claim{Owner: owner, Payload: "sha256:" + owner, Until: fromStart(time.Hour), ExpiresAt: fromStart(2 * time.Hour)}
}

func pastUntil(c store.Claim) store.Claim { c.Until = fromStart(-time.Minute); return c }
func expired(c store.Claim) store.Claim   { c.ExpiresAt = fromStart(-time.Minute); return c }

func take(t *testing.T, s store.Store, key string, c store.Claim) {
	t.Helper()
	if old, err := s.Claim(t.Context(), key, c); err != nil {
		t.Fatalf("claim %s for %s: held by %+v, %v; want it to succeed", key, c.Owner, old, err)
	}
}

// wantHeld wants a claim to hold a key. It shows when its own or another owner claims the
// key.
func wantHeld(t *testing.T, s store.Store, key string, want store.Claim) {
	t.Helper()
	for _, owner := range []string{"somebody", want.Owner} {
		held, err := s.Claim(t.Context(), key, claimOf(owner))
		if !errors.Is(err, store.ErrHeld) {
			t.Errorf("claim %s for %s: %+v, %v; want ErrHeld", key, owner, held, err)
		} else if d := diff(&want, held, nil); d != "" {
			t.Errorf("the claim on %s (-want +got):\n%s", key, d)
		}
	}
}

// wantNotOwner wants Complete and Release to be refused.
func wantNotOwner(t *testing.T, s store.Store, what, key, owner string) {
	t.Helper()
	if err := s.Complete(t.Context(), key, owner, "x"); !errors.Is(err, store.ErrNotOwner) {
		t.Errorf("complete, %s: %v, want ErrNotOwner", what, err)
	}
	if err := s.Release(t.Context(), key, owner); !errors.Is(err, store.ErrNotOwner) {
		t.Errorf("release, %s: %v, want ErrNotOwner", what, err)
	}
}

func claimTransitions(t *testing.T, s store.Store) {
	for _, test := range []struct {
		name     string
		before   store.Claim
		complete bool
		release  bool
		free     bool
		expired  bool
	}{
		{name: "expired a moment ago", before: store.Claim{Owner: "first", ExpiresAt: time.Now().Truncate(time.Second).Add(-time.Millisecond)}, free: true, expired: true},
		{name: "in progress", before: claimOf("first")},
		{name: "in progress past its time", before: pastUntil(claimOf("first")), free: true},
		{name: "completed", before: claimOf("first"), complete: true},
		{name: "completed past its time", before: pastUntil(claimOf("first")), complete: true},
		{name: "released", before: claimOf("first"), release: true, free: true},
		{name: "completed, then released", before: claimOf("first"), complete: true, release: true, free: true},
		{name: "expired in progress", before: expired(claimOf("first")), free: true, expired: true},
		{name: "expired in progress past its time", before: expired(pastUntil(claimOf("first"))), free: true, expired: true},
		{name: "without expiry", before: store.Claim{Owner: "first", Until: fromStart(time.Hour)}},
		{name: "without a time", before: store.Claim{Owner: "first"}, free: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := "idem#" + test.name
			take(t, s, key, test.before)
			current := test.before
			if test.complete {
				current.Result = "the result's id"
				for range 2 { // the answer of the first call may have been lost
					if err := s.Complete(t.Context(), key, "first", current.Result); err != nil {
						t.Fatalf("complete: %v", err)
					}
				}
			}
			if test.release {
				if err := s.Release(t.Context(), key, "first"); err != nil {
					t.Fatalf("release: %v", err)
				}
			}
			if !test.free {
				wantHeld(t, s, key, current)
				return
			}
			second := claimOf("second")
			old, err := s.Claim(t.Context(), key, second)
			var replaced *store.Claim // nil, unless it was in progress
			if !test.release && !test.expired {
				replaced = &current
			}
			if d := diff(replaced, old, err); d != "" {
				t.Errorf("the claim that was replaced (-want +got):\n%s", d)
			}
			wantNotOwner(t, s, test.name, key, "first")
			wantHeld(t, s, key, second)
			if err := s.Complete(t.Context(), key, "second", "another id"); err != nil {
				t.Errorf("complete by the new owner: %v", err)
			}
		})
	}
}

func onlyTheOwners(t *testing.T, s store.Store) {
	take(t, s, key, claimOf("first"))
	take(t, s, "idem#released", claimOf("first"))
	if err := s.Release(t.Context(), "idem#released", "first"); err != nil {
		t.Fatal(err)
	}
	take(t, s, "idem#expired", expired(claimOf("first")))
	for name, target := range map[string]struct{ key, owner string }{
		"somebody else":         {key, "second"},
		"nobody":                {key, ""},
		"part of the owner":     {key, "firs"},
		"a key without a claim": {"idem#unknown", "first"},
		"no key":                {"", "first"},
		"a released claim":      {"idem#released", "first"},
		"an expired claim":      {"idem#expired", "first"},
		"a very long key":       {strings.Repeat("x", 40_000), "first"},
		"the key's beginning":   {key[:8], "first"},
	} {
		wantNotOwner(t, s, name, target.key, target.owner)
	}
	wantHeld(t, s, key, claimOf("first"))
}

func claimAtOnce(t *testing.T, s store.Store) {
	for name, prepare := range map[string]func(key string){
		"free":    func(string) {},
		"overdue": func(key string) { take(t, s, key, pastUntil(claimOf("late"))) },
		"expired": func(key string) { take(t, s, key, expired(claimOf("late"))) },
	} {
		key := "flight#" + name
		prepare(key)
		var mu sync.Mutex
		var winners []string
		seen := map[string]bool{}
		atOnce(24, func(i int) {
			owner := fmt.Sprintf("owner %d", i)
			held, err := s.Claim(t.Context(), key, claimOf(owner))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				winners = append(winners, owner)
			case errors.Is(err, store.ErrHeld):
				seen[held.Owner] = true
			default:
				t.Errorf("%s: %v", name, err)
			}
		})
		if len(winners) != 1 || len(seen) != 1 || !seen[winners[0]] {
			t.Errorf("%s: %d claims succeeded (%v), and the others saw %v; want one, seen by all", name, len(winners), winners, seen)
		}
	}
}

func similarClaimKeys(t *testing.T, s store.Store) {
	for _, key := range []string{"idem#a", "idem#a#", "idem#", "idem#ä\x00", "idem#ä", "flight#a", "idem#" + strings.Repeat("k", 300)} {
		take(t, s, key, claimOf("first"))
	}
}
