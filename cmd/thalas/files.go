package main

// The commands for the store's file: backup copies it, check reads all of it, and compact
// makes it smaller. A server that has the file open has routes for other commands on the
// same machine: a copy of the file, the import of results, and settling them. They are not
// part of the API. They answer requests from this machine with the token of the address
// file. For all other requests they don't exist.

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/service"
	"thalas/internal/store/bolt"
)

// fileCommand completes a command that works on the store's file, whose path run gets.
func fileCommand(t terminal, cmd *cobra.Command, run func(ctx context.Context, path string, args []string) error) *cobra.Command {
	var s settings
	s.dataFileFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := s.load(t)
		if err != nil {
			return err
		}
		if c.OnTables() {
			return usagef("%s is about a file, and the results are in DynamoDB tables, which have backups of their own: name a file by --data-file, or unset RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE", cmd.Name())
		}
		path, err := dataFile(c, t.environ)
		if err != nil {
			return err
		}
		return run(cmd.Context(), path, args)
	}
	return cmd
}

func newCheck(t terminal) *cobra.Command {
	return fileCommand(t, &cobra.Command{
		Use:   "check",
		Short: "Read every record of the store's file, and list what is damaged",
		Long: `Read every record of the store's file, compare the lists with the records, and list what is
damaged. The file is not changed. No server may have it open: check a copy of 'thalas backup'
instead.

Exit codes: 0 the file is sound, 2 wrong usage or configuration, 1 it is damaged, or anything
else.`,
		Example: "  thalas check\n  thalas check --data-file thalas-monday.db",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, path string, _ []string) error {
		checked, err := bolt.Check(ctx, path)
		switch {
		case errors.Is(err, bolt.ErrInUse):
			return fmt.Errorf("%w; or check a copy of it: 'thalas backup copy.db', then 'thalas check --data-file copy.db'", err)
		case err != nil:
			return missing(err, path)
		case len(checked.Damage) == 0:
			_, err := fmt.Fprintf(t.out, "%s is sound (%s).\n", path, contents(checked))
			return err
		}
		for _, damage := range checked.Damage {
			if _, err := fmt.Fprintln(t.out, visible(damage)); err != nil {
				return err
			}
		}
		if checked.Results == 0 {
			return fmt.Errorf("%s is damaged, or not a store file, and no result of it can be read: restore it from a backup", path)
		}
		return fmt.Errorf("%s is damaged. What can be read of it: %s. Restore it from a backup and keep the damaged file: 'thalas export --format jsonl' may save results of it that are younger, for 'thalas import'", path, contents(checked))
	})
}

// contents says what a file holds.
func contents(c bolt.Checked) string {
	return fmt.Sprintf("results: %d, hours of counters: %d, claims: %d, sums: %d, size: %s, outcomes: %d, unsettled: %d, scores: %d",
		c.Results, c.Hours, c.Claims, c.Sums, size(c.Size), c.Settled, c.Open, c.Scores)
}

func newCompact(t terminal) *cobra.Command {
	return fileCommand(t, &cobra.Command{
		Use:   "compact",
		Short: "Write the store's file anew without the space that it does not use",
		Long: `Write a copy of the store's file without unused space, check the copy, and replace the file
by it. Until then the file stays as it is. No server may have the file open, and the disk
needs room for both.`,
		Example: "  thalas compact\n  thalas compact --data-file ./thalas.db",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, path string, _ []string) error {
		before, after, err := bolt.Compact(ctx, path)
		switch {
		case errors.Is(err, bolt.ErrInUse):
			return fmt.Errorf("%w: a file is compacted while nobody has it open", err)
		case err != nil:
			return missing(err, path)
		}
		_, err = fmt.Fprintf(t.out, "%s: %s before, %s after.\n", path, size(before), size(after))
		return err
	})
}

func newBackup(t terminal) *cobra.Command {
	return fileCommand(t, &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store's file, also while a server has it open",
		Long: `Copy the store's file to FILE, as it is at this moment. A server may have the file open and
may go on writing. Every result that was answered before is in the copy.

The copy is checked before it gets its name, so FILE is complete and sound or does not
exist. Do not use cp while a server has the file open: its copy is damaged.`,
		Example: "  thalas backup thalas-monday.db\n  thalas backup /mnt/backup/thalas.db --data-file ./thalas.db",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, path string, args []string) error { return backUp(ctx, t, path, args[0]) })
}

func backUp(ctx context.Context, t terminal, path, target string) error {
	if there, err := os.Stat(target); err == nil {
		if source, err := os.Stat(path); err == nil && os.SameFile(source, there) {
			return usagef("%s is the store's file itself: name another for the copy", target)
		}
		if !there.Mode().IsRegular() {
			return usagef("%s is no regular file: name one for the copy", target)
		}
	}
	copied, err := os.CreateTemp(filepath.Dir(target), ".thalas-*")
	if err != nil {
		return usagef("no copy can be written: %w", err)
	}
	defer func() { _ = os.Remove(copied.Name()) }() // if it was not renamed to the target
	err = copyStore(ctx, path, copied)
	if err := errors.Join(err, copied.Sync(), copied.Close()); err != nil {
		return err
	}
	checked, err := bolt.Check(ctx, copied.Name())
	switch {
	case err != nil:
		return err
	case len(checked.Damage) > 0:
		return fmt.Errorf("%s is damaged, and so would be its copy: %s; %s was not written. 'thalas check' lists all damage of a file that no server has open", path, checked.Damage[0], target)
	}
	if err := os.Rename(copied.Name(), target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s is written, and sound (%s).\n", target, contents(checked))
	return err
}

// copyStore writes a copy of the store's file. It asks the server that has the file open,
// and otherwise reads the file.
func copyStore(ctx context.Context, path string, w io.Writer) error {
	file, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	var held *bolt.InUse
	switch {
	case err == nil:
		_, err := file.Backup(ctx, w)
		return errors.Join(err, file.Close())
	case errors.As(err, &held):
	case errors.Is(err, fs.ErrNotExist): // a server may still have the deleted file open
		held = &bolt.InUse{Path: path}
		if held.Address, held.Token = bolt.Announced(path); held.Token == "" {
			return missing(err, path)
		}
	default:
		return err
	}
	response, refused := askLocal(ctx, held, http.MethodGet, localBackup, nil)
	switch {
	case refused != nil && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no store at %s, and no server gives what it still has of it: %w; --data-file or DATA_FILE name another", path, refused)
	case refused != nil:
		return refused
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("the copy of %s broke off: %w", path, err)
	}
	return nil
}

// size writes a number of bytes.
func size(bytes int64) string {
	switch n := float64(bytes); {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
}

const (
	localBackup = "/-/backup" // GET: a copy of the file
	localImport = "/-/import" // POST: results, a line each; gives how many were added
	localSettle = "/-/settle" // POST: a settleOrder; gives a settleStep a line
	localToken  = "X-Thalas-Token"

	maxImport    = 32 << 20         // bytes of one import request, or of a settleOrder
	slowestChunk = 30 * time.Second // the most time that a reader of a copy may take for a mebibyte
)

// localServer answers the local routes, and passes other requests on.
type localServer struct {
	openedStore
	app     *app.App
	service *service.Service
	next    http.Handler
	copying sync.Mutex // one copy at a time: each needs its space on the disk
}

// ServeHTTP implements http.Handler.
func (l *localServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var take func(http.ResponseWriter, *http.Request) error
	switch r.Method + " " + r.URL.Path {
	case "GET " + localBackup:
		take = l.sendBackup
	case "POST " + localImport:
		take = l.takeImport
	case "POST " + localSettle:
		take = l.takeSettle
	}
	if take == nil || !l.isAllowed(r) {
		l.next.ServeHTTP(w, r)
		return
	}
	if err := take(w, r); err != nil {
		http.Error(w, withCause(err).Error(), http.StatusInternalServerError)
	}
}

// isAllowed reports whether a request comes from this machine and has the token.
func (l *localServer) isAllowed(r *http.Request) bool {
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
	lines, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxImport))
	if err != nil {
		return err
	}
	added, err := l.service.Import(r.Context(), bytes.FieldsFunc(lines, func(r rune) bool { return r == '\n' }))
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
		return nil, fmt.Errorf("%w, and that is not a server of this version", held)
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
