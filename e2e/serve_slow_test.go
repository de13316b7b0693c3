package e2e

// Clients that are slow, half there, or many and idle: they are cut off or
// carried along, and cost the others nothing.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// drip sends one byte after the other until the server has had enough, and gives
// what it said.
func drip(connection net.Conn, start string) string {
	answer := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(connection)
		answer <- string(text)
	}()
	_, err := io.WriteString(connection, start)
	for {
		if err == nil {
			_, err = connection.Write([]byte("1"))
		}
		select {
		case text := <-answer:
			return text
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Those who never come to an end are cut off, each in its way, and meanwhile all
// others are answered.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	address := strings.TrimPrefix(s.url, "http://")
	body := "POST /v1/consensus HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"rsi\": 1"
	kinds := []struct {
		name, start, answer string
		silent              bool
	}{
		{"header drips", "GET /v1/health HTTP/1.1\r\nX-Slow: ", "", false},
		{"body drips", body, "HTTP/1.1 400 ", false},
		{"body of the compatibility route drips", strings.Replace(body, "/v1/consensus", "/api/v1/strategies/llm-consensus", 1), "HTTP/1.1 400 ", false},
		{"nothing comes", "", "", true},
		{"half a header and then nothing", "GET /v1/health HTTP/1.1\r\nHost", "", true},
		{"half a body and then nothing", body, "HTTP/1.1 400 ", true},
	}
	var slow sync.WaitGroup
	for _, kind := range kinds {
		for range 20 {
			connection, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(guard))
			slow.Go(func() {
				answer := ""
				if kind.silent {
					_, _ = io.WriteString(connection, kind.start)
					text, err := io.ReadAll(connection)
					if err != nil {
						t.Errorf("%s: not cut off: %v", kind.name, err)
					}
					answer = string(text)
				} else {
					answer = drip(connection, kind.start)
				}
				if !strings.HasPrefix(answer, kind.answer) {
					t.Errorf("%s: %q", kind.name, answer)
				}
			})
		}
	}
	cut := make(chan struct{})
	go func() { slow.Wait(); close(cut) }()
	longest, asked := time.Duration(0), 0
	for open := true; open; {
		start := time.Now()
		resultOf(t, s.ask(t, about("BTC/USDT")))
		longest, asked = max(longest, time.Since(start)), asked+1
		select {
		case <-cut:
			open = false
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Logf("%d others were answered meanwhile, the slowest after %s", asked, longest)
	if total, _ := s.count(t); total != asked {
		t.Errorf("%d runs are counted, want %d", total, asked)
	}
	s.terminate(t, sigterm)
}

// Thousands of connections that do nothing are carried along.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	const idle = 2000
	p := gated(t)
	s := startServer(t, storeFile(t), p.env()...)
	address := strings.TrimPrefix(s.url, "http://")
	resident := func(when string) { t.Logf("%s: %s", when, residentSet(s.process)) }
	resident("at start")
	for round := range 3 {
		connections := make([]net.Conn, idle)
		for i := range connections {
			connection, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			defer connection.Close()
			connections[i] = connection
			if _, err := io.WriteString(connection, "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		for i, connection := range connections {
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil || response.StatusCode != 200 {
				t.Fatalf("connection %d: %v %v", i, err, response)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		for _, r := range many(50, func(int) reply { return s.do(t.Context(), http.MethodPost, "/v1/consensus", about("BTC/USDT")) }) {
			resultOf(t, r)
		}
		resident(fmt.Sprintf("with %d idle connections, round %d", idle, round+1))
		for _, connection := range connections {
			_ = connection.Close()
		}
	}
	s.terminate(t, sigterm)
}

// residentSet is the memory of a process, for the log.
func residentSet(process *os.Process) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		return "memory unknown on " + runtime.GOOS
	}
	for line := range strings.Lines(string(status)) {
		if memory, found := strings.CutPrefix(line, "VmRSS:"); found {
			return strings.TrimSpace(memory)
		}
	}
	return "memory unknown"
}
