package api

// POST /v1/consensus.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

const (
	consensusPath  = "/v1/consensus"
	idempotencyKey = "Idempotency-Key"
)

// askInput is a question. The Idempotency-Key is read from the request itself, since huma
// does not tell an empty header from a missing one.
type askInput struct {
	requestBody
	NoCache string `header:"Cache-Control" doc:"no-cache: share votes with no other request." example:"no-cache"`
	Key     string `header:"Idempotency-Key" minLength:"1" maxLength:"255" pattern:"^[!-~]{1,255}$" doc:"The same key and body from the same caller give the same answer, paid once, for 24 hours. Bodies are compared byte by byte." example:"bot-7:BTC/USDT:5m:1795410000"`
}

// jsonOutput is an answer whose body is sent unchanged.
type jsonOutput struct {
	Status       int
	ContentType  string `header:"Content-Type" hidden:"true"`
	CacheControl string `header:"Cache-Control" hidden:"true"`
	ETag         string `header:"ETag" hidden:"true"`
	Replayed     string `header:"Idempotency-Replayed" hidden:"true"`
	Age          string `header:"Age" hidden:"true"`
	Vary         string `header:"Vary" hidden:"true"`
	NextCursor   string `header:"Next-Cursor" hidden:"true"`
	Disposition  string `header:"Content-Disposition" hidden:"true"`
	Body         []byte
}

const jsonType = "application/json"

// asJSON makes an answer of a document.
func (x *exchange) asJSON(status int, document any) (*jsonOutput, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, x.refuse(err)
	}
	return &jsonOutput{Status: status, ContentType: jsonType, Body: body}, nil
}

// refuse makes an answer of an error from the service.
func (x *exchange) refuse(err error) error { return x.finish(problemOf(err)) }

func (s *server) ask(ctx context.Context, in *askInput) (*jsonOutput, error) {
	answer, err := s.answer(ctx, in, parseQuestion(in.document, s.service.Registry), "")
	if err != nil {
		return nil, err
	}
	if answer.Body != nil { // these bytes are stored, and will be read back
		return &jsonOutput{Status: http.StatusOK, ContentType: jsonType, Age: ageOf(answer.Consensus), Body: answer.Body}, nil
	}
	return exchangeOf(ctx).answered(answer, answer.Consensus)
}

// answer asks the service a question that came by a route. The route is a part of what an
// Idempotency-Key stands for, and is empty for POST /v1/consensus.
func (s *server) answer(ctx context.Context, in *askInput, question *fields, route string) (service.Answer, error) {
	x := exchangeOf(ctx)
	key, mistakes := keyOf(x.r.Header)
	if mistakes = question.refuse(mistakes, s.service.Orchestrator.Check); mistakes != nil {
		return service.Answer{}, x.finish(invalid(mistakes))
	}
	answer, err := s.service.Ask(ctx, service.Question{
		Request: question.request, IdempotencyKey: key, Caller: x.caller, Route: route, Payload: payload(in.raw), Size: len(in.raw),
		MaxAge: question.maxAge, NoCache: noCache(x.r.Header),
		Waiting: func() { in.requestBody, question.request, question.values = requestBody{}, orchestrator.Request{}, nil },
	})
	var found signal.FieldErrors
	if errors.As(err, &found) {
		question.merge(found)
		return answer, x.finish(invalid(question.mistakes))
	}
	if err != nil {
		return answer, x.refuse(err)
	}
	attrs := []slog.Attr{slog.String("request_id", x.id), slog.String("run", answer.Consensus.ID), slog.String("path", x.r.URL.Path), slog.String("cache", string(answer.Consensus.Cache))}
	if from := answer.Consensus.SharedFrom; from != nil {
		attrs = append(attrs, slog.String("shared_from", *from))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "Answered:", append(attrs, x.callerAttr()...)...)
	return answer, nil
}

// answered sends a document that shows an answer.
func (x *exchange) answered(answer service.Answer, document any) (*jsonOutput, error) {
	out, err := x.asJSON(http.StatusOK, document)
	if err == nil && answer.Replayed {
		out.Replayed = "true"
	}
	if err == nil {
		out.Age = ageOf(answer.Consensus)
	}
	return out, err
}

// ageOf is the age in seconds of votes that were there already; empty for others.
func ageOf(c *signal.Consensus) string {
	if c.Cache != signal.CacheHit {
		return ""
	}
	return strconv.Itoa(max(int(c.Timestamp.Sub(c.VotesAt).Seconds()), 0)) // clocks of two machines may differ
}

// noCache reports whether a request wants a run of its own.
func noCache(header http.Header) bool {
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(directive), "no-cache") {
			return true
		}
	}
	return false
}

// keyOf reads the Idempotency-Key. An empty one is a mistake, because its sender expects not
// to pay twice.
func keyOf(header http.Header) (string, []Mistake) {
	values := header.Values(idempotencyKey)
	if len(values) == 0 {
		return "", nil
	}
	wrong := func(message string) (string, []Mistake) {
		return "", []Mistake{{Location: "header." + idempotencyKey, Message: message, Value: scalarOf(values[0])}}
	}
	if len(values) > 1 {
		return wrong("is there more than once: send one")
	}
	if n := len(values[0]); n == 0 || n > 255 {
		return wrong("has not 1 to 255 visible characters")
	}
	if strings.IndexFunc(values[0], func(c rune) bool { return c < '!' || c > '~' }) >= 0 {
		return wrong("has not 1 to 255 visible characters: only ASCII without spaces is")
	}
	return values[0], nil
}

// payload identifies a body byte by byte. A retry sends the same bytes; other bytes with the
// same meaning are another request.
func payload(body []byte) string {
	hash := sha256.Sum256(body)
	return hex.EncodeToString(hash[:])
}

// askResponse describes the answer to a question.
func askResponse(description string, schema *huma.Schema, example any) *huma.Response {
	ok := jsonResponse(description, schema, example)
	ok.Headers["Idempotency-Replayed"] = &huma.Header{Description: "`true` if this is the earlier answer to the same Idempotency-Key; otherwise absent.", Schema: &huma.Schema{Type: "string", Enum: []any{"true"}}}
	ok.Headers["Age"] = &huma.Header{Description: "With `cache: hit`, the age of the votes in seconds; otherwise absent.", Schema: &huma.Schema{Type: "integer", Minimum: new(0.0)}}
	return ok
}

func (s *server) askOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "askConsensus", Method: http.MethodPost, Path: consensusPath, Tags: []string{"Consensus"},
		Summary: "Ask the models now",
		Description: "Asks every available provider at the same time and makes one decision from the answers. It answers when all have answered or failed, " +
			"or, with `wait: decided`, when no missing answer can change the decision. Equal questions of one caller at the same time share the votes of one run, and each is decided by its own weights, gates and quorum; `Cache-Control: no-cache` asks alone. A client that leaves does not stop a run: the run is finished and stored.",
		SkipValidateParams: true, // keyOf checks the key
		RequestBody:        jsonBody("The question. `null` in an optional field is the same as leaving it out; unknown fields are refused.", s.objectSchema("Question", questionFields, false, "pair", "current_price", "market_data"), examples["question"]),
	}
	ok := askResponse("The decision. HOLD is a decision too; a missing quorum is an error.", refTo[signal.Consensus](s), examples["consensus"])
	ok.Links = map[string]*huma.Link{"read": {OperationID: "getConsensus", Parameters: map[string]any{"id": "$response.body#/id"}, Description: "The same consensus, stored."}}
	return s.documented(op, ok, unreadableBody, crossOrigin, inFlight, bodyTooLarge, wrongMediaType, invalidRequest, otherBody, requestBudget, dailyBudget,
		noProviders, insufficientProviders, insufficientResponses, tooManyRuns, budgetUnknown, keysUnavailable, storeUnreachable, tooLate, stillAsked, aggregationFailed)
}
