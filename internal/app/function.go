package app

// A Lambda function out of its environment.

import (
	"context"
	"log/slog"
	"net/http"

	"thalas/internal/api"
	"thalas/internal/config"
)

// Gateway is how a Lambda function meets API Gateway. It is passed in, so that this
// package does not need the library of Lambda.
type Gateway struct {
	Caller  func(context.Context) string // who has sent the request of a context: its key is checked already
	Handler func(http.Handler) any       // answers proxy events by HTTP requests
}

// Function builds what answers the events of a Lambda function: the Schedule where
// FUNCTION_ROLE says so, otherwise the HTTP API over the tables, behind the gateway.
// An error means that it is set up wrongly.
func Function(environ []string, version string, log *slog.Logger, gateway Gateway) (any, error) {
	c, err := config.Load(environ, Known())
	if err != nil {
		return nil, err
	}
	for _, warning := range c.Warnings {
		log.Warn("Configuration:", slog.String("warning", warning))
	}
	a, err := New(c, log, nil)
	if err != nil {
		return nil, err
	}
	if c.Role == "schedule" {
		return a.NewSchedule(version)
	}
	tables, err := a.OpenTables()
	if err != nil {
		return nil, err
	}
	s := a.NewService(tables, version)
	return gateway.Handler(api.New(s, api.Options{Caller: gateway.Caller, Version: version, Logger: log})), nil
}
