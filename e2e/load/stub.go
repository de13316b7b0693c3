package main

// The stub of the four providers: fixed votes in the four wire formats, at once
// or after a constant time. It reads just enough HTTP/1.1 to answer what the two
// programs send, so that it takes little of the machine they are measured on.

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/*.json
var votes embed.FS

// providerNames are the first segments of the stub's paths too.
var providerNames = []string{"anthropic", "openai", "gemini", "grok"}

const refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

type stub struct {
	answers map[string][]byte // whole HTTP answers by provider
	delay   *delayLine        // nil: at once
}

func newStub(delay time.Duration) (*stub, error) {
	s := &stub{answers: map[string][]byte{}}
	for _, name := range providerNames {
		text, err := votes.ReadFile("testdata/" + name + ".json")
		if err != nil {
			return nil, err
		}
		var body bytes.Buffer
		if err := json.Compact(&body, text); err != nil {
			return nil, fmt.Errorf("testdata/%s.json: %w", name, err)
		}
		s.answers[name] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_load\r\nX-Request-Id: req_load\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.Bytes())
	}
	if delay > 0 {
		s.delay = newDelayLine(delay)
	}
	return s, nil
}

// serve answers until the listener is closed.
func (s *stub) serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			for r := bufio.NewReaderSize(conn, 16<<10); s.answer(conn, r); {
			}
		}()
	}
}

// answer reads one request and answers it; false ends the connection.
func (s *stub) answer(conn net.Conn, r *bufio.Reader) bool {
	line, err := r.ReadSlice('\n') // POST /anthropic/v1/messages HTTP/1.1
	if err != nil {
		return false
	}
	_, path, _ := bytes.Cut(line, []byte(" /"))
	provider, _, _ := bytes.Cut(path, []byte("/"))
	reply := s.answers[string(provider)]
	isPost := bytes.HasPrefix(line, []byte("POST "))
	length, ok := contentLength(r)
	if !ok || !isPost || reply == nil {
		_, _ = conn.Write([]byte(refusal))
		return false
	}
	if _, err := r.Discard(length); err != nil {
		return false
	}
	if s.delay != nil {
		s.delay.wait()
	}
	_, err = conn.Write(reply)
	return err == nil
}

// contentLength reads the header; false: there is none, or no end of it.
func contentLength(r *bufio.Reader) (length int, ok bool) {
	const name = "content-length:"
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, false
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return length, ok
		}
		if len(line) > len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):])))
			ok = err == nil && length >= 0
		}
	}
}

// delayLine lets everyone who waits go on after the same time. One alarm serves
// all, since who came first is due first.
type delayLine struct {
	delay  time.Duration
	queued chan delayed
}

type delayed struct {
	due  time.Time
	over chan struct{}
}

func newDelayLine(delay time.Duration) *delayLine {
	d := &delayLine{delay: delay, queued: make(chan delayed, 1<<14)}
	go func() { // as long as the process
		clock := newAlarm()
		for next := range d.queued {
			clock.sleepUntil(next.due)
			close(next.over)
		}
	}()
	return d
}

func (d *delayLine) wait() {
	w := delayed{time.Now().Add(d.delay), make(chan struct{})}
	d.queued <- w
	<-w.over
}
