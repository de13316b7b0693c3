package api

// GET /v1/series: the series that have a result in the last day or are watched.

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/service"
)

type seriesInput struct {
	IfNoneMatch string `header:"If-None-Match" doc:"ETags that the caller has. If one matches, the answer is 304 without a body."`
}

// Resolve refuses parameters that the route does not have.
func (in *seriesInput) Resolve(ctx huma.Context) []error { return checkQuery(ctx) }

func (s *server) series(ctx context.Context, _ *seriesInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	list, err := s.service.Series(ctx)
	if err != nil {
		return nil, x.refuse(err)
	}
	body, err := json.Marshal(list)
	if err != nil {
		return nil, x.refuse(err)
	}
	return cached(body, tagOf(body), "private, no-cache", x.tagsHeld()), nil
}

func (s *server) seriesOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "listSeries", Method: http.MethodGet, Path: "/v1/series", Tags: []string{"Consensus"},
		Summary: "The series of the last day and the watched ones",
		Description: "Every series with a result in the last 24 hours, by pair and timeframe, over all processes that share the store. `thalas watch` adds those that it watches, and on AWS the schedule's watch list is added while it is on, also without a result. " +
			"No provider is called. New results are seen within 15 seconds. Of clients with hundreds of different questions an hour, not all are listed. Simulated results are left out unless the server simulates.",
	}
	ok := jsonResponse("The series.", &huma.Schema{Type: huma.TypeArray, Items: refTo[service.Series](s)}, examples["series"])
	op = cacheable(op, ok, "`private, no-cache`: ask with If-None-Match.")
	return s.documented(op, ok, invalidRequest, storeUnreachable)
}
