package main

// The source of the commands that read: a server, or the handler of the API over the store
// in this process. In both cases the API answers, so results are read in one way only.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/store/bolt"
)

// readTimeout bounds one read.
const readTimeout = 30 * time.Second

// sourceFlags are the flags that choose the source.
type sourceFlags struct {
	url, dataFile, simulate string
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.url, "url", "", "`address` of a server to ask, such as http://127.0.0.1:8787 (default: THALAS_URL, else the file, or the server that has it open); THALAS_API_KEY is its key")
	dataFileFlag(cmd, &f.dataFile)
	cmd.Flags().StringVar(&f.simulate, "simulate", "", "`true`: of the file, the simulated results, which are kept apart; false: the real ones; auto: the simulated ones where no key at all is configured (default: SIMULATE_PROVIDERS). A server shows those that it makes itself")
	completeFlag(cmd, "simulate", "true", "auto", "false")
}

// read opens the source and calls use. If the API refuses the request as invalid, that
// becomes a usage error.
func (f sourceFlags) read(cmd *cobra.Command, t terminal, use func(*source) error) error {
	if err := refuseEmpty(cmd); err != nil {
		return err
	}
	s, err := f.open(cmd.Context(), t)
	if err != nil {
		return err
	}
	err = errors.Join(use(s), s.close())
	var problem *apiProblem
	if errors.As(err, &problem) && (problem.Status == http.StatusBadRequest || problem.Status == http.StatusUnprocessableEntity) {
		return usageError{err}
	}
	return err
}

// source answers requests to the API.
type source struct {
	base   string
	name   string // of the server or the store, for errors
	key    string // API key; empty: none
	client *http.Client
	close  func() error

	realOnly bool // it may have simulated results, but does not show them
}

// open finds the source: the server that the user named, or else the store's file, or the
// server that has the file open.
func (f sourceFlags) open(ctx context.Context, t terminal) (*source, error) {
	base, key := f.url, t.environ.Getenv("THALAS_API_KEY")
	if base == "" && f.dataFile == "" {
		base = t.environ.Getenv("THALAS_URL")
	}
	switch {
	case f.url != "" && (f.dataFile != "" || f.simulate != ""):
		return nil, usagef("--url names a server, which has its file and its mode: leave --data-file and --simulate out")
	case base != "":
		return remote(base, key, readTimeout)
	}
	c, err := load(t, f.simulate)
	if err != nil {
		return nil, err
	}
	c.APIKeys = nil // they protect the network, not the store
	if f.dataFile != "" {
		c.DataFile = f.dataFile
	}
	if c.OnTables() {
		return within(c, func(a *app.App) (openedStore, error) { return openTables(ctx, a) })
	}
	path, err := dataFile(c, t.environ)
	if err != nil {
		return nil, err
	}
	file, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	var held *bolt.InUse
	switch {
	case errors.As(err, &held) && held.Address != "":
		s, err := remote(held.Address, key, readTimeout)
		if err != nil {
			return nil, held // the address file does not have the address of a server
		}
		return s, f.checkMode(ctx, s, held)
	case errors.Is(err, fs.ErrNotExist):
		return nil, usagef("there is no store at %s yet: 'thalas serve' makes one, --data-file or --url name another", path)
	case err != nil:
		return nil, err
	}
	s, err := within(c, func(*app.App) (openedStore, error) { return openedStore{Store: file, name: path}, nil })
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// within makes a source in this process, over the store that open gives.
func within(c config.Config, open func(*app.App) (openedStore, error)) (*source, error) {
	simulator := &simulators{}
	a, err := app.New(c, nil, simulator.start)
	if err != nil {
		return nil, err
	}
	k, err := open(a)
	if err != nil {
		simulator.close()
		return nil, err
	}
	return &source{
		base: "http://store", name: k.name, realOnly: !a.Simulated,
		client: &http.Client{Transport: inProcess{a.NewHandler(a.NewService(k, versionText()), nil)}},
		close:  func() error { simulator.close(); return k.Close() },
	}, nil
}

// checkMode compares the mode that a flag asks for with the mode of the server that has
// the file open.
func (f sourceFlags) checkMode(ctx context.Context, s *source, held *bolt.InUse) error {
	if f.simulate == "" {
		return nil
	}
	var health struct {
		Simulated bool `json:"simulated"`
	}
	body, err := s.get(ctx, "/v1/health", nil)
	if err != nil && !unavailableState(err) {
		return err
	}
	if err := json.Unmarshal(body, &health); err != nil {
		return fmt.Errorf("the health of %s is not what this version knows: %w", s.name, err)
	}
	if shows := map[bool]string{true: "true", false: "false"}[health.Simulated]; f.simulate != shows {
		return usagef("%s is in use by the server at %s, which shows what --simulate %s does: stop it, or leave --simulate out", held.Path, held.Address, shows)
	}
	return nil
}

func remote(base, key string, timeout time.Duration) (*source, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usagef("the address of the server (--url, THALAS_URL) is not one such as http://127.0.0.1:8787, without user, query and fragment")
	}
	// Redirects are not followed, because the key would go along. Connections are not kept,
	// because a command makes few requests.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	base = strings.TrimRight(base, "/")
	return &source{base: base, name: base, key: key, client: client, close: func() error { transport.CloseIdleConnections(); return nil }}, nil
}

// get reads one document. For an error answer it gives an *apiProblem and the body.
func (s *source) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	address := s.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return s.do(request)
}

func (s *source) do(request *http.Request) ([]byte, error) {
	if s.key != "" {
		request.Header.Set("X-Api-Key", s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		var broken *url.Error
		if errors.As(err, &broken) {
			err = broken.Err
		}
		return nil, fmt.Errorf("no answer from %s: %w", s.name, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", s.name, err)
	}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	return body, s.problem(response.StatusCode, body)
}

// into reads one document into a value.
func (s *source) into(ctx context.Context, path string, query url.Values, value any) error {
	body, err := s.get(ctx, path, query)
	if err != nil {
		return err
	}
	return s.decode(body, value)
}

// post sends one document and reads another into a value.
func (s *source) post(ctx context.Context, path string, document, value any) error {
	sent, err := json.Marshal(document)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	body, err := s.do(request)
	if err != nil {
		return err
	}
	return s.decode(body, value)
}

func (s *source) decode(body []byte, value any) error {
	if err := json.Unmarshal(body, value); err != nil {
		return fmt.Errorf("the answer of %s is not what this version knows: %w", s.name, err)
	}
	return nil
}

// inProcess is a transport that calls a handler in this process, without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := &recorded{header: http.Header{}}
	p.handler.ServeHTTP(answer, r)
	answer.WriteHeader(http.StatusOK) // in case the handler wrote nothing
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, Request: r,
		Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()),
	}, nil
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	status int // 0: not yet written
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorded) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
