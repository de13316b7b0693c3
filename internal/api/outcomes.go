package api

// GET /v1/outcomes and GET /v1/scoreboard: what became of decisions, and how good they were.

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// Outcomes is a page of outcomes. It is written from the stored bytes.
type Outcomes struct {
	Items      []outcome.Outcome `json:"items" doc:"Settled and unresolved ones, newest first."`
	NextCursor *string           `json:"next_cursor" doc:"Send it as cursor for the next page; null if there is none."`
}

// VoteOutcome is what became of a vote, under another name than that of a vote.
type VoteOutcome outcome.Vote

// PendingOutcome stands for an outcome that is not known yet.
type PendingOutcome struct {
	Status outcome.Status `json:"status"`
	Due    time.Time      `json:"due" doc:"When the window has ended and candles can settle it."`
}

// StoredConsensus is a consensus with its outcome. It is written from the stored bytes.
type StoredConsensus struct{}

// Schema is read by huma.
func (StoredConsensus) Schema(registry huma.Registry) *huma.Schema {
	ref := registry.Schema(reflect.TypeFor[signal.Consensus](), true, "")
	known, pending := registry.Schema(reflect.TypeFor[outcome.Outcome](), true, ""), registry.Schema(reflect.TypeFor[PendingOutcome](), true, "")
	return &huma.Schema{AllOf: []*huma.Schema{ref, {Type: huma.TypeObject, Required: []string{"outcome"}, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"market_data": {Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Description: "With include=market_data alone: what the models saw, as in the question. null if it is not kept."},
		"outcome":     {Description: "What became of it.", AnyOf: []*huma.Schema{known, pending}},
	}}}}
}

type outcomesInput struct {
	Pair      string    `query:"pair" format:"market" minLength:"1" maxLength:"300" doc:"The series: a pair in any notation, or the free text that was sent to the compatibility route. Without it, all of them." example:"BTC/USDT"`
	Timeframe timeframe `query:"timeframe" doc:"The length of a candle. Default: with pair 5m, without pair all."`
	From      string    `query:"from" doc:"The first day."`
	To        string    `query:"to" doc:"The day after the last one."`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The most outcomes of a page."`
	Cursor    string    `query:"cursor" format:"cursor" doc:"next_cursor of the previous page."`

	query service.Query
}

// Resolve reads the parameters.
func (in *outcomesInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	in.query.Pair = readParameter(&mistakes, "pair", in.Pair, signal.ParseMarket)
	if in.Timeframe != "" || in.Pair != "" {
		in.query.Timeframe = mistakes.timeframe(in.Timeframe)
	}
	in.query.From, in.query.To, in.query.Limit = readParameter(&mistakes, "from", in.From, parseDay), readParameter(&mistakes, "to", in.To, parseDay), in.Limit
	in.query.Cursor = readParameter(&mistakes, "cursor", in.Cursor, readCursor(store.IsPosition))
	return mistakes
}

func (s *server) outcomes(ctx context.Context, in *outcomesInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	if p := s.refuseContract(ctx, "query.pair", in.query.Pair, in.query.Timeframe); p != nil {
		return nil, x.finish(p)
	}
	list, err := s.service.Outcomes(ctx, in.query)
	if err != nil {
		return nil, x.refuseQuery(err)
	}
	return x.asList(list.Items, list.Next, outcomeColumns, "outcomes.csv")
}

type scoreboardInput struct {
	Timeframe     timeframe `query:"timeframe" doc:"The length of a candle. Without it, there is a board for each that has results."`
	Pair          string    `query:"pair" format:"pair" minLength:"2" maxLength:"64" doc:"A pair in any notation. Without it, all pairs are counted." example:"BTC/USDT"`
	From          string    `query:"from" doc:"The first day."`
	To            string    `query:"to" doc:"The day after the last one."`
	PromptVersion string    `query:"prompt_version" pattern:"^[0-9A-Za-z._-]{1,64}$" doc:"Results under another prompt are not counted. Default: the current one." example:"3f6c1f0a"`

	query service.ScoreQuery
}

// Resolve reads the parameters.
func (in *scoreboardInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	in.query.Pair = readParameter(&mistakes, "pair", in.Pair, signal.ParsePair)
	if in.Timeframe != "" {
		in.query.Timeframe = mistakes.timeframe(in.Timeframe)
	}
	in.query.From, in.query.To, in.query.PromptVersion = readParameter(&mistakes, "from", in.From, parseDay), readParameter(&mistakes, "to", in.To, parseDay), in.PromptVersion
	return mistakes
}

func (s *server) scoreboard(ctx context.Context, in *scoreboardInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	board, err := s.service.Scoreboard(ctx, in.query)
	if err != nil {
		return nil, x.refuseQuery(err)
	}
	return x.asJSON(http.StatusOK, board)
}

func (s *server) outcomesOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "listOutcomes", Method: http.MethodGet, Path: "/v1/outcomes", Tags: []string{"Outcomes"},
		Summary: "What became of decisions, newest first",
		Description: "Each decision is judged by the three candles that came after its answer. An outcome belongs to the UTC day of its `from`, and from ≤ day < to. Those that are pending are left out. " +
			"The answer is JSON or, with `Accept: text/csv`, CSV without the votes; its cells that a spreadsheet would run begin with `'`. Simulated results are left out unless the server simulates.",
		Parameters: []*huma.Param{
			dayParam("from", "The first UTC day: a day such as 2026-11-23, or a time in it. Default: with pair the oldest, without pair today, or the day before to."),
			dayParam("to", fmt.Sprintf("The UTC day after the last one. Without pair it is at most %d days after from. Default: the newest.", service.MaxOutcomeDays)),
		},
	}
	return s.documented(op, listResponse(refTo[Outcomes](s), examples["outcome"], outcomeColumns), invalidRequest, storeUnreachable)
}

func (s *server) scoreboardOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "scoreboard", Method: http.MethodGet, Path: "/v1/scoreboard", Tags: []string{"Outcomes"},
		Summary: "How good the decisions and each model were",
		Description: "A board for each timeframe, and on it a row for the consensus and for each model that voted: hit rates with intervals, against chance and against costs, and net returns. " +
			"A figure that can't be formed is null, never 0. Simulated results are left out unless the server simulates.",
		Parameters: []*huma.Param{
			dayParam("from", fmt.Sprintf("The first UTC day: a day such as 2026-11-23, or a time in it. At most %d days before to. Default: 365 days before to.", service.MaxScoreDays)),
			dayParam("to", "The UTC day after the last one. Default: tomorrow."),
		},
	}
	return s.documented(op, jsonResponse("The boards, the shortest timeframe first.", refTo[outcome.Scoreboard](s), examples["scoreboard"]), invalidRequest, storeUnreachable)
}
