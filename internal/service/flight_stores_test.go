package service_test

// Sharing votes over the real stores: DynamoDB Local between processes, and the file.

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

// tables gives a new store in DynamoDB Local.
func tables(t *testing.T) *dynamo.Store {
	server, err := dynamotest.Start(t.Context(), dynamotest.Local)
	if missing := (*dynamotest.NotInstalled)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := server.Client()
	return dynamo.New(client, dynamotest.NewTables(t, client))
}

// mute is [store.Notes] of a process that is killed after it has written one note.
type mute struct {
	store.Notes
	once sync.Once
}

func (m *mute) Replace(ctx context.Context, key, old string, n store.Note) (current store.Note, err error) {
	err = errDown
	m.once.Do(func() { current, err = m.Notes.Replace(ctx, key, old, n) })
	return current, err
}

func TestFourProcessesOnDynamoDB(t *testing.T) {
	s := tables(t)
	processes := func(n int, notes store.Notes, voters ...*voter) (all []fixture) {
		for range n {
			all = append(all, serviceOver(t, service.Options{ShareVotes: service.ShareCaller, Notes: notes}, &faulty{Store: s}, voters...))
		}
		return all
	}
	t.Run("100 questions", func(t *testing.T) {
		voters := []*voter{{name: "a", after: time.Second}, {name: "b", after: time.Second}, {name: "c", after: time.Second}, {name: "d", after: time.Second}}
		weights := func(i int, q *service.Question) { q.Weights = map[string]float64{"a": float64(i) / 100} }
		misses := 0
		for i, o := range askAtOnce(t, processes(4, s, voters...), same(100, weights)...) {
			if o.err != nil || o.Consensus.Responses[0].Weight != float64(i)/100 {
				t.Fatalf("question %d: %+v, %v", i, o.Consensus, o.err)
			}
			if o.Consensus.Cache == signal.CacheMiss {
				misses++
			}
		}
		for _, v := range voters {
			if n := v.asked.Load(); n != 1 || misses != 1 {
				t.Errorf("%s was asked %d times, %d led", v.name, n, misses)
			}
		}
	})
	t.Run("a killed leader", func(t *testing.T) {
		a := &voter{name: "a", after: 300 * time.Millisecond, started: make(chan struct{}, 1)}
		q := question()
		q.CurrentPrice, q.Timeout = signal.NumberOf(1), time.Second
		if _, err := processes(1, &mute{Notes: s}, a)[0].Ask(t.Context(), q); err != nil { // it tells nobody how it ended
			t.Fatal(err)
		}
		<-a.started
		all := same(100, func(_ int, q *service.Question) { q.CurrentPrice = signal.NumberOf(1) })
		for i, o := range askAtOnce(t, processes(4, s, a), all...) {
			if o.err != nil {
				t.Fatalf("question %d: %v", i, o.err)
			}
		}
		if n := a.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want one more", n)
		}
	})
}

func Test64RacersOnTheFile(t *testing.T) {
	a := &voter{name: "a", after: 500 * time.Millisecond}
	s := newService(t, service.Options{ShareVotes: service.ShareCaller}, a)
	for i, o := range askAtOnce(t, []fixture{s}, same(64, nil)...) {
		if o.err != nil {
			t.Errorf("question %d: %v", i, o.err)
		}
	}
	if n := a.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
