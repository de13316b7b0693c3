package bolt

// Tests of the claims and leases that a killed process leaves in the file.

import (
	"context"
	"errors"
	"testing"
	"time"

	"thalas/internal/store"
)

// left holds what the child with the role "claim" leaves in the file. Its times are in the
// far future.
var left = struct {
	claim, answered store.Claim
	lease, settled  store.Lease
}{
	claim:    store.Claim{Owner: "dead", Payload: "payload", Until: inYears(1), ExpiresAt: inYears(2)},
	answered: store.Claim{Owner: "dead", Payload: "payload", Until: inYears(1), ExpiresAt: inYears(2)},
	lease:    store.Lease{Key: "budget#today", Amount: 70, Until: inYears(1), ExpiresAt: inYears(2)},
	settled:  store.Lease{Key: "budget#today", Amount: 30, Until: inYears(1), ExpiresAt: inYears(2)},
}

// inYears gives a time in the far future, which is the same in the child.
func inYears(n int) time.Time { return time.Date(2100+n, 1, 1, 0, 0, 0, 0, time.UTC) }

// leave makes the claims and leases of a process that is killed during its runs.
func leave(s *Store) error {
	ctx := context.Background()
	_, one := s.Claim(ctx, "idem#open", left.claim)
	_, two := s.Claim(ctx, "idem#answered", left.answered)
	_, three := s.Reserve(ctx, left.lease, 100)
	_, four := s.Reserve(ctx, left.settled, 100)
	return errors.Join(one, two, three, four,
		s.Complete(ctx, "idem#answered", "dead", "the result"), s.Settle(ctx, left.settled, 12))
}

func TestKilledWithClaimsAndLeases(t *testing.T) {
	path := tempFile(t)
	c := startChild(t, "claim", path)
	if text, _ := c.line(); text != "left" {
		t.Fatalf("the child said %q", text)
	}
	c.kill()
	wantFreed(t, path)
}

// Claims and leases of an older version, which does not name the opening of the file, are
// free too.
func TestClaimsOfAnOlderVersion(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	if err := leave(s); err != nil {
		t.Fatal(err)
	}
	err := s.write(t.Context(), func(t *transaction) error {
		var c claim
		var spent sum
		_, one := t.readJSON(claimsBucket, []byte("idem#open"), &c)
		_, two := t.readJSON(sumsBucket, []byte(left.lease.Key), &spent)
		c.Opening, spent.Opening = "", ""
		return errors.Join(one, two, t.writeJSON(claimsBucket, []byte("idem#open"), c), t.writeJSON(sumsBucket, []byte(left.lease.Key), spent))
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	wantFreed(t, path)
}

// In a sum of a version without leases, what was reserved counts as spent.
func TestSumOfAnOlderVersion(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	if err := s.write(t.Context(), func(t *transaction) error {
		return t.put(sumsBucket, []byte("budget#today"), []byte(`{"sum":60}`))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(t.Context(), store.Lease{Key: "budget#today", Amount: 41, Until: inYears(1)}, 100); !errors.Is(err, store.ErrLimit) {
		t.Errorf("reserved more than is left: %v", err)
	}
	spendAt(t, s, "budget#today", 40, 100, time.Time{})
}

// wantFreed opens a file for reading and for writing, and wants what was left in it to be
// free.
func wantFreed(t *testing.T, path string) {
	t.Helper()
	wantSpent := func(s *Store) {
		t.Helper()
		if got, err := s.Spending(t.Context(), left.lease.Key); got != (store.Sum{Spent: 12}) || err != nil {
			t.Errorf("spending: %+v, %v; want 12 spent", got, err)
		}
	}
	reader := open(t, path, Options{ReadOnly: true})
	wantSpent(reader)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}

	s := open(t, path, Options{})
	wantSpent(s)
	if _, err := s.Reserve(t.Context(), store.Lease{Key: left.lease.Key, Amount: 88, Until: inYears(1), ExpiresAt: inYears(2)}, 100); err != nil {
		t.Errorf("reserve what the dead process held: %v", err)
	}
	mine := store.Claim{Owner: "mine", Payload: "payload", Until: inYears(1), ExpiresAt: inYears(2)}
	// The whole claim is given, because its owner may have stored a result.
	want := left.claim
	want.Until = time.Time{}
	old, err := s.Claim(t.Context(), "idem#open", mine)
	if d := diff(&want, old, err); d != "" {
		t.Errorf("the replaced claim (-want +got):\n%s", d)
	}
	if err := s.Complete(t.Context(), "idem#open", "dead", "x"); !errors.Is(err, store.ErrNotOwner) {
		t.Errorf("completed by the dead owner: %v", err)
	}
	if _, err := s.Claim(t.Context(), "idem#open", mine); !errors.Is(err, store.ErrHeld) {
		t.Errorf("the claim of this process: %v, want ErrHeld", err)
	}
	answered := left.answered
	answered.Result = "the result"
	held, err := s.Claim(t.Context(), "idem#answered", mine)
	if d := diff(&answered, held, nil); d != "" || !errors.Is(err, store.ErrHeld) {
		t.Errorf("what was answered: %v (-want +got):\n%s", err, d)
	}
	checkConsistent(t, s)
}
