package main

// The data file is damaged while the server has it open: no room, cut, overwritten, removed.
// In another scenario it has results with dates of a wrong clock.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"thalas/e2e/process"
)

// harm is one way to damage the data file of a running server. If the room is limited from
// the start, the wrapper of the server does that, and do is nil.
type harm struct {
	name    string
	wrapper string
	do      func(file string, content []byte) error
	intact  bool // the file stays valid, and is opened again
}

var harms = []harm{
	{name: "no room: the file may not grow beyond 1 MiB", wrapper: `ulimit -f 2048 && exec "$@"`, intact: true}, // blocks of 512 bytes
	{name: "no room: the disk of 1 MiB is full", wrapper: `exec unshare -rm sh -c 'mount -t tmpfs -o size=1m tmpfs "$(dirname "$DATA_FILE")" && exec "$0" "$@"' "$@"`},
	{name: "cut to 4 KiB", do: func(file string, _ []byte) error { return os.Truncate(file, 4096) }},
	{name: "cut to half", do: func(file string, content []byte) error { return os.Truncate(file, int64(len(content)/2)) }},
	{name: "cut to nothing", do: func(file string, _ []byte) error { return os.Truncate(file, 0) }},
	{name: "overwritten with noise", do: func(file string, content []byte) error {
		_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
		return overwrite(file, content)
	}},
	{name: "overwritten with zeros", do: func(file string, content []byte) error { return overwrite(file, make([]byte, len(content))) }},
	{name: "removed", do: func(file string, _ []byte) error { return os.Remove(file) }},
	{name: "replaced by a copy", do: func(file string, content []byte) error {
		return errors.Join(os.WriteFile(file+".copy", content, 0o600), os.Rename(file+".copy", file))
	}},
}

// overwrite writes into the existing file, as a program would that was given the wrong path.
func overwrite(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	return errors.Join(err, f.Close())
}

func (c *chaos) damage() {
	rows := make([][]any, len(harms))
	c.parallel(len(harms), 3, func(i int) { rows[i] = c.harmed(harms[i]) })
	for _, row := range rows {
		c.row(row...)
	}
}

func (c *chaos) harmed(h harm) (row []any) {
	if strings.Contains(h.wrapper, "unshare") && exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", c.folder).Run() != nil {
		return []any{h.name, "", "", "", "", "", "not tried: this system does not let us mount", ""}
	}
	file, p := c.scratch(), c.providers(0, noFault)
	s := c.serve(p, file, h.wrapper)
	var before []answer
	for i := range 20 {
		before = append(before, s.ask(pairOf(i), 2, 25, ""))
		if a := before[i]; a.status != 200 || !s.findsAgain(a) {
			c.failf("%s: before it: %s", h.name, &a)
		}
	}
	questions := 60
	if h.do == nil {
		questions = 400 // they need more than 1 MiB
	} else {
		content, err := os.ReadFile(file)
		c.must(err)
		c.must(h.do(file, content))
	}

	var mu sync.Mutex // guards what follows
	var stored []answer
	unstored, failed, reads := 0, 0, 0
	var hangs atomic.Bool // then the other requests would hang too
	c.parallel(questions, 8, func(i int) {
		if hangs.Load() {
			return
		}
		market := "timeframe=5m&pair=" + pairOf(100+i) + "/USDT"
		a := s.ask(pairOf(100+i), 2, 25, "")
		found := a.status == 200 && s.findsAgain(a)
		answered := 0
		for _, path := range []string{"health", "metrics", "consensus/" + before[i%len(before)].ID, "consensus/latest?" + market, "consensus?" + market} {
			if r := s.get("/v1/" + path); r.err != nil || len(r.body) == 0 {
				c.failf("%s: GET %s: %s", h.name, path, &r)
				hangs.Store(true)
				continue
			}
			answered++
		}
		mu.Lock()
		defer mu.Unlock()
		reads += answered
		switch {
		case a.err == nil && a.status >= 500:
			failed++
		case a.err != nil || a.status != 200:
			c.failf("%s: %s", h.name, &a)
			hangs.Store(true)
		case !a.isStored():
			unstored++
		case found:
			stored = append(stored, a)
		default:
			c.failf("%s: the result is neither found again nor called not_stored: %s", h.name, &a)
		}
	})
	if unstored+failed == 0 {
		c.failf("%s: nobody was told", h.name)
	}
	// With little room left, a small write may still succeed.
	for i := range 100 {
		if a := s.ask(pairOf(1000+i), 2, 25, ""); a.status != 200 || !a.isStored() {
			break
		}
	}
	said, err := s.health()
	if err != nil || said.Store != "unreachable" || said.Status == "healthy" {
		c.failf("%s: health says %s, and %s of the store: %v", h.name, said.Status, said.Store, err)
	}
	ended := "ends it"
	if err := s.end(); errors.Is(err, process.ErrForced) { // any exit status will do
		c.failf("%s: %v", h.name, err)
		ended = "does not end it"
	}
	if h.intact {
		s := c.serve(p, file, "")
		for _, a := range append(before, stored...) {
			if !s.findsAgain(a) {
				c.failf("%s: a stored result is gone after a restart: %s", h.name, a.ID)
			}
		}
		c.must(s.end())
		c.thalas(file, "check")
	}
	return []any{h.name, questions, len(stored), unstored, failed, fmt.Sprintf("%d of %d", reads, 5*questions), "store " + said.Store, ended}
}

// clock checks results with dates in the future, as a clock leaves them that was ahead for
// a while. They are copies of a real result and are imported, since a test may not set the
// machine's clock.
func (c *chaos) clock() {
	file, p := c.scratch(), c.providers(0, noFault)
	s := c.serve(p, file, "")
	now := s.ask(pairOf(1), 2, 25, "")
	c.must(s.end())
	ahead := []time.Duration{2 * time.Hour, 100 * 24 * time.Hour}
	ids := make([]string, len(ahead))
	for i, by := range ahead {
		dated := now.Consensus
		dated.Timestamp, dated.CandleTime, dated.ValidUntil = dated.Timestamp.Add(by), dated.CandleTime.Add(by), dated.ValidUntil.Add(by)
		stamp := fmt.Sprintf("%012x", dated.Timestamp.UnixMilli()) // how a UUIDv7 begins
		dated.ID = stamp[:8] + "-" + stamp[8:] + dated.ID[13:]
		ids[i] = dated.ID
		line, err := json.Marshal(dated)
		c.must(err)
		path := file + "." + dated.ID + ".jsonl"
		c.must(os.WriteFile(path, append(line, '\n'), 0o600))
		c.thalas(file, "import", path)
	}
	s = c.serve(p, file, "")
	wantLatest := func(when string, want answer) {
		if a := s.get("/v1/consensus/latest?timeframe=5m&pair=" + pairOf(1) + "/USDT"); a.status != 200 || !strings.Contains(string(a.body), want.ID) {
			c.failf("%s latest is not %s: %s", when, want.ID, &a)
		}
	}
	wantLatest("with results of the future", now)
	wantLatest("after another question", s.ask(pairOf(1), 2, 25, ""))
	for i, by := range ahead {
		if a := s.get("/v1/consensus/" + ids[i]); a.status != 200 {
			c.failf("the result of %v ahead is gone: %s", by, &a)
		}
		c.row(fmt.Sprintf("%.0f hours ahead", by.Hours()), "the newest of the present", "the new one", "still found by their id")
	}
	c.must(s.end())
}
