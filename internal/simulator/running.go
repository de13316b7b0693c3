package simulator

// A server that listens by itself.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Running is a simulator on a port of its own.
type Running struct {
	*Server
	addr   string
	http   http.Server
	cancel context.CancelFunc
	work   sync.WaitGroup // the accept loop and every open connection
}

// Start listens at options.Addr. The error says what is wrong with the fault
// script or the address. The caller ends it by Close.
func Start(options Options) (*Running, error) {
	if err := checkScript(options.Faults); err != nil {
		return nil, err
	}
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", options.Addr)
	if err != nil {
		return nil, fmt.Errorf("the simulator cannot listen at %s: %w", options.Addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Running{Server: New(options), addr: listener.Addr().String(), cancel: cancel}
	s.http = http.Server{
		Handler:           s.Server,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.count,
	}
	s.work.Go(func() { _ = s.http.Serve(listener) }) // ends by Close, and always with an error
	return s, nil
}

// count keeps Close waiting until the last connection's goroutine is done. New
// connections are counted by the accept loop, which is counted itself.
func (s *Running) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.work.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.work.Done()
	}
}

// Addr is the address that the server listens at, host:port.
func (s *Running) Addr() string { return s.addr }

// BaseURL is what to set as the base URL of the provider.
func (s *Running) BaseURL(provider string) string { return "http://" + s.addr + "/" + provider }

// Env gives the environment that makes a client of this server out of a client
// of the providers: one NAME=value a line.
func (s *Running) Env() []string {
	var lines []string
	for _, provider := range Providers {
		name := strings.ToUpper(provider)
		lines = append(lines, name+"_BASE_URL="+s.BaseURL(provider), name+"_API_KEY=simulated", name+"_ENABLED=true")
	}
	return lines
}

// Close ends every request, the hanging ones too, and waits until all is done.
func (s *Running) Close() error {
	s.cancel()
	err := s.http.Close()
	s.work.Wait()
	return err
}
