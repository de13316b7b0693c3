package main

// The source of the commands that read: a server, or the handler of the API over the store
// in this process. In both cases the API answers, so results are read in one way only.

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// openedStore is an open store.
type openedStore struct {
	Store store.Store // not embedded: it may have methods beyond the interface, such as those of store.Notes
	name  string      // for people
	file  *bolt.Store // nil: the store is in the tables
	token string      // other commands prove by it that they may read the file's folder
}

// openStore opens the configured store: the three DynamoDB tables, or else one file.
func openStore(ctx context.Context, t terminal, a *app.App, o bolt.Options) (openedStore, error) {
	if a.Config.OnTables() {
		return openTables(ctx, a)
	}
	path, err := dataFile(a.Config, t.environ)
	if err != nil {
		return openedStore{}, err
	}
	file, err := bolt.Open(path, o)
	if err != nil {
		return openedStore{}, missing(err, path)
	}
	return openedStore{file, path, file, rand.Text()}, nil
}

// missing makes the error of a file that does not exist a mistake of the user.
func missing(err error, path string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("there is no store at %s: 'thalas serve' makes one, --data-file or DATA_FILE name another", path)
	}
	return err
}

// tablesTimeout bounds the first reads of the tables.
const tablesTimeout = 10 * time.Second

// openTables opens the store in DynamoDB. It reads from two of the tables, so that wrong
// credentials or names are reported at once. The third table, of claims and spending, is
// not read.
func openTables(ctx context.Context, a *app.App) (openedStore, error) {
	tables, err := a.OpenTables()
	if err != nil {
		return openedStore{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, tablesTimeout)
	defer cancel()
	today := time.Now().UTC().Format(time.DateOnly)
	_, err = tables.Hours(ctx, today, today)
	if err == nil {
		_, err = tables.Result(ctx, "00000000-0000-7000-8000-000000000000")
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return openedStore{}, fmt.Errorf("the DynamoDB tables can't be read: %w; check the names, the AWS credentials and AWS_REGION, or unset RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE to keep results in a file", err)
	}
	c := a.Config
	return openedStore{Store: tables, name: fmt.Sprintf("DynamoDB tables %s, %s and %s", c.ResultsTable, c.MetricsTable, c.CoordinationTable)}, nil
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

// sourceFlags are the flags that choose the source.
type sourceFlags struct {
	settings
	url string
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.url, "url", "", "`address` of a server to ask, such as http://127.0.0.1:8787 (default: THALAS_URL, else the file, or the server that has it open); THALAS_API_KEY is its key")
	f.dataFileFlag(cmd)
	f.simulateFlag(cmd, "`true`: of the file, the simulated results, which are kept apart; false: the real ones; auto: the simulated ones where no key at all is configured. A server shows those that it makes itself")
}

// read opens the source and calls use. If the API refuses the request as invalid, that
// becomes a usage error.
func (f sourceFlags) read(ctx context.Context, t terminal, use func(*source) error) error {
	s, err := f.open(ctx, t)
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

// open finds the source: the server that the user named, or else the store, or the server
// that has the store's file open.
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
	a, stop, err := f.newApp(t, nil)
	if err != nil {
		return nil, err
	}
	a.Config.APIKeys = nil // they protect the network, not the store
	opened, err := openStore(ctx, t, a, bolt.Options{ReadOnly: true})
	if err == nil {
		return &source{
			base: "http://store", name: opened.name, realOnly: !a.Simulated,
			client: &http.Client{Transport: inProcess{a.NewHandler(a.NewService(opened.Store, versionText()), nil)}},
			close:  func() error { stop(); return opened.Store.Close() },
		}, nil
	}
	stop()
	var held *bolt.InUse
	if !errors.As(err, &held) || held.Address == "" {
		return nil, err
	}
	s, err := remote(held.Address, key, readTimeout)
	if err != nil {
		return nil, held // the address file does not have the address of a server
	}
	return s, f.checkMode(ctx, s, held)
}

// checkMode compares the mode that a flag asks for with the mode of the server that has
// the file open.
func (f sourceFlags) checkMode(ctx context.Context, s *source, held *bolt.InUse) error {
	if f.simulate == "" {
		return nil
	}
	health, _, err := readHealth(ctx, s, nil)
	if err != nil {
		return err
	}
	if shows := strconv.FormatBool(health.Simulated); f.simulate != shows {
		return usagef("%s is in use by the server at %s, which shows what --simulate %s does: stop it, or leave --simulate out", held.Path, held.Address, shows)
	}
	return nil
}

// readTimeout bounds one read.
const readTimeout = 30 * time.Second

func remote(base, key string, timeout time.Duration) (*source, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usagef("the address of the server (--url, THALAS_URL) is not one such as http://127.0.0.1:8787, without user, query and fragment")
	}
	// Redirects are not followed, because the key would go along. Connections are not kept,
	// because a command makes few requests.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: noRedirect}
	base = strings.TrimRight(base, "/")
	return &source{base: base, name: base, key: key, client: client, close: func() error { transport.CloseIdleConnections(); return nil }}, nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// get reads one document of the API into a value.
func (s *source) get(ctx context.Context, path string, query url.Values, value any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return s.do(ctx, http.MethodGet, path, nil, value)
}

// post sends one document and reads another into a value.
func (s *source) post(ctx context.Context, path string, document, value any) error {
	sent, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return s.do(ctx, http.MethodPost, path, sent, value)
}

// do makes a request. For an error answer it gives an *apiProblem.
func (s *source) do(ctx context.Context, method, path string, sent []byte, value any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		request.Header.Set("X-Api-Key", s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		var broken *url.Error
		if errors.As(err, &broken) {
			err = broken.Err
		}
		return fmt.Errorf("no answer from %s: %w", s.name, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", s.name, err)
	}
	if response.StatusCode != http.StatusOK {
		return s.problem(response.StatusCode, body)
	}
	if err := json.Unmarshal(body, value); err != nil {
		return s.unknown(err)
	}
	return nil
}

// unknown is the error of an answer that does not have the expected form.
func (s *source) unknown(cause error) error {
	return errors.Join(fmt.Errorf("the answer of %s is not what this version knows", s.name), cause)
}

// inProcess is a transport that calls a handler in this process, without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}
