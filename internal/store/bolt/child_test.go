package bolt

// Tests with other processes. Each is the test binary, started again as a child with a
// role.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/store"
	"thalas/internal/store/storetest"
)

const childRole = "BOLT_TEST_ROLE"

// runChild is the main function of a child. A child exits when its standard input is
// closed.
func runChild(role, path string) int {
	s, err := Open(path, Options{SweepEvery: time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch role {
	case "hold":
		fmt.Println("open")
	case "announce":
		if err := s.Announce("http://127.0.0.1:4711", "planted-token"); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("open")
	case "claim":
		if err := leave(s); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("left")
	case "write":
		for range 8 {
			go recordForEver(s)
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// recordForEver prints the id of each result whose Record has returned, and again with a
// mark when its outcome is stored, which every other of them gets. Every third result has
// expired, so that the sweeper has work; the ids of these are not printed.
func recordForEver(s *Store) {
	for i := 0; ; i++ {
		r := resultOf(uuid.Must(uuid.NewV7()).String())
		settled := settlementOf(&r)
		r.Unsettled = &settled.Unsettled
		count := store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}}
		if i%3 == 2 {
			r.ExpiresAt, count = time.Now().Add(-time.Hour), store.Count{}
		}
		if err := s.Record(context.Background(), &r, count); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if i%3 != 2 {
			fmt.Println(r.ID)
		}
		if i%3 == 1 {
			if added, err := s.AddOutcomes(context.Background(), []store.Settlement{settled}); added != 1 || err != nil {
				fmt.Println(added, err)
				os.Exit(1)
			}
			fmt.Println(settledMark + r.ID)
		}
	}
}

// resultOf makes a result whose fields all follow from its id.
func resultOf(id string) store.Result {
	made := store.MadeAt(id)
	return store.Result{
		ID: id, Schema: 1, Series: "BTC/USDT#5m", Position: store.PositionKey(made.Truncate(5*time.Minute), id), Day: store.DayKey(made, false),
		Decision: "BUY", Status: "complete", CreatedAt: made,
		Body: []byte(strings.Repeat(id, 80)), // about 3 KB
	}
}

const settledMark = "settled "

// settlementOf makes a settlement whose fields all follow from the result.
func settlementOf(r *store.Result) store.Settlement {
	s := store.Settlement{
		Unsettled: *storetest.EntryOf(r), Day: "2026-03-02", Sums: map[string]map[string]float64{"consensus": {"n": 1}, "xai#grok-4": {"n": 1, "moves": 0.25}},
	}
	s.Outcome = []byte(`{"id":"` + r.ID + `"}`)
	return s
}

type child struct {
	command *exec.Cmd
	lines   *bufio.Reader
}

func startChild(t *testing.T, role, path string) *child {
	t.Helper()
	command := exec.Command(os.Args[0], path)
	command.Env = append(os.Environ(), childRole+"="+role)
	command.Stderr = os.Stderr
	if _, err := command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{command: command, lines: bufio.NewReader(output)}
	t.Cleanup(func() { c.kill() })
	return c
}

// line gives the next line that the child prints, and false after the last one.
func (c *child) line() (string, bool) {
	text, err := c.lines.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err == nil
}

// kill kills the child without warning, and gives the lines that it had still printed.
func (c *child) kill() (lines []string) {
	if c.command.ProcessState != nil {
		return nil
	}
	_ = c.command.Process.Kill()
	for {
		text, more := c.line()
		if !more {
			break
		}
		lines = append(lines, text)
	}
	_ = c.command.Wait()
	return lines
}

func TestKilledWhileWriting(t *testing.T) {
	path := tempFile(t)
	var answered []string
	for range 12 {
		c := startChild(t, "write", path)
		for range 1 + rand.IntN(60) {
			id, more := c.line()
			if !store.IsID(strings.TrimPrefix(id, settledMark)) {
				t.Fatalf("the child printed %q (%v)", id, more)
			}
			answered = append(answered, id)
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond) // so that the kill comes at any point of a commit
		answered = append(answered, c.kill()...)
		checkAfterKill(t, path, answered)
	}
	t.Logf("%d results were recorded", len(answered))
}

func checkAfterKill(t *testing.T, path string, answered []string) {
	t.Helper()
	s := open(t, path, Options{})
	defer func() { _ = s.Close() }()
	checked := checkConsistent(t, s)
	listed := map[string]map[string]bool{"series": {}, "day": {}}
	for _, line := range answered {
		id, isSettled := strings.CutPrefix(line, settledMark)
		want := resultOf(id)
		got, err := s.Result(t.Context(), id)
		if outcome := settlementOf(&want).Outcome; isSettled || got.Outcome != nil {
			want.Outcome = outcome
		}
		if d := diff(want, got, err); d != "" {
			t.Fatalf("an answered result (-want +got):\n%s", d)
		}
		if len(listed["series"]) == 0 {
			listAll(t, listed["series"], func(r store.Range) (store.Page, error) { return s.Series(t.Context(), want.Series, r) })
		}
		if !listed["day"][id] { // some results may be made after midnight
			listAll(t, listed["day"], func(r store.Range) (store.Page, error) { return s.Day(t.Context(), want.Day, r) })
		}
		if !listed["series"][id] || !listed["day"][id] {
			t.Fatalf("the answered result %s is not in its series or day", id)
		}
	}
	hours, err := s.Hours(t.Context(), "0000-01-01", "9999-12-31")
	if err != nil {
		t.Fatal(err)
	}
	requests := int64(0)
	for _, hour := range hours {
		requests += hour.Counts["requests"]
	}
	kept := len(listed["series"])
	if requests != int64(kept) {
		t.Fatalf("%d requests are counted and %d results stored", requests, kept)
	}
	open, err := s.ListUnsettled(t.Context(), "pending#5m", time.Time{}, time.Time{})
	if err != nil || len(open)+checked.Settled != kept {
		t.Fatalf("of %d results %d are settled and %d on the list (%v)", kept, checked.Settled, len(open), err)
	}
	n := float64(checked.Settled)
	for _, pair := range []string{"", "BTC/USDT"} {
		got, err := s.Sums(t.Context(), "scores#5m#v1", pair, "2026-03-02", "2026-03-02")
		want := map[string]map[string]float64{"consensus": {"n": n}, "xai#grok-4": {"n": n, "moves": n / 4}}
		if d := diff(want, got, err); n > 0 && d != "" {
			t.Fatalf("the sums of the pair %q (-want +got):\n%s", pair, d)
		}
	}
}

func listAll(t *testing.T, ids map[string]bool, list func(store.Range) (store.Page, error)) {
	t.Helper()
	r := store.Range{Limit: 100}
	for more := true; more; more = r.Before != "" {
		page, err := list(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range page.Results {
			ids[result.ID] = true
		}
		r.Before = page.Next
	}
}

func TestInUseByAnotherProcess(t *testing.T) {
	for _, test := range []struct {
		role, address string
	}{{"hold", ""}, {"announce", "http://127.0.0.1:4711"}} {
		t.Run(test.role, func(t *testing.T) {
			path := tempFile(t)
			c := startChild(t, test.role, path)
			if text, _ := c.line(); text != "open" {
				t.Fatalf("the child printed %q", text)
			}
			for _, readOnly := range []bool{false, true} {
				_, err := Open(path, Options{ReadOnly: readOnly})
				wantInUse(t, err, path, test.address)
			}
			c.kill()
			s := open(t, path, Options{})
			if got, _ := Announced(path); got != "" {
				t.Errorf("the address %s of the killed process was not removed", got)
			}
			checkConsistent(t, s)
		})
	}
}
