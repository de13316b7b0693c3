package bolt

// Tests of outcomes and sums that only a file has: files of an older program, expiry, and
// what is written.

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"thalas/internal/store"
	"thalas/internal/store/storetest"
)

// A file of an older program has no outcomes. It reads as empty, and gets the buckets when
// it is opened for writing.
func TestOutcomesInAFileOfAnOlderVersion(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	r := sampleResult(t)
	if err := errors.Join(s.Record(t.Context(), &r, store.Count{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket(outcomesBucket), tx.DeleteBucket(unsettledBucket), tx.DeleteBucket(scoresBucket))
	})
	wantEmpty := func(s *Store) {
		t.Helper()
		got, err := s.Result(t.Context(), r.ID)
		if d := diff(r, got, err); d != "" {
			t.Errorf("the result (-want +got):\n%s", d)
		}
		list, err := s.ListUnsettled(t.Context(), "pending#5m", time.Time{}, time.Time{})
		if len(list) > 0 || err != nil {
			t.Errorf("the list: %+v, %v", list, err)
		}
		sums, err := s.Sums(t.Context(), "scores#5m#v1", "", "2026-03-02", "2026-03-02")
		if len(sums) > 0 || err != nil {
			t.Errorf("the sums: %+v, %v", sums, err)
		}
	}
	reader := open(t, path, Options{ReadOnly: true})
	wantEmpty(reader)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	wantSound(t, path)
	s = open(t, path, Options{})
	wantEmpty(s)
	settled := settlementOf(&r)
	if added, err := s.AddOutcomes(t.Context(), []store.Settlement{settled}); added != 1 || err != nil {
		t.Errorf("settled %d, %v", added, err)
	}
	checkConsistent(t, s)

	// An older program has removed the result. Its outcome is never read again.
	other := sampleResult(t)
	other.Unsettled = storetest.EntryOf(&other)
	if err := errors.Join(s.Record(t.Context(), &other, store.Count{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket(resultsBucket).Delete([]byte(other.ID)),
			tx.Bucket(bySeriesBucket).Delete(listKey(other.Series, other.Position)), tx.Bucket(byDayBucket).Delete(listKey(other.Day, other.ID)),
		)
	})
	wantSound(t, path)
	s = open(t, path, Options{})
	if list, err := s.ListUnsettled(t.Context(), "pending#5m", time.Time{}, time.Time{}); len(list) > 0 || err != nil {
		t.Errorf("the list: %+v, %v", list, err)
	}
}

// The sweeper removes outcomes and entries of the list with their results, and sums by
// their own expiry, which a later settlement may have moved.
func TestSweptOutcomes(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	var settled [4]store.Settlement
	for i := range settled {
		r := sampleResult(t)
		settled[i] = settlementOf(&r)
		settled[i].ExpiresAt = []time.Time{past, past, future, past}[i]
		settled[i].Day = []string{"2026-03-01", "2026-03-02", "2026-03-02", "2026-03-03"}[i]
		r.Unsettled, r.ExpiresAt = &settled[i].Unsettled, future.Add(time.Duration(i)*time.Hour)
		if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
			t.Fatal(err)
		}
	}
	if added, err := s.AddOutcomes(t.Context(), settled[:3]); added != 3 || err != nil {
		t.Fatalf("settled %d, %v", added, err)
	}
	checkConsistent(t, s)
	sweep := func(until time.Time) {
		t.Helper()
		if err := s.write(t.Context(), func(tx *transaction) error {
			_, err := tx.sweep(sweepSize, until)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, settled, open, scores int) {
		t.Helper()
		got := checkConsistent(t, s)
		if got.Settled != settled || got.Open != open || got.Scores != scores {
			t.Errorf("%s: %d settled, %d on the list, %d sums; want %d, %d and %d", what, got.Settled, got.Open, got.Scores, settled, open, scores)
		}
	}
	sweep(time.Now())
	want("the sums of one day have expired", 3, 1, 4)
	sweep(future.Add(time.Second))
	want("a result and the other sums have expired", 2, 1, 0)
	sweep(future.AddDate(0, 0, 1))
	want("all has expired", 0, 0, 0)

	// Sums that expire in the same transaction in which they are added to stay.
	r := sampleResult(t)
	late := settlementOf(&r)
	r.Unsettled = &late.Unsettled
	first := late
	first.ID, first.ExpiresAt = uuid.Must(uuid.NewV7()).String(), past
	late.ExpiresAt = future
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Fatal(err)
	}
	err := s.write(t.Context(), func(tx *transaction) error {
		return errors.Join(tx.addScores(first), tx.writeScores())
	})
	err = errors.Join(err, s.write(t.Context(), func(tx *transaction) error {
		_, settling := tx.settle(late)
		_, sweeping := tx.sweep(sweepSize, time.Now())
		return errors.Join(settling, sweeping)
	}))
	if err != nil {
		t.Fatal(err)
	}
	want("added to and swept together", 1, 0, 4)
}

// A settlement that fails changes nothing, not even in memory.
func TestSettlementRolledBack(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	r := sampleResult(t)
	settled := settlementOf(&r)
	r.Unsettled = &settled.Unsettled
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for range 2 {
		err := s.write(t.Context(), func(tx *transaction) error {
			_, err := tx.settle(settled)
			return errors.Join(err, tx.writeScores(), broken)
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	if added, err := s.AddOutcomes(t.Context(), []store.Settlement{settled, settled}); added != 1 || err != nil {
		t.Errorf("settled %d, %v", added, err)
	}
	sums, err := s.Sums(t.Context(), settled.Scores, "", settled.Day, settled.Day)
	if d := diff(settled.Sums, sums, err); d != "" {
		t.Errorf("the sums (-want +got):\n%s", d)
	}
	checkConsistent(t, s)
}
