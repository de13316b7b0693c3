package main

// The routes of a server for other commands on the same machine: a copy of its file, and
// the import of results. They are not part of the API. They answer requests from this
// machine with the token of the address file. For all other requests they don't exist.

import (
	"bufio"
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"thalas/internal/service"
	"thalas/internal/store/bolt"
)

const (
	localBackup = "/-/backup" // GET: a copy of the file
	localImport = "/-/import" // POST: results, a line each; gives how many were added
	localToken  = "X-Thalas-Token"

	maxImport    = 32 << 20         // bytes of one import request
	slowestChunk = 30 * time.Second // the most time that a reader of a copy may take for a mebibyte
)

// localServer answers the local routes, and passes other requests on.
type localServer struct {
	openedStore
	service *service.Service
	next    http.Handler
	copying sync.Mutex // one copy at a time: each needs its space on the disk
}

// localRoutes puts the local routes of a server that has a file before a handler.
func (k openedStore) localRoutes(s *service.Service, next http.Handler) http.Handler {
	if k.file == nil {
		return next
	}
	return &localServer{openedStore: k, service: s, next: next}
}

// ServeHTTP implements http.Handler.
func (l *localServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch route := r.Method + " " + r.URL.Path; {
	case route != "GET "+localBackup && route != "POST "+localImport, !l.may(r):
		l.next.ServeHTTP(w, r)
	case r.Method == http.MethodGet:
		err = l.sendBackup(w, r)
	default:
		err = l.takeImport(w, r)
	}
	if err != nil {
		http.Error(w, withCause(err).Error(), http.StatusInternalServerError)
	}
}

// may reports whether a request comes from this machine and has the token.
func (l *localServer) may(r *http.Request) bool {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get(localToken)), []byte(l.token)) != 1 {
		return false
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	from := net.ParseIP(host)
	to, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return from.IsLoopback() || to != nil && to.IP.Equal(from)
}

// sendBackup first copies the file on the disk, so that no write waits for a slow reader.
// An error after the answer has begun breaks the answer off.
func (l *localServer) sendBackup(w http.ResponseWriter, r *http.Request) error {
	l.copying.Lock()
	defer l.copying.Unlock()
	spool, err := os.CreateTemp(filepath.Dir(l.name), ".thalas-backup-*")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(spool.Close(), os.Remove(spool.Name())) }()
	_ = os.Remove(spool.Name()) // if an open file can be removed, a killed process leaves nothing
	size, err := l.file.Backup(r.Context(), spool)
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", l.name, err)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	chunk := http.NewResponseController(w)
	for err == nil {
		_ = chunk.SetWriteDeadline(time.Now().Add(slowestChunk))
		_, err = io.CopyN(w, spool, 1<<20)
	}
	if !errors.Is(err, io.EOF) {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (l *localServer) takeImport(w http.ResponseWriter, r *http.Request) error {
	var bodies [][]byte
	err := eachLine(http.MaxBytesReader(w, r.Body, maxImport), func(_ int, body []byte) error {
		bodies = append(bodies, bytes.Clone(body))
		return nil
	})
	if err != nil {
		return err
	}
	added, err := l.service.Import(r.Context(), bodies)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]int{"added": added})
}

// askLocal sends a request to the server that has a file open. It gives an error unless
// the answer is a 200.
func askLocal(ctx context.Context, held *bolt.InUse, method, path string, body io.Reader) (*http.Response, error) {
	if held.Token == "" {
		return nil, fmt.Errorf("%w, since it is no server of this version", held)
	}
	request, err := http.NewRequestWithContext(ctx, method, held.Address+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set(localToken, held.Token)
	client := http.Client{ // without a proxy, because the token must not leave this machine
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: noRedirect,
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from the server that has %s open: %w", held.Path, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
		return nil, fmt.Errorf("the server at %s that has %s open answers %d: %s", held.Address, held.Path, response.StatusCode, bytes.TrimSpace(text))
	}
	return response, nil
}

// withCause adds the cause, which the service keeps out of its messages: the user of this
// program may know it.
func withCause(err error) error {
	var refused *service.Error
	if errors.As(err, &refused) && refused.Unwrap() != nil {
		return fmt.Errorf("%w The cause: %w", err, refused.Unwrap())
	}
	return err
}

// maxLine is the most bytes of a line of results.
const maxLine = 16 << 20

// eachLine reads lines of JSON. It skips empty lines, and the byte order mark that some
// editors write at the beginning.
func eachLine(r io.Reader, visit func(number int, body []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		body := lines.Bytes()
		if number == 1 {
			body = bytes.TrimPrefix(body, []byte("\ufeff"))
		}
		if body = bytes.TrimSpace(body); len(body) == 0 {
			continue
		}
		if err := visit(number, body); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d can't be read: %w", number+1, err)
	}
	return nil
}
