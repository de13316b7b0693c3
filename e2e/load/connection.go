package main

// One keep-alive connection of the load generator. It writes ready-made bytes and
// reads the answer with the standard library's parser; http.Client would take
// more of the machine that the servers are measured on.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// answerTimeout is above the longest run that the server allows (30 s).
const answerTimeout = 35 * time.Second

// connection is used by one goroutine at a time. It is dialled when it is needed.
type connection struct {
	address string
	conn    net.Conn // nil: not open
	unwatch func() bool
	reader  *bufio.Reader
	body    bytes.Buffer
}

func newConnection(address string) *connection { return &connection{address: address} }

// open dials unless the connection is open. The end of ctx closes it.
func (c *connection) open(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	c.conn = conn
	c.unwatch = context.AfterFunc(ctx, func() { conn.Close() })
	if c.reader == nil {
		c.reader = bufio.NewReader(conn)
	} else {
		c.reader.Reset(conn)
	}
	return nil
}

func (c *connection) close() {
	if c.conn != nil {
		c.unwatch()
		c.conn.Close()
		c.conn = nil
	}
}

// exchange sends a whole request and reads the whole answer. The body is valid
// until the next call.
func (c *connection) exchange(ctx context.Context, request []byte) (status int, body []byte, err error) {
	if err := c.open(ctx); err != nil {
		return 0, nil, err
	}
	status, keep, err := c.roundTrip(request)
	if err != nil || !keep {
		c.close()
	}
	return status, c.body.Bytes(), err
}

func (c *connection) roundTrip(request []byte) (status int, keep bool, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return 0, false, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, false, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, false, err
	}
	defer response.Body.Close()
	c.body.Reset()
	if _, err := c.body.ReadFrom(response.Body); err != nil {
		return 0, false, err
	}
	return response.StatusCode, !response.Close, nil
}

// get asks for a path.
func (c *connection) get(ctx context.Context, path string) (status int, body []byte, err error) {
	return c.exchange(ctx, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\nAccept: application/json\r\n\r\n", path, c.address))
}

// cause words an error without ports, so that equal ones are counted together.
func cause(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
