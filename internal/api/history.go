package api

// GET /v1/consensus: the history of a series, or the results of a day, as JSON or CSV.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// History is a page of the history. It is written from the stored bytes.
type History struct {
	Items      []StoredConsensus `json:"items" doc:"Whole consensuses, newest first."`
	NextCursor *string           `json:"next_cursor" doc:"Send it as cursor for the next page; null if there is none."`
}

type historyInput struct {
	Pair      string    `query:"pair" format:"market" minLength:"1" maxLength:"300" doc:"The series: a pair in any notation, or the free text that was sent to the compatibility route; without it, the answer is the feed of one UTC day: the day of from, or else today." example:"BTC/USDT"`
	Timeframe timeframe `query:"timeframe" default:"5m" doc:"The length of a candle, with pair; the feed has all of them."`
	From      string    `query:"from" doc:"With pair, results whose candle_time is at or after it; without pair, results whose timestamp is. RFC 3339, or seconds since 1970."`
	To        string    `query:"to" doc:"Results whose candle_time, without pair whose timestamp, is before it."`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The most results of a page."`
	Cursor    string    `query:"cursor" format:"cursor" doc:"next_cursor of the previous page."`

	query service.Query
}

// Resolve reads the parameters.
func (in *historyInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	in.query.Pair = readParameter(&mistakes, "pair", in.Pair, signal.ParseMarket)
	in.query.Timeframe, in.query.Limit = mistakes.timeframe(in.Timeframe), in.Limit
	in.query.From, in.query.To = readParameter(&mistakes, "from", in.From, parseMoment), readParameter(&mistakes, "to", in.To, parseMoment)
	mistakes.window(in.query.From, in.query.To)
	isCursor := store.IsPosition
	if in.Pair == "" {
		isCursor = store.IsID
	}
	in.query.Cursor = readParameter(&mistakes, "cursor", in.Cursor, readCursor(isCursor))
	return mistakes
}

// readCursor reads a cursor: the position in the store that it stands for, which isCursor
// knows.
func readCursor(isCursor func(string) bool) func(text string) (string, error) {
	return func(text string) (string, error) {
		position, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || !isCursor(string(position)) {
			return "", errors.New("is not a next_cursor of this list: leave it out to begin anew")
		}
		return string(position), nil
	}
}

// writeCursor encodes a position, since it has characters that a query must escape.
func writeCursor(position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(position))
}

func (s *server) history(ctx context.Context, in *historyInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	if p := s.refuseContract(ctx, "query.pair", in.query.Pair, in.query.Timeframe); p != nil {
		return nil, x.finish(p)
	}
	page, err := s.service.History(ctx, in.query)
	if err != nil {
		return nil, x.refuse(err)
	}
	bodies := make([]json.RawMessage, len(page.Results))
	for i := range page.Results {
		if bodies[i], err = service.WithOutcome(&page.Results[i]); err != nil {
			return nil, x.refuse(err)
		}
	}
	return x.asList(bodies, page.Next, csvColumns, "consensus.csv")
}

// asList answers with a page, as JSON or, if the caller prefers it, as CSV.
func (x *exchange) asList(documents []json.RawMessage, next string, columns []string, file string) (out *jsonOutput, err error) {
	next = writeCursor(next)
	out = &jsonOutput{Status: http.StatusOK, Vary: "Accept", NextCursor: next}
	if wantsCSV(x.r.Header.Values("Accept")) {
		out.ContentType, out.Disposition = csvType+"; charset=utf-8; header=present", fmt.Sprintf("attachment; filename=%q", file)
		out.Body, err = csvOf(columns, documents)
	} else {
		var cursor any // null if there is no next page
		if next != "" {
			cursor = next
		}
		out.ContentType = jsonType
		out.Body, err = listDocument(documents, "next_cursor", cursor)
	}
	if err != nil {
		return nil, x.refuse(err)
	}
	return out, nil
}

func (s *server) historyOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "listConsensus", Method: http.MethodGet, Path: consensusPath, Tags: []string{"Consensus"},
		Summary: "History, newest first",
		Description: "Stored consensuses of a pair and timeframe with what became of each, or, without a pair, all of a UTC day, as JSON or, with `Accept: text/csv`, as CSV. " +
			"Cells of the CSV that a spreadsheet would run begin with `'`. Simulated results are left out unless the server simulates.",
		Parameters: []*huma.Param{
			momentParam("from", "With pair, results whose candle_time is at or after it. Without pair, its UTC day is listed, else today, and results whose timestamp is at or after it. RFC 3339, or seconds or milliseconds since 1970."),
			momentParam("to", "Results whose candle_time, without pair whose timestamp, is before it."),
		},
	}
	ok := listResponse(refTo[History](s), examples["stored_consensus"], csvColumns)
	return s.documented(op, ok, invalidRequest, storeUnreachable)
}

// listResponse describes a page.
func listResponse(schema *huma.Schema, example json.RawMessage, columns []string) *huma.Response {
	ok := jsonResponse("A page.", schema, map[string]any{"items": []any{example}, "next_cursor": exampleCursor})
	rows, err := csvOf(columns, []json.RawMessage{example})
	if err != nil {
		panic(err) // every test of this package builds the contract
	}
	ok.Content[csvType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}, Example: string(rows)}
	ok.Headers["Next-Cursor"] = textHeader("The same as next_cursor, for readers of CSV; absent if there is no next page.")
	ok.Headers["Vary"] = textHeader("`Accept`.")
	return ok
}

// exampleCursor has the form of a real cursor.
var exampleCursor = writeCursor("2026-11-23T04:55:00Z#" + exampleID)
