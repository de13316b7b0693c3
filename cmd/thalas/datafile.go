package main

// Where the store's file lies.

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"thalas/internal/config"
)

func dataFileFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "data-file", "", "`file` of the store (default: DATA_FILE, else thalas.db in the user's data folder)")
}

// dataFile is the configured file, else thalas.db in the user's data folder.
func dataFile(c config.Config, environ environment) (string, error) {
	if c.DataFile != "" {
		return c.DataFile, nil
	}
	for _, folder := range [...]struct{ variable, below string }{
		{"XDG_DATA_HOME", ""}, {"LocalAppData", ""}, {"HOME", ".local/share"}, {"USERPROFILE", ".local/share"},
	} {
		if path := environ.Getenv(folder.variable); filepath.IsAbs(path) {
			return filepath.Join(path, folder.below, "thalas", "thalas.db"), nil
		}
	}
	return "", usagef("there is no home folder for the store: set DATA_FILE")
}
