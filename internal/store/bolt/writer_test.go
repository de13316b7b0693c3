package bolt

// Tests of the writer: group commits, contexts that end, and Close.

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	berrors "go.etcd.io/bbolt/errors"

	"thalas/internal/store"
)

// holdUp keeps the writer from committing until letGo is called.
func holdUp(t *testing.T, s *Store) (letGo func()) {
	t.Helper()
	tx, err := s.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// commits gives the number of commits since the file was made.
func commits(t *testing.T, s *Store) (count int) {
	t.Helper()
	err := s.view(t.Context(), func(t *transaction) error {
		count = t.tx.ID()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// waitQueued waits until that many operations are in the queue.
func waitQueued(s *Store, count int) {
	for len(s.queue) != count {
		runtime.Gosched()
	}
}

// occupy has the writer take one operation while it is held up, so that the operations
// after it form one group.
func occupy(t *testing.T, s *Store) (done <-chan error) {
	t.Helper()
	op := &operation{ctx: context.Background(), change: func(*transaction) error { return nil }, done: make(chan error, 1)}
	if err := s.enqueue(op); err != nil {
		t.Fatal(err)
	}
	for op.state.Load() != taken {
		runtime.Gosched()
	}
	return op.done
}

func TestGroupCommit(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	before := commits(t, s)
	letGo := holdUp(t, s)
	first := occupy(t, s)
	const writers = 200
	errs := make(chan error, writers)
	ids := make(chan string, writers)
	for range writers {
		go func() {
			r := sampleResult(t)
			err := s.Record(context.Background(), &r, store.Count{At: anyTime, Add: map[string]int64{"requests": 1}})
			errs <- err
			ids <- r.ID
		}()
	}
	waitQueued(s, writers)
	select {
	case err := <-errs:
		t.Errorf("answered before the commit: %v", err)
	default:
	}
	letGo()
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
		if _, err := s.Result(t.Context(), <-ids); err != nil {
			t.Errorf("can not be read after Record: %v", err)
		}
	}
	if got := commits(t, s) - before; got != 1 {
		t.Errorf("%d commits for %d writers that waited together, want 1", got, writers)
	}
	hours, err := s.Hours(t.Context(), "2026-03-02", "2026-03-02")
	want := []store.Hour{{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": writers}}}
	if d := diff(want, hours, err); d != "" {
		t.Errorf("hours (-want +got):\n%s", d)
	}
	checkConsistent(t, s)
}

// An operation that fails or is refused changes nothing, and does not affect the others of
// its group.
func TestFailureInGroup(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	boom := errors.New("boom")
	letGo := holdUp(t, s)
	first := occupy(t, s)
	type outcome struct{ got, want error }
	outcomes := make(chan outcome, 30)
	for i := range 10 {
		go func() {
			r := sampleResult(t)
			outcomes <- outcome{s.Record(context.Background(), &r, store.Count{At: anyTime, Add: map[string]int64{"requests": 1}}), nil}
		}()
		go func() {
			outcomes <- outcome{s.Complete(context.Background(), "idem#unknown", "nobody", "x"), store.ErrNotOwner}
		}()
		go func() {
			outcomes <- outcome{s.write(context.Background(), func(t *transaction) error {
				err := t.count(store.Count{At: anyTime, Add: map[string]int64{"requests": 1000}})
				return errors.Join(err, t.put(claimsBucket, []byte{byte('a' + i)}, []byte("half")), boom)
			}), boom}
		}()
	}
	waitQueued(s, 30)
	letGo()
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range 30 {
		if o := <-outcomes; !errors.Is(o.got, o.want) {
			t.Errorf("answered %v, want %v", o.got, o.want)
		}
	}
	hours, err := s.Hours(t.Context(), "2026-03-02", "2026-03-02")
	want := []store.Hour{{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 10}}}
	if d := diff(want, hours, err); d != "" {
		t.Errorf("hours (-want +got):\n%s", d)
	}
	checkConsistent(t, s)
}

func TestRefusalsNeedNoCommit(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	before := commits(t, s)
	if err := s.Release(t.Context(), "idem#unknown", "nobody"); !errors.Is(err, store.ErrNotOwner) {
		t.Errorf("release: %v", err)
	}
	if _, err := s.Reserve(t.Context(), store.Lease{Key: "budget#today", Amount: 2}, 1); !errors.Is(err, store.ErrLimit) {
		t.Errorf("reserve: %v", err)
	}
	if removed, err := s.Sweep(t.Context()); removed != 0 || err != nil {
		t.Errorf("sweep: %d, %v", removed, err)
	}
	if got := commits(t, s) - before; got != 0 {
		t.Errorf("%d commits for nothing", got)
	}
}

// If a commit fails, every operation of its group gives the error, and none is stored.
func TestFailedCommit(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	letGo := holdUp(t, s)
	s.db.MaxSize = 64 << 10 // as if the disk were full
	letGo()
	r := sampleResult(t)
	r.Body = make([]byte, 1<<20)
	if err := s.Record(t.Context(), &r, store.Count{}); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Errorf("record: %v, want the disk's error", err)
	}
	if _, err := s.Result(t.Context(), r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("result: %v, want ErrNotFound", err)
	}
	r.Body = []byte("{}")
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Errorf("the next, which has room: %v", err)
	}
	checkConsistent(t, s)
}

func TestContextEndsWhileWaiting(t *testing.T) {
	path := tempFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, Options{})
		defer func() { _ = s.Close() }()
		takenCtx, cancelTaken := context.WithCancel(t.Context())
		queuedCtx, cancelQueued := context.WithCancel(t.Context())
		proceed, first := make(chan bool), make(chan error, 1)
		go func() {
			first <- s.write(takenCtx, func(t *transaction) error {
				<-proceed
				return t.writeJSON(sumsBucket, []byte("taken"), sum{Sum: 1})
			})
		}()
		synctest.Wait() // until the writer has taken the operation
		queued, other := make(chan error, 1), make(chan error, 1)
		for _, spend := range []struct {
			ctx  context.Context
			key  string
			done chan error
		}{{queuedCtx, "queued", queued}, {t.Context(), "other", other}} {
			go func() {
				spend.done <- spendOn(spend.ctx, s, spend.key)
			}()
		}
		synctest.Wait()
		cancelTaken()
		cancelQueued()
		synctest.Wait()
		if err := <-queued; !errors.Is(err, context.Canceled) {
			t.Errorf("still waiting: %v, want its context's end at once", err)
		}
		if len(first) != 0 {
			t.Errorf("taken: answered %v before its end", <-first)
		}
		close(proceed)
		if err := errors.Join(<-first, <-other); err != nil {
			t.Errorf("taken, and not cancelled: %v, want success", err)
		}
		for key, want := range map[string]int64{"taken": 1, "queued": 0, "other": 1} {
			spendAt(t, s, key, 0, want, time.Time{})
		}
	})
}

func TestContextEndsWhileQueueIsFull(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	letGo := holdUp(t, s)
	occupied := occupy(t, s)
	var all sync.WaitGroup
	for range queueLength {
		all.Go(func() {
			if err := spendOn(context.Background(), s, "sum"); err != nil {
				t.Errorf("spend: %v", err)
			}
		})
	}
	waitQueued(s, queueLength)
	ctx, cancel := context.WithCancel(t.Context())
	blocked := make(chan error, 1)
	go func() {
		blocked <- spendOn(ctx, s, "sum")
	}()
	cancel()
	if err := <-blocked; !errors.Is(err, context.Canceled) {
		t.Errorf("behind a full queue: %v, want its context's end", err)
	}
	letGo()
	all.Wait()
	if err := <-occupied; err != nil {
		t.Error(err)
	}
	spendAt(t, s, "sum", 0, queueLength, time.Time{})
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{SweepEvery: time.Hour})
	letGo := holdUp(t, s)
	occupied := occupy(t, s)
	answers := make(chan error, 50)
	for range cap(answers) {
		go func() {
			answers <- spendOn(context.Background(), s, "sum")
		}()
	}
	waitQueued(s, cap(answers))
	closed := make(chan error, 2)
	for range cap(closed) {
		go func() { closed <- s.Close() }()
	}
	for s.unusable() == nil {
		runtime.Gosched()
	}
	if err := spendOn(t.Context(), s, "sum"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
	letGo()
	for range cap(answers) {
		if err := <-answers; err != nil {
			t.Errorf("queued before Close: %v", err)
		}
	}
	if err := errors.Join(<-occupied, <-closed, <-closed); err != nil {
		t.Error(err)
	}
	spendAt(t, open(t, path, Options{}), "sum", 0, int64(cap(answers)), time.Time{})
}

// Records expire by the clock, and the sweeper removes them.
func TestExpiryAndSweeper(t *testing.T) {
	path := tempFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, Options{SweepEvery: time.Hour})
		defer func() { _ = s.Close() }()
		ends := time.Now().Add(30 * time.Minute)
		keep := sampleResult(t)
		count := store.Count{At: anyTime, Add: map[string]int64{"requests": 1}, ExpiresAt: ends}
		for range 2*sweepSize + 7 {
			r := sampleResult(t)
			r.ExpiresAt = ends
			if err := s.Record(t.Context(), &r, count); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Record(t.Context(), &keep, store.Count{}); err != nil {
			t.Fatal(err)
		}
		c := store.Claim{Owner: "first", Until: time.Now().Add(10 * time.Minute), ExpiresAt: ends}
		claimAt(t, s, c, true)
		spendAt(t, s, "budget#today", 5, 5, ends)

		time.Sleep(10 * time.Minute)
		claimAt(t, s, c, false) // Until itself belongs to the claim
		time.Sleep(time.Millisecond)
		claimAt(t, s, store.Claim{Owner: "second", Until: ends.Add(time.Hour), ExpiresAt: ends}, true)

		time.Sleep(time.Until(ends))
		stats := expiring(t, s)
		claimAt(t, s, c, false)
		if page, err := s.Series(t.Context(), keep.Series, store.Range{Limit: 1000}); len(page.Results) != 2*sweepSize+8 || err != nil {
			t.Errorf("%d results at the millisecond of their expiry, %v", len(page.Results), err)
		}
		time.Sleep(time.Millisecond)
		if page, err := s.Series(t.Context(), keep.Series, store.Range{Limit: 1000}); len(page.Results) != 1 || err != nil {
			t.Errorf("%d results after their expiry, %v", len(page.Results), err)
		}
		if hours, err := s.Hours(t.Context(), "2026-03-02", "2026-03-02"); len(hours) != 0 || err != nil {
			t.Errorf("hours after their expiry: %v, %v", hours, err)
		}
		if got := expiring(t, s); got != stats {
			t.Errorf("%d records, want the %d that are not swept yet", got, stats)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := expiring(t, s); got != 0 {
			t.Errorf("%d records are left after the sweep", got)
		}
		if _, err := s.Result(t.Context(), keep.ID); err != nil {
			t.Errorf("what does not expire: %v", err)
		}
		checkConsistent(t, s)
		claimAt(t, s, c, true)
		spendAt(t, s, "budget#today", 1, 1, ends.Add(24*time.Hour))
	})
}

// A new count does not continue counters that were swept, although the writer keeps hours in
// memory.
func TestCountAfterSweep(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	one := map[string]int64{"requests": 1}
	if err := s.Record(t.Context(), nil, store.Count{At: anyTime, Add: one, ExpiresAt: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if removed, err := s.Sweep(t.Context()); removed != 1 || err != nil {
		t.Fatalf("swept %d, %v; want 1", removed, err)
	}
	if err := s.Record(t.Context(), nil, store.Count{At: anyTime, Add: one}); err != nil {
		t.Fatal(err)
	}
	hours, err := s.Hours(t.Context(), "2026-03-02", "2026-03-02")
	if d := diff([]store.Hour{{Day: "2026-03-02", Hour: "05", Counts: one}}, hours, err); d != "" {
		t.Errorf("hours (-want +got):\n%s", d)
	}
	checkConsistent(t, s)
}

// A count that comes in one transaction with the sweep of its hour is not lost: it gives the
// hour a later expiry.
func TestCountedAndSweptTogether(t *testing.T) {
	s := open(t, tempFile(t), Options{})
	count := store.Count{At: anyTime, Add: map[string]int64{"requests": 1}, ExpiresAt: time.Now().Add(-time.Hour)}
	if err := s.Record(t.Context(), nil, count); err != nil {
		t.Fatal(err)
	}
	count.ExpiresAt = time.Now().Add(time.Hour)
	err := s.write(t.Context(), func(tx *transaction) error {
		counted := tx.count(count)
		_, swept := tx.sweep(sweepSize, time.Now())
		return errors.Join(counted, swept)
	})
	if err != nil {
		t.Fatal(err)
	}
	hours, err := s.Hours(t.Context(), "2026-03-02", "2026-03-02")
	if d := diff([]store.Hour{{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 2}}}, hours, err); d != "" {
		t.Errorf("hours (-want +got):\n%s", d)
	}
	checkConsistent(t, s)
}

func claimAt(t *testing.T, s *Store, c store.Claim, want bool) {
	t.Helper()
	old, err := s.Claim(t.Context(), "idem#key", c)
	if held := errors.Is(err, store.ErrHeld); held == want || err != nil && !held {
		t.Errorf("claim for %s: %+v, %v; want success %v", c.Owner, old, err, want)
	}
}

// spendOn adds 1 to the sum of a key.
func spendOn(ctx context.Context, s *Store, key string) error {
	return s.Settle(ctx, store.Lease{Key: key}, 1)
}

// spendAt adds an amount to a sum, and wants a total.
func spendAt(t *testing.T, s *Store, key string, amount, want int64, expires time.Time) {
	t.Helper()
	err := s.Settle(t.Context(), store.Lease{Key: key, ExpiresAt: expires}, amount)
	got, failed := s.Spending(t.Context(), key)
	if err := errors.Join(err, failed); got.Spent != want || err != nil {
		t.Errorf("spend on %s: %+v, %v; want %d", key, got, err, want)
	}
}

// expiring counts the records with an expiry, expired or not.
func expiring(t *testing.T, s *Store) (count int) {
	t.Helper()
	err := s.view(t.Context(), func(t *transaction) error {
		count = t.tx.Bucket(expiryBucket).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}
