package backends

// Where the servers are met: at an address that the functions reach, each behind a
// front of its own.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Reach is how a function gets to this machine.
type Reach struct {
	Listen string // address of this machine that is listened on; empty: 127.0.0.1
	Name   string // what the function calls it; empty: the same
}

// front is one listening server.
type front struct {
	server http.Server
	cancel context.CancelFunc
	ended  chan struct{}
}

// open puts a handler behind an address of its own.
func (b *Running) open(r Reach, handler http.Handler) (address string, err error) {
	if r.Listen == "" {
		r.Listen = "127.0.0.1"
	}
	if r.Name == "" {
		r.Name = r.Listen
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(r.Listen, "0"))
	if err != nil {
		return "", fmt.Errorf("listen where functions reach this machine: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	// A request that hangs by a script ends with the server.
	ctx, cancel := context.WithCancel(context.Background())
	f := &front{cancel: cancel, ended: make(chan struct{})}
	f.server = http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		_ = f.server.Serve(listener) // ends by close, and always with an error
		close(f.ended)
	}()
	b.fronts = append(b.fronts, f)
	return "http://" + net.JoinHostPort(r.Name, port), nil
}

func (f *front) close() error {
	f.cancel()
	err := f.server.Close()
	<-f.ended
	return err
}

// forward passes requests on to a server that listens on loopback alone.
func forward(to string) (http.Handler, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}, nil
}

// counter counts the calls of an AWS service by what they ask for.
type counter struct {
	next http.Handler

	mu    sync.Mutex
	calls map[string]int // guarded by mu
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.calls[r.Header.Get("X-Amz-Target")]++
	c.mu.Unlock()
	c.next.ServeHTTP(w, r)
}

func (c *counter) of(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call]
}
