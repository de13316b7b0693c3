package api

// POST /v1/replay: stored votes under another policy.

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/strictjson"
)

const replayPath = "/v1/replay"

type replayInput struct{ requestBody }

// Replay is a page of replayed runs.
type Replay struct {
	service.Replayed
	NextCursor *string `json:"next_cursor"`
}

// replayFields are the keys of POST /v1/replay.
var replayFields = []field{
	{"id", func(f *fields, raw strictjson.Value) {
		readText(f, "id", raw, "the id of an answer", func(text string) (string, error) { return text, nil }, &f.id)
	}, huma.Schema{Type: huma.TypeString, Nullable: true, Format: "uuid", Examples: []any{exampleID}, Description: "One run, in place of pair, timeframe, from, to, limit and cursor. It is an item even if its decision stays the same, and `now` has its weighted_votes and explanation."}},
	marketField("The series: a pair in any notation, or the free text that was sent to the compatibility route.", "BTC/USDT"),
	timeframeField("The length of a candle. Case matters: `1M` is refused."),
	momentField("from", "Runs whose candle_time is at or after it, from 1970 to 2199: RFC 3339, or seconds or milliseconds since 1970. Default: the oldest.", func(q *service.Query) *time.Time { return &q.From }),
	momentField("to", "Runs whose candle_time is before it. Default: no bound.", func(q *service.Query) *time.Time { return &q.To }),
	policyField(weightsKey, weightsSchema("Weights by provider, in any case, which replace those that the votes had. A provider that is not named keeps its weight.")),
	policyField("min_confidence", shareSchema("Below it, a BUY or SELL is HOLD. Default: as in each run.")),
	policyField("min_agreement", shareSchema("Below it, a BUY or SELL is HOLD. Default: as in each run.")),
	{"limit", func(f *fields, raw strictjson.Value) {
		send := fmt.Sprintf("a whole number from 1 to %d", service.MaxLimit)
		n, ok := f.number("limit", raw, send)
		if f.query.Limit = int(n.Float64()); ok && (float64(f.query.Limit) != n.Float64() || f.query.Limit < 1 || f.query.Limit > service.MaxLimit) {
			f.wrong("limit", "is no "+strings.TrimPrefix(send, "a "), raw)
		}
	}, huma.Schema{Type: huma.TypeInteger, Nullable: true, Minimum: new(1.0), Maximum: new(float64(service.MaxLimit)), Default: service.MaxLimit, Description: "Runs of a page, changed or not."}},
	{"cursor", func(f *fields, raw strictjson.Value) {
		readText(f, "cursor", raw, "a next_cursor, or leave it out", readCursor(store.IsPosition), &f.query.Cursor)
	}, huma.Schema{Type: huma.TypeString, Format: "cursor", Nullable: true, MinLength: new(1), Description: "next_cursor of the previous page."}},
}

func momentField(name, description string, into func(*service.Query) *time.Time) field {
	return field{name, func(f *fields, raw strictjson.Value) {
		at, err := signal.ReadTime(raw)
		if err != nil {
			f.wrong(name, "is no time from 1970 to 2199: send RFC 3339 such as 2026-11-23T05:00:00Z, or seconds since 1970", raw)
			return
		}
		*into(&f.query) = at
	}, huma.Schema{AnyOf: append(momentSchemas(huma.TypeNumber), &huma.Schema{Type: "null"}), Description: description}}
}

// parseReplay reads a body.
func parseReplay(body strictjson.Value, registry *provider.Registry, check func(orchestrator.Policy) (orchestrator.CheckedPolicy, error)) (*fields, orchestrator.CheckedPolicy) {
	f := &fields{values: map[string]strictjson.Value{}, registry: registry}
	if f.read(body, replayFields, "pair or id"); f.unread {
		return f, orchestrator.CheckedPolicy{}
	}
	f.query.Pair, f.query.Timeframe = f.request.Pair, f.request.Timeframe
	if f.values["id"].IsNull() {
		if raw := f.values["pair"]; raw.IsNull() {
			f.wrong("pair", "is missing: send one such as BTC/USDT, or the id of a run", raw)
		}
	} else {
		for _, name := range []string{"pair", "timeframe", "from", "to", "limit", "cursor"} {
			if raw := f.values[name]; !raw.IsNull() {
				f.wrong(name, "does not go with id, which names one run: leave it out", raw)
			}
		}
	}
	if !f.query.From.IsZero() && !f.query.To.IsZero() && !f.query.From.Before(f.query.To) {
		f.wrong("to", "is not after from: the window is empty", f.values["to"])
	}
	policy, err := check(f.request.Policy)
	f.merge(err)
	return f, policy
}

func (s *server) replay(ctx context.Context, in *replayInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	asked, policy := parseReplay(in.document, s.service.Registry, s.service.Orchestrator.CheckPolicy)
	if len(asked.mistakes) > 0 {
		return nil, x.finish(invalid(asked.mistakes))
	}
	if !asked.values["id"].IsNull() {
		return s.replayOne(ctx, asked.id, policy)
	}
	query := asked.query
	if p := s.refuseContract(ctx, "body.pair", query.Pair, cmp.Or(query.Timeframe, signal.DefaultTimeframe)); p != nil {
		return nil, x.finish(p)
	}
	replayed, err := s.service.Replay(ctx, query, policy)
	if err != nil {
		return nil, x.refuse(err)
	}
	answer := Replay{Replayed: replayed}
	if replayed.Next != "" {
		answer.NextCursor = new(writeCursor(replayed.Next))
	}
	return x.asJSON(http.StatusOK, answer)
}

// replayOne replays the run of an id.
func (s *server) replayOne(ctx context.Context, id string, policy orchestrator.CheckedPolicy) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	if !store.IsID(id) {
		return nil, x.finish(noSuchID(id))
	}
	replayed, err := s.service.ReplayOne(ctx, id, policy)
	if err != nil {
		return nil, x.refuse(err)
	}
	return x.asJSON(http.StatusOK, Replay{Replayed: replayed})
}

func (s *server) replayOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "replayConsensus", Method: http.MethodPost, Path: replayPath, Tags: []string{"Consensus"},
		Summary: "Stored votes under another policy",
		Description: "Decides the stored runs of a pair and timeframe, or the one of an id, anew, under other weights or gates, and lists those that would have had another decision. " +
			"What the request leaves out stays as it was in each run. No provider is called, nothing is paid and nothing is stored. Simulated results are left out unless the server simulates.",
		RequestBody: jsonBody("Which runs, and under which policy. `null` is the same as leaving a field out; unknown fields are refused.", s.objectSchema("ReplayRequest", replayFields, false), examples["replay_request"]),
	}
	s.huma.OpenAPI().Components.Schemas.Map()["ReplayRequest"].AnyOf = []*huma.Schema{{Required: []string{"pair"}}, {Required: []string{"id"}}}
	ok := jsonResponse("A page: `limit` runs, newest first, and those whose decision would have been another.", refTo[Replay](s), examples["replay"])
	return s.documented(op, ok, unreadableBody, crossOrigin, unknownID, bodyTooLarge, wrongMediaType, invalidRequest, storeUnreachable)
}
