package main

// Opening the store of a command: the three DynamoDB tables if they are configured, and
// otherwise one file.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// tablesTimeout bounds the first reads of the tables.
const tablesTimeout = 10 * time.Second

// openedStore is an open store.
type openedStore struct {
	store.Store
	name     string                 // for people
	announce func(url string) error // tells other commands the server that has the store open
	file     *bolt.Store            // nil: the store is in the tables
	token    string                 // other commands prove by it that they may read the file's folder
}

// openStore opens the store of a server.
func openStore(ctx context.Context, t terminal, a *app.App, log *slog.Logger) (openedStore, error) {
	if a.Config.OnTables() {
		return openTables(ctx, a)
	}
	path, err := dataFile(a.Config, t.environ)
	if err != nil {
		return openedStore{}, err
	}
	file, err := bolt.Open(path, bolt.Options{SweepEvery: sweepEvery, Log: log})
	if err != nil {
		return openedStore{}, err
	}
	token := rand.Text()
	return openedStore{file, path, func(url string) error { return file.Announce(url, token) }, file, token}, nil
}

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
	return openedStore{
		Store: tables, name: fmt.Sprintf("DynamoDB tables %s, %s and %s", c.ResultsTable, c.MetricsTable, c.CoordinationTable),
		announce: func(string) error { return nil },
	}, nil
}

func dataFileFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "data-file", "", "`file` of the store (default: DATA_FILE, else thalas.db in the user's data folder)")
}

// dataFile gives the path of the configured file, or of thalas.db in the user's data
// folder.
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
