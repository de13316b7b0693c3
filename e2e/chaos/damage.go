package main

// The data file while the server has it open: no room, cut, overwritten, gone.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"

	"thalas/e2e/process"
)

// harm is done to the data file of a server that serves. Where the room is bounded from
// the start, it is the wrapper of the server, and nothing more is done.
type harm struct {
	name    string
	wrapper string
	do      func(file string, content []byte) error
	sound   bool // the file stays a good one, and is opened again
}

var harms = []harm{
	{name: "no room: the file may not grow beyond 1 MiB", wrapper: `ulimit -f 2048 && exec "$@"`, sound: true}, // blocks of 512 bytes
	{name: "no room: the disk of 1 MiB is full", wrapper: `exec unshare -rm sh -c 'mount -t tmpfs -o size=1m tmpfs "$(dirname "$DATA_FILE")" && exec "$0" "$@"' "$@"`},
	{name: "cut to 4 KiB", do: func(file string, _ []byte) error { return os.Truncate(file, 4096) }},
	{name: "cut to half", do: func(file string, content []byte) error { return os.Truncate(file, int64(len(content)/2)) }},
	{name: "cut to nothing", do: func(file string, _ []byte) error { return os.Truncate(file, 0) }},
	{name: "overwritten with noise", do: func(file string, content []byte) error {
		noise := rand.NewChaCha8([32]byte{1})
		_, _ = noise.Read(content)
		return overwrite(file, content)
	}},
	{name: "overwritten with zeros", do: func(file string, content []byte) error { return overwrite(file, make([]byte, len(content))) }},
	{name: "removed", do: func(file string, _ []byte) error { return os.Remove(file) }},
	{name: "replaced by a copy", do: func(file string, content []byte) error {
		return errors.Join(os.WriteFile(file+".copy", content, 0o600), os.Rename(file+".copy", file))
	}},
}

// overwrite writes into the file that is there, as a program that took the wrong one.
func overwrite(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	return errors.Join(err, f.Close())
}

func (c *chaos) damage() (string, error) {
	var b strings.Builder
	b.WriteString("| the data file, while it serves | questions | decided and found again | decided, `not_stored` | errors | reads answered | health says | SIGTERM |\n|---|---|---|---|---|---|---|---|\n")
	rows, errs := make([]string, len(harms)), make([]error, len(harms))
	c.parallel(len(harms), 3, func(i int) { rows[i], errs[i] = c.harmed(harms[i]) })
	for _, row := range rows {
		b.WriteString(row)
	}
	return b.String(), errors.Join(errs...)
}

func (c *chaos) harmed(h harm) (row string, err error) {
	file, err := c.scratch()
	if err != nil {
		return "", err
	}
	if strings.Contains(h.wrapper, "unshare") {
		if exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", c.folder).Run() != nil {
			return fmt.Sprintf("| %s | | | | | | not tried: this system does not let us mount | |\n", h.name), nil
		}
	}
	p := newProviders(sound)
	defer p.close()
	s, err := c.start(p, file, h.wrapper)
	if err != nil {
		return "", err
	}
	var before []answer
	for i := range 20 {
		before = append(before, s.ask(question(pairOf(i), 2, "25"), ""))
		if a := before[i]; a.status != 200 || !s.isKept(a) {
			c.failf("%s: before it: %s", h.name, &a)
		}
	}
	questions := 60
	if h.do == nil {
		questions = 400 // they need more than 1 MiB
	} else {
		content, err := os.ReadFile(file)
		if err == nil {
			err = h.do(file, content)
		}
		if err != nil {
			return "", err
		}
	}

	var mu sync.Mutex // guards what follows
	var stored []answer
	unstored, failed, reads := 0, 0, 0
	var hangs atomic.Bool // then the rest would only take as long
	c.parallel(questions, 8, func(i int) {
		if hangs.Load() {
			return
		}
		pair := pairOf(100 + i)
		a := s.ask(question(pair, 2, "25"), "")
		found := a.status == 200 && s.isKept(a)
		answered := 0
		for _, path := range []string{"/v1/health", "/v1/metrics", "/v1/consensus/" + before[i%len(before)].ID, "/v1/consensus/latest?timeframe=5m&pair=" + pair + "/USDT", "/v1/consensus?timeframe=5m&pair=" + pair + "/USDT"} {
			if r := s.get(path); r.err != nil || len(r.body) == 0 {
				c.failf("%s: GET %s: %s: %v", h.name, path, &r, r.err)
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
		case a.status != 200:
			c.failf("%s: %s: %v", h.name, &a, a.err)
			hangs.Store(true)
		case a.warns("not_stored"):
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
	// Where there is little room, a small write may still find it.
	for i := range 100 {
		if a := s.ask(question(pairOf(1000+i), 2, "25"), ""); a.status != 200 || a.warns("not_stored") {
			break
		}
	}
	said, err := s.health()
	if err != nil || said.Store != "unreachable" || said.Status == "healthy" {
		c.failf("%s: health says %s, and %s of the store: %v", h.name, said.Status, said.Store, err)
	}
	ended := "ends it"
	if err := s.end(); errors.Is(err, process.ErrForced) {
		c.failf("%s: %v", h.name, err)
		ended = "does not end it"
	}
	if h.sound {
		if err := c.reopened(h.name, p, file, append(before, stored...)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d of %d | store %s | %s |\n", h.name, questions, len(stored), unstored, failed, reads, 5*questions, said.Store, ended), nil
}

// reopened starts a server without harm over the file, and looks for all that was stored.
func (c *chaos) reopened(name string, p *providers, file string, stored []answer) error {
	s, err := c.start(p, file, "")
	if err != nil {
		return err
	}
	for _, a := range stored {
		if !s.isKept(a) {
			c.failf("%s: a stored result is gone after a restart: %s", name, a.ID)
		}
	}
	defer c.checkFile(file)
	return s.end()
}
