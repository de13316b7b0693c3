package main

// Which store it is: the three DynamoDB tables where they are set, else one file.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"thalas/internal/app"
	"thalas/internal/store"
	"thalas/internal/store/bolt"
)

// tablesTimeout bounds the first reads of the tables.
const tablesTimeout = 10 * time.Second

// keep is a store that is open.
type keep struct {
	store.Store
	name     string                 // for people
	announce func(url string) error // tells other commands which server has it
	file     *bolt.Store            // nil: it is in the tables
	token    string                 // by which other commands show that they may read the file's folder
}

// openKeep opens the store of a server.
func openKeep(ctx context.Context, t terminal, a *app.App, log *slog.Logger) (keep, error) {
	if a.Config.OnTables() {
		return openTables(ctx, a)
	}
	path, err := dataFile(a.Config, t.environ)
	if err != nil {
		return keep{}, err
	}
	file, err := bolt.Open(path, bolt.Options{SweepEvery: sweepEvery, Log: log})
	if err != nil {
		return keep{}, err
	}
	token := rand.Text()
	return keep{file, path, func(url string) error { return file.Announce(url, token) }, file, token}, nil
}

// openTables opens the store in DynamoDB. It reads from two of the tables, so that
// wrong credentials or names show at once; the third, of claims and spending, is
// only ever written.
func openTables(ctx context.Context, a *app.App) (keep, error) {
	tables, err := a.OpenTables()
	if err != nil {
		return keep{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, tablesTimeout)
	defer cancel()
	today := time.Now().UTC().Format(time.DateOnly)
	_, err = tables.Hours(ctx, today, today)
	if err == nil {
		_, err = tables.Result(ctx, "00000000-0000-7000-8000-000000000000")
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return keep{}, fmt.Errorf("the DynamoDB tables can't be read: %w; check the names, the AWS credentials and AWS_REGION, or unset RESULTS_TABLE, METRICS_TABLE and COORDINATION_TABLE to keep results in a file", err)
	}
	c := a.Config
	return keep{
		Store: tables, name: fmt.Sprintf("DynamoDB tables %s, %s and %s", c.ResultsTable, c.MetricsTable, c.CoordinationTable),
		announce: func(string) error { return nil },
	}, nil
}
