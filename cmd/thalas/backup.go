package main

// thalas backup: a copy of the store's file.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"thalas/internal/store/bolt"
)

func newBackup(t terminal) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store's file, also while a server has it open",
		Long: `Copy the store's file to FILE, as it is at this moment. A server may have the file open and
may go on writing. Every result that was answered before is in the copy.

The copy is checked before it gets its name, so FILE is complete and sound or does not
exist. Do not use cp while a server has the file open: its copy is damaged.

Exit codes: 0 the copy exists and is sound, 2 wrong usage or configuration, 1 anything else.`,
		Example: "  thalas backup thalas-monday.db\n  thalas backup /mnt/backup/thalas.db --data-file ./thalas.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := fileOf(cmd, t, from)
			if err != nil {
				return err
			}
			return backUp(cmd.Context(), t, path, args[0])
		},
	}
	dataFileFlag(cmd, &from)
	return cmd
}

// fileOf gives the store's file for a command that works on files.
func fileOf(cmd *cobra.Command, t terminal, named string) (string, error) {
	if err := refuseEmpty(cmd); err != nil {
		return "", err
	}
	c, err := load(t, "")
	if err != nil {
		return "", err
	}
	if named != "" {
		c.DataFile = named
	}
	if c.OnTables() {
		return "", usagef("%s is about a file, and the results are in DynamoDB tables, which have backups of their own: name a file by --data-file, or unset RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE", cmd.Name())
	}
	return dataFile(c, t.environ)
}

func noFile(path string) error {
	return usagef("there is no store at %s: --data-file or DATA_FILE name another", path)
}

func backUp(ctx context.Context, t terminal, path, target string) error {
	if sameFile(path, target) {
		return usagef("%s is the store's file itself: name another for the copy", target)
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		return usagef("%s is no regular file: name one for the copy", target)
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
		return fmt.Errorf("%s is damaged, and so would be its copy: %s; %s was not written. 'thalas check' tells more of a file that no server has open", path, checked.Damage[0], target)
	}
	if err := os.Rename(copied.Name(), target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s is written, and sound (%s).\n", target, holds(checked))
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
			return noFile(path)
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

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, failed := os.Stat(b)
	return err == nil && failed == nil && os.SameFile(one, other)
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
