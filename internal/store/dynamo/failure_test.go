package dynamo_test

// Tests with tables that are missing, throttled or unreachable, and with lost answers.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

var named = dynamo.Tables{Results: "the-results", Metrics: "the-metrics", Coordination: "the-coordination"}

// settlementOf settles a result that was recorded with its entry of the list.
func settlementOf(r *store.Result) store.Settlement {
	entry := *storetest.EntryOf(r)
	entry.Outcome = []byte(`{}`)
	return store.Settlement{Unsettled: entry, Day: "2026-03-02", Sums: map[string]map[string]float64{"consensus": {"n": 1, "moves": .5}, "xai#grok-4": {"n": 1}}}
}

func TestMissingTables(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st := dynamo.New(server.Client(), named)
		r := resultAt(opening)
		r.Body = []byte("SECRET BODY")
		for name, err := range storetest.CallAll(t.Context(), st, r) {
			table := named.Results
			switch name {
			case "Count", "Hours", "ListUnsettled", "Sums":
				table = named.Metrics
			case "Claim", "Complete", "Release", "Reserve", "Settle", "Spending":
				table = named.Coordination
			}
			wantTable(t, name, err, table)
			for _, verdict := range []error{store.ErrNotFound, store.ErrNotOwner, store.ErrLimit, store.ErrCursor} {
				if errors.Is(err, verdict) {
					t.Errorf("%s: %v, which only a table can know", name, err)
				}
			}
		}
		_, err := st.Result(t.Context(), r.ID)
		if !strings.Contains(err.Error(), "there is no table the-results") {
			t.Errorf("error = %v, want one that says that the table does not exist", err)
		}
	})
}

// A result and its count are two writes. If one fails, the error says which, and the other
// is stored.
func TestHalfRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		client := server.Client()
		tables := dynamotest.NewTables(t, client)
		count := store.Count{At: opening, Add: map[string]int64{"requests": 1}}
		r := resultAt(opening)

		noMetrics := dynamo.New(client, dynamo.Tables{Results: tables.Results, Metrics: named.Metrics})
		err := noMetrics.Record(t.Context(), r, count)
		if err == nil || !strings.Contains(err.Error(), "count the run") || strings.Contains(err.Error(), "store the result") {
			t.Errorf("without Metrics: %v, want an error about the count", err)
		}
		if _, err := noMetrics.Result(t.Context(), r.ID); err != nil {
			t.Errorf("the result: %v", err)
		}
		pending := resultAt(opening)
		settled := settlementOf(pending)
		pending.Unsettled = &settled.Unsettled
		err = noMetrics.Record(t.Context(), pending, store.Count{})
		wantTable(t, "without the list", err, named.Metrics)
		// A retry that looks for the result first must not find one that is on no list.
		if _, err := noMetrics.Result(t.Context(), pending.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the result that is on no list: %v, want ErrNotFound", err)
		}
		whole := dynamo.New(client, tables)
		if err := whole.Record(t.Context(), pending, store.Count{}); err != nil {
			t.Errorf("recorded again: %v", err)
		}
		list, err := whole.ListUnsettled(t.Context(), pending.Unsettled.Group, time.Time{}, time.Time{})
		if err != nil || len(list) != 1 || list[0].ID != pending.ID {
			t.Errorf("the list: %+v, %v; want the result that was recorded again", list, err)
		}

		noResults := dynamo.New(client, dynamo.Tables{Results: named.Results, Metrics: tables.Metrics})
		err = noResults.Record(t.Context(), r, count)
		if err == nil || !strings.Contains(err.Error(), "store the result") || strings.Contains(err.Error(), "count the run") {
			t.Errorf("without Results: %v, want an error about the result", err)
		}
		if hours, err := noResults.Hours(t.Context(), "2026-03-02", "2026-03-02"); err != nil || len(hours) != 1 || hours[0].Counts["requests"] != 1 {
			t.Errorf("the hours: %+v, %v; want the run that was paid for", hours, err)
		}
	})
}

const throttled = `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`

// endpoint starts a server, and gives a client of it. The answer may depend on the number
// of the request, from 1.
func endpoint(t *testing.T, answer func(number int64, w http.ResponseWriter, r *http.Request)) *dynamodb.Client {
	t.Helper()
	var number atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		answer(number.Add(1), w, r)
	}))
	t.Cleanup(server.Close)
	return dynamotest.Client(server.URL, server.Client(), dynamo.Retrying)
}

func throttle(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, throttled)
}

func TestThrottledForAMoment(t *testing.T) {
	client := endpoint(t, func(number int64, w http.ResponseWriter, _ *http.Request) {
		if number <= 3 {
			throttle(w)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	st := dynamo.New(client, named)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := st.Record(ctx, resultAt(opening), store.Count{}); err != nil {
		t.Errorf("throttled three times: %v, want success", err)
	}
}

// A transaction that meets others on its items is made again. One whose request is wrong is not.
func TestTransactionConflicts(t *testing.T) {
	for _, test := range []struct {
		code     string
		requests int64
		added    int
	}{{"TransactionConflict", 4, 1}, {"ThrottlingError", 4, 1}, {"ValidationError", 1, 0}} {
		t.Run(test.code, func(t *testing.T) {
			var last atomic.Int64
			client := endpoint(t, func(number int64, w http.ResponseWriter, _ *http.Request) {
				last.Store(number)
				if number <= 3 {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled [`+test.code+`]",
						"CancellationReasons":[{"Code":"None"},{"Code":"`+test.code+`"}]}`)
					return
				}
				_, _ = io.WriteString(w, `{}`)
			})
			added, err := dynamo.New(client, named).AddOutcomes(t.Context(), []store.Settlement{settlementOf(resultAt(opening))})
			if added != test.added || last.Load() != test.requests {
				t.Errorf("added %d by %d requests, %v; want %d by %d", added, last.Load(), err, test.added, test.requests)
			}
			if test.added == 0 {
				wantTable(t, "refused", err, named.Results)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestThrottledForGood(t *testing.T) {
	client := endpoint(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { throttle(w) })
	st := dynamo.New(client, named)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			err := st.Record(ctx, resultAt(opening), store.Count{})
			wantTable(t, "record", err, named.Results)
			if err != nil && !strings.Contains(err.Error(), "ProvisionedThroughputExceededException") {
				t.Errorf("error = %v, want the reason", err)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		t.Error("it retried to the end of the context")
	}
}

// Unprocessed keys are requested again until the context ends.
func TestNothingProcessed(t *testing.T) {
	id := resultAt(opening).ID
	position := store.PositionKey(opening, id)
	ctx, cancel := context.WithCancel(t.Context())
	client := endpoint(t, func(number int64, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query") {
			_, _ = io.WriteString(w, `{"Items":[{"id":{"S":"`+id+`"},"position":{"S":"`+position+`"},"series":{"S":"`+series+`"}}]}`)
			return
		}
		if number == 4 {
			cancel()
		}
		_, _ = io.WriteString(w, `{"Responses":{},"UnprocessedKeys":{"the-results":{"Keys":[{"id":{"S":"`+id+`"}}]}}}`)
	})
	_, err := dynamo.New(client, named).Latest(ctx, series)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("latest: %v, want %v", err, context.Canceled)
	}
	wantTable(t, "latest", err, named.Results)
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	client := &http.Client{Transport: &http.Transport{}}
	st := dynamo.New(dynamotest.Client("http://"+address, client, dynamo.Retrying), named)
	err = st.Record(t.Context(), resultAt(opening), store.Count{At: opening, Add: map[string]int64{"requests": 1}})
	wantTable(t, "record", err, named.Results)
	wantTable(t, "record", err, named.Metrics)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("record: %v, want %v", err, syscall.ECONNREFUSED)
	}
	_, err = st.Reserve(t.Context(), store.Lease{Key: "budget#SECRET", Amount: 1}, 10)
	wantTable(t, "reserve", err, named.Coordination)
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := endpoint(t, func(number int64, _ http.ResponseWriter, r *http.Request) {
		if number == 2 { // both writes wait for their answers
			cancel()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	st := dynamo.New(client, named)
	err := st.Record(ctx, resultAt(opening), store.Count{At: opening, Add: map[string]int64{"requests": 1}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("record: %v, want %v", err, context.Canceled)
	}
	wantTable(t, "record", err, named.Results)
	wantTable(t, "record", err, named.Metrics)
}

// losing sends requests, and loses one answer after each lose.Store(true).
type losing struct {
	*dynamotest.Server
	lost atomic.Int64
	lose atomic.Bool
}

func (l *losing) Do(request *http.Request) (*http.Response, error) {
	answer, err := l.Server.Do(request)
	if err == nil && l.lose.CompareAndSwap(true, false) {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		l.lost.Add(1)
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return answer, err
}

func TestLostAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		tables := dynamotest.NewTables(t, server.Client())
		sender := &losing{Server: server}
		st := dynamo.New(dynamotest.Client(server.URL, sender, dynamo.Retrying), tables)
		later := time.Now().Add(time.Hour)

		sender.lose.Store(true)
		if held, err := st.Claim(t.Context(), "idem#a", store.Claim{Owner: "first", Until: later, ExpiresAt: later}); held != nil || err != nil {
			t.Errorf("claim: held by %+v, %v; want it to be mine", held, err)
		}
		sender.lose.Store(true)
		if err := st.Complete(t.Context(), "idem#a", "first", "x"); err != nil {
			t.Errorf("complete: %v", err)
		}
		lease := store.Lease{Key: "budget#a", Until: later}
		for _, step := range []struct {
			name                    string
			reserved, settled, cost int64 // a step either reserves or settles
			expiry                  int64
			wantSpent, wantReserved int64
		}{
			{name: "at first", reserved: 7, expiry: -1},
			{name: "anew", reserved: 5, expiry: 1, wantReserved: 5},
			{name: "more", reserved: 95, expiry: 1, wantReserved: 100},
			{name: "back", settled: 60, cost: 20, expiry: 1, wantSpent: 20, wantReserved: 40},
			{name: "the last", settled: 40, cost: 1, expiry: 1, wantSpent: 21},
			{name: "without a lease", cost: 3, expiry: 1, wantSpent: 24},
			{name: "for the last time", cost: 3, expiry: -1},
			{name: "a cost anew", cost: 4, expiry: 1, wantSpent: 4},
		} {
			sender.lose.Store(true)
			lease.Amount, lease.ExpiresAt = step.reserved+step.settled, time.Now().Add(time.Duration(step.expiry)*time.Hour)
			var err error
			if step.reserved > 0 {
				_, err = st.Reserve(t.Context(), lease, 100)
			} else {
				err = st.Settle(t.Context(), lease, step.cost)
			}
			got, failed := st.Spending(t.Context(), lease.Key)
			if want := (store.Sum{Spent: step.wantSpent, Reserved: step.wantReserved}); got != want || errors.Join(err, failed) != nil {
				t.Errorf("%s: %+v, %v; want %+v", step.name, got, errors.Join(err, failed), want)
			}
		}
		r := resultAt(opening)
		sender.lose.Store(true)
		if err := st.Record(t.Context(), r, store.Count{}); err != nil {
			t.Errorf("record: %v", err)
		}
		if _, err := st.Result(t.Context(), r.ID); err != nil {
			t.Errorf("result: %v", err)
		}
		settled := settlementOf(r)
		for _, step := range []func() error{
			func() error { return st.NoteUnsettled(t.Context(), []store.Unsettled{settled.Unsettled}) },
			func() error { _, err := st.AddOutcomes(t.Context(), []store.Settlement{settled}); return err },
		} {
			sender.lose.Store(true)
			if err := step(); err != nil {
				t.Error(err)
			}
		}
		sums, err := st.Sums(t.Context(), settled.Scores, "", settled.Day, settled.Day)
		if d := cmp.Diff(settled.Sums, sums); d != "" || err != nil {
			t.Errorf("the sums: %v (-want +got):\n%s", err, d)
		}
		if got := sender.lost.Load(); got != 13 {
			t.Errorf("%d answers were lost, want 13", got)
		}
	})
}

// If many reservations find the same expired sum, it is replaced once.
func TestExpiredSumStartsAnewOnce(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, _ := open(t, server)
		lease := store.Lease{Key: "budget#a", Amount: 290, Until: time.Now().Add(time.Hour), ExpiresAt: time.Now().Add(-time.Hour)}
		if _, err := st.Reserve(t.Context(), lease, 300); err != nil {
			t.Fatal(err)
		}
		lease.Amount, lease.ExpiresAt = 30, time.Now().Add(time.Hour)
		var all sync.WaitGroup
		var succeeded atomic.Int64
		for range 40 {
			all.Go(func() {
				got, err := st.Reserve(t.Context(), lease, 320)
				switch {
				case got.Reserved > 320:
					t.Errorf("a sum of %+v", got)
				case err == nil:
					succeeded.Add(1)
				case !errors.Is(err, store.ErrLimit):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got, err := st.Spending(t.Context(), lease.Key); got.Reserved != 300 || err != nil || succeeded.Load() != 10 {
			t.Errorf("%d reservations of 30 succeeded and the sum is %+v, %v; want 10 and 300", succeeded.Load(), got, err)
		}
	})
}
