package api

// POST /v1/replay: stored votes under another policy.

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const replayPath = "/v1/replay"

type replayInput struct{ requestBody }

// Replay is a page of replayed runs.
type Replay struct {
	service.Replayed
	NextCursor *string `json:"next_cursor"`
}

// replayFields are the keys of POST /v1/replay. The contract's schema has the
// same ones, held together by a test.
var replayFields = []field{
	{"pair", (*fields).market},
	{"timeframe", (*fields).timeframe},
	{"from", func(f *fields, raw json.RawMessage) { f.moment("from", raw, &f.query.From) }},
	{"to", func(f *fields, raw json.RawMessage) { f.moment("to", raw, &f.query.To) }},
	{"provider_weights", (*fields).weights},
	{"min_confidence", func(f *fields, raw json.RawMessage) { f.share("min_confidence", raw, &f.request.MinConfidence) }},
	{"min_agreement", func(f *fields, raw json.RawMessage) { f.share("min_agreement", raw, &f.request.MinAgreement) }},
	{"limit", (*fields).limit},
	{"cursor", (*fields).cursor},
}

// parseReplay reads a body that checkJSON has passed.
func parseReplay(body []byte, registry *provider.Registry, check func(orchestrator.Policy) (orchestrator.Policy, error)) (service.Query, orchestrator.Policy, []Mistake) {
	f := fields{values: map[string]json.RawMessage{}, registry: registry}
	if !f.read(body, replayFields, "pair") {
		return f.query, orchestrator.Policy{}, f.mistakes
	}
	f.query.Pair, f.query.Timeframe = f.request.Pair, f.request.Timeframe
	if raw := f.values["pair"]; raw == nil || isNull(raw) {
		f.wrong("pair", "is missing: send one such as BTC/USDT", raw)
	}
	if !f.query.From.IsZero() && !f.query.To.IsZero() && !f.query.From.Before(f.query.To) {
		f.wrong("to", "is not after from: the window is empty", f.values["to"])
	}
	policy, err := check(orchestrator.Policy{Weights: f.request.Weights, MinConfidence: f.request.MinConfidence, MinAgreement: f.request.MinAgreement})
	f.merge(err)
	return f.query, policy, f.mistakes
}

// moment reads a time: RFC 3339, or seconds or milliseconds since 1970.
func (f *fields) moment(name string, raw json.RawMessage, into *time.Time) {
	const send = "is no time from 1970 to 2199: send RFC 3339 such as 2026-11-23T05:00:00Z, or seconds since 1970"
	var text string
	var at time.Time
	err := json.Unmarshal(raw, &text)
	if err == nil {
		at, err = time.Parse(time.RFC3339, text)
	} else if raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9') {
		at, err = signal.EpochTime(string(raw))
	}
	if err != nil || at.UTC().Year() < 1970 || at.UTC().Year() > 2199 {
		f.wrong(name, send, raw)
		return
	}
	*into = at.UTC()
}

func (f *fields) limit(raw json.RawMessage) {
	n, ok := f.number("limit", raw, fmt.Sprintf("a whole number from 1 to %d", service.MaxLimit))
	if !ok {
		return
	}
	v := n.Float64()
	if v != math.Trunc(v) || v < 1 || v > service.MaxLimit {
		f.wrong("limit", fmt.Sprintf("is no whole number from 1 to %d", service.MaxLimit), raw)
		return
	}
	f.query.Limit = int(v)
}

func (f *fields) cursor(raw json.RawMessage) {
	text, ok := f.text("cursor", raw, "a next_cursor, or leave it out")
	if !ok {
		return
	}
	cursor, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !store.IsPosition(string(cursor)) {
		f.wrong("cursor", wrongCursor, raw)
		return
	}
	f.query.Cursor = string(cursor)
}

func (s *server) replay(ctx context.Context, in *replayInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	query, policy, mistakes := parseReplay(in.raw, s.service.Registry, s.service.Orchestrator.CheckPolicy)
	if len(mistakes) > 0 {
		return nil, x.finish(invalid(mistakes))
	}
	if p := s.refuseContract(ctx, "body.pair", query.Pair, cmp.Or(query.Timeframe, signal.DefaultTimeframe)); p != nil {
		return nil, x.finish(p)
	}
	replayed, err := s.service.Replay(ctx, query, policy)
	var found signal.FieldErrors
	switch {
	case errors.As(err, &found): // of the cursor: all else was checked
		return nil, x.finish(invalid(fieldMistakes("body", found, func(string) json.RawMessage {
			return scalarOf(base64.RawURLEncoding.EncodeToString([]byte(query.Cursor)))
		})))
	case err != nil:
		return nil, x.refuse(err)
	}
	answer := Replay{Replayed: replayed}
	if replayed.Next != "" {
		answer.NextCursor = new(base64.RawURLEncoding.EncodeToString([]byte(replayed.Next)))
	}
	return x.asJSON(http.StatusOK, answer)
}

func (s *server) replayOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "replayConsensus", Method: http.MethodPost, Path: replayPath, Tags: []string{"Consensus"},
		Summary: "Stored votes under another policy",
		Description: "Decides the stored runs of a pair and timeframe anew, under other weights or gates, and lists those that would have had another decision. " +
			"What the request leaves out stays as it was in each run. No provider is called, nothing is paid and nothing is stored. Simulated results are left out unless the server simulates.",
		RequestBody: jsonBody("Which runs, and under which policy. `null` is the same as leaving a field out; unknown fields are refused.", s.replaySchema(), exampleReplayRequest()),
	}
	ok := jsonResponse("A page: `limit` runs, newest first, and what would have differed.", refTo[Replay](s), exampleReplay())
	return s.documented(op, ok, unreadableBody, crossOrigin, bodyTooLarge, wrongMediaType, invalidRequest, storeUnreachable)
}

// replaySchema is the body of POST /v1/replay.
func (s *server) replaySchema() *huma.Schema {
	moment := func(description string) *huma.Schema {
		return &huma.Schema{AnyOf: append(momentSchemas(huma.TypeNumber), &huma.Schema{Type: "null"}), Description: description}
	}
	question := s.huma.OpenAPI().Components.Schemas.Map()["Question"].Properties
	weights := s.weightsSchema()
	weights.Description = "Weights by provider, in any case, in place of those that the votes had. A provider that is left out keeps its weight."
	return s.named("ReplayRequest", &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"pair"}, Properties: map[string]*huma.Schema{
		"pair":             seriesSchema("The series: a pair in any notation, or the free text that was sent to the compatibility route.", "BTC/USDT"),
		"timeframe":        question["timeframe"],
		"from":             moment("Runs whose candle_time is at or after it, from 1970 to 2199: RFC 3339, or seconds or milliseconds since 1970. Default: the oldest."),
		"to":               moment("Runs whose candle_time is before it. Default: no bound."),
		"provider_weights": weights,
		"min_confidence":   shareSchema("Below it, a BUY or SELL is HOLD. Default: as in each run."),
		"min_agreement":    shareSchema("Below it, a BUY or SELL is HOLD. Default: as in each run."),
		"limit":            {Type: huma.TypeInteger, Nullable: true, Minimum: new(1.0), Maximum: new(float64(service.MaxLimit)), Default: service.MaxLimit, Description: "Runs of a page, changed or not."},
		"cursor":           {Type: huma.TypeString, Format: "cursor", Nullable: true, MinLength: new(1), Description: "next_cursor of the page before."},
	}})
}
