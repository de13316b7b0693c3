package main

// thalas check and thalas compact: check the store's file, and make it smaller.

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"thalas/internal/store/bolt"
)

func newCheck(t terminal) *cobra.Command {
	var named string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read every record of the store's file, and tell what is damaged",
		Long: `Read every record of the store's file, compare the lists with the records, and tell what is
damaged. The file is not changed. No server may have it open: check a copy of 'thalas backup'
instead.

Exit codes: 0 the file is sound, 2 wrong usage or configuration, 1 it is damaged, or anything
else.`,
		Example: "  thalas check\n  thalas check --data-file thalas-monday.db",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := fileOf(cmd, t, named)
			if err != nil {
				return err
			}
			checked, err := bolt.Check(cmd.Context(), path)
			switch {
			case errors.Is(err, bolt.ErrInUse):
				return fmt.Errorf("%w; or check a copy of it: 'thalas backup copy.db', then 'thalas check --data-file copy.db'", err)
			case errors.Is(err, fs.ErrNotExist):
				return noFile(path)
			case err != nil:
				return err
			case len(checked.Damage) == 0:
				_, err := fmt.Fprintf(t.out, "%s is sound (%s).\n", path, holds(checked))
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
			return fmt.Errorf("%s is damaged. What can be read of it: %s. Restore it from a backup and keep the damaged file: 'thalas export --format jsonl' may save results of it that are younger, for 'thalas import'", path, holds(checked))
		},
	}
	dataFileFlag(cmd, &named)
	return cmd
}

// holds writes what a file holds.
func holds(c bolt.Checked) string {
	return fmt.Sprintf("results: %d, hours of counters: %d, claims: %d, sums: %d, size: %s", c.Results, c.Hours, c.Claims, c.Sums, size(c.Size))
}

func newCompact(t terminal) *cobra.Command {
	var named string
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Write the store's file anew without the space that it does not use",
		Long: `Write a copy of the store's file without unused space, check the copy, and replace the file
by it. Until then the file stays as it is. No server may have the file open, and the disk
needs room for both.

Exit codes: 0 it is done, 2 wrong usage or configuration, 1 anything else.`,
		Example: "  thalas compact\n  thalas compact --data-file ./thalas.db",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := fileOf(cmd, t, named)
			if err != nil {
				return err
			}
			before, after, err := bolt.Compact(cmd.Context(), path)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return noFile(path)
			case errors.Is(err, bolt.ErrInUse):
				return fmt.Errorf("%w: a file is compacted while nobody has it open", err)
			case err != nil:
				return err
			}
			_, err = fmt.Fprintf(t.out, "%s: %s before, %s after.\n", path, size(before), size(after))
			return err
		},
	}
	dataFileFlag(cmd, &named)
	return cmd
}
