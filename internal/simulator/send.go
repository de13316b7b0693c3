package simulator

// How an answer goes over the wire: as it should, or in one of the ways in which
// networks and proxies spoil it.

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// message is a finished answer.
type message struct {
	status int
	header http.Header
	body   []byte
}

const (
	proxyPage      = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway</h1></center></body></html>\n"
	redirectTarget = "/elsewhere"
)

// head writes the status and the header.
func (c *call) head(m message) {
	header := c.w.Header()
	for name, values := range m.header {
		header[name] = values
	}
	header.Set("Content-Length", strconv.Itoa(len(m.body)))
	c.status, c.length = m.status, len(m.body)
	c.w.WriteHeader(m.status)
}

// sendWhole is how it should be.
func sendWhole(c *call, m message) {
	c.head(m)
	c.write(m.body)
}

// write sends bytes. That the client is gone by then is none of our business.
func (c *call) write(body []byte) {
	n, _ := c.w.Write(body)
	if c.sent != nil {
		c.sent.Write(body[:n])
	}
}

// flush sends what has been written so far, where the connection can do that.
func (c *call) flush() { _ = http.NewResponseController(c.w).Flush() }

func sendBody(status int, kind, body string) func(*call, message) {
	return func(c *call, m message) {
		m.status, m.body = status, []byte(body)
		m.header.Set("Content-Type", kind)
		sendWhole(c, m)
	}
}

func sendRedirect(c *call, m message) {
	m.header.Set("Location", redirectTarget)
	m.status, m.body = http.StatusTemporaryRedirect, nil
	sendWhole(c, m)
}

func sendNever(c *call, _ message) {
	<-c.r.Context().Done()
	abort()
}

func sendLate(c *call, m message) {
	if !pause(c.r.Context(), c.slow) {
		abort()
	}
	sendWhole(c, m)
}

func sendDrip(c *call, m message) {
	c.head(m)
	for i := range m.body {
		c.write(m.body[i : i+1])
		c.flush()
		if !pause(c.r.Context(), c.slow/time.Duration(len(m.body))) {
			abort()
		}
	}
}

// sendReset drops the connection so that the client sees a TCP reset rather
// than an orderly end.
func sendReset(c *call, _ message) {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil { // not a plain HTTP/1 connection
		abort()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func sendHalf(c *call, m message) {
	c.head(m)
	c.write(m.body[:len(m.body)/2])
	c.flush()
	abort()
}

// abort ends the request and its connection without another byte; the HTTP
// server knows this panic and stays silent.
func abort() { panic(http.ErrAbortHandler) }

// pause waits; false where the request ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
