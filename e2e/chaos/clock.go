package main

// A clock that was ahead for a while: its results are dated into the future. They are
// made of a real one and imported, since no test may set the machine's clock. How time
// passes while a server runs is held by the tests of internal/store/bolt.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (c *chaos) clock() (string, error) {
	file, err := c.scratch()
	if err != nil {
		return "", err
	}
	p := newProviders(sound)
	defer p.close()
	s, err := c.start(p, file, "")
	if err != nil {
		return "", err
	}
	now := s.ask(question(pairOf(1), 2, "25"), "")
	if err := s.end(); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| results dated | `latest` gives | after another question | the future results |\n|---|---|---|---|\n")
	ahead := []time.Duration{2 * time.Hour, 100 * 24 * time.Hour}
	ids := make([]string, len(ahead))
	for i, by := range ahead {
		var line []byte
		if line, ids[i], err = dated(now.body, by); err != nil {
			return "", err
		}
		path := filepath.Join(filepath.Dir(file), ids[i]+".jsonl")
		if err := os.WriteFile(path, append(line, '\n'), 0o600); err != nil {
			return "", err
		}
		if err := c.thalas(file, "import", path); err != nil {
			return "", err
		}
	}
	if s, err = c.start(p, file, ""); err != nil {
		return "", err
	}
	holdLatest := func(when string, want answer) {
		if a := s.get("/v1/consensus/latest?timeframe=5m&pair=" + pairOf(1) + "/USDT"); a.status != 200 || !strings.Contains(string(a.body), want.ID) {
			c.failf("%s latest is not %s: %s", when, want.ID, &a)
		}
	}
	holdLatest("with results of the future", now)
	next := s.ask(question(pairOf(1), 2, "25"), "")
	holdLatest("after another question", next)
	for i, by := range ahead {
		if a := s.get("/v1/consensus/" + ids[i]); a.status != 200 {
			c.failf("the result of %v ahead is gone: %s", by, &a)
		}
		fmt.Fprintf(&b, "| %.0f hours ahead | the newest of the present | the new one | still found by their id |\n", by.Hours())
	}
	return b.String(), s.end()
}

// dated gives a stored result as a clock had dated it that was ahead.
func dated(body []byte, ahead time.Duration) (line []byte, id string, err error) {
	var result map[string]json.RawMessage
	if err := json.Unmarshal(body, &result); err != nil {
		return nil, "", err
	}
	for _, name := range []string{"timestamp", "candle_time", "valid_until", "votes_at"} {
		var at *time.Time
		if err := json.Unmarshal(result[name], &at); result[name] == nil || err != nil || at == nil {
			continue // not every version has all of them
		}
		result[name], _ = json.Marshal(at.Add(ahead))
	}
	if err := json.Unmarshal(result["id"], &id); err != nil {
		return nil, "", err
	}
	stamp := fmt.Sprintf("%012x", time.Now().Add(ahead).UnixMilli()) // how a UUIDv7 begins
	id = stamp[:8] + "-" + stamp[8:] + id[13:]
	result["id"], _ = json.Marshal(id)
	line, err = json.Marshal(result)
	return line, id, err
}
