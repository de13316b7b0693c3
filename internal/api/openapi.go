package api

// The OpenAPI document: huma makes it from the Go types, and every answer, header and error of
// an operation is added.

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/outcome"
)

// contract configures huma so that it serves nothing by itself and adds nothing to answers.
func contract(version string) huma.Config {
	c := huma.DefaultConfig("Thalas Consensus", version)
	c.Info.Description = "Asks several language models the same trading question at once and makes one decision from the answers. " +
		"It gives advice and places no order. A confidence is the strength of votes, not a probability."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // routes serves them
	c.CreateHooks = nil                                   // no $schema in answers, no Link header
	c.Tags = []*huma.Tag{
		{Name: "Consensus", Description: "Ask, and read back."},
		{Name: "Outcomes", Description: "What became of decisions, and how good they and the models were."},
		{Name: "Operation", Description: "Health and metrics."},
		{Name: "Compatibility", Description: "The route of the original system, for clients that were written for it."},
	}
	// There are two types Vote.
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[outcome.Vote](), reflect.TypeFor[VoteOutcome]())
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"apiKey": {Type: "apiKey", In: "header", Name: keyHeader}}
	return c
}

// document writes the contract as JSON and as YAML.
func (s *server) document() (asJSON, asYAML []byte) {
	asJSON, err := json.Marshal(s.huma.OpenAPI())
	if err == nil {
		asYAML, err = s.huma.OpenAPI().YAML()
	}
	if err != nil { // unreachable: a test writes both
		s.log.Error("OpenAPI document not written:", slog.String("error", err.Error()))
	}
	return asJSON, asYAML
}

// documented adds what every operation has: its answer, its errors and who may call it.
// Errors of the compatibility routes have the original's shapes and statuses.
func (s *server) documented(op huma.Operation, ok *huma.Response, errors ...*kind) huma.Operation {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["200"] = ok
	errors = append(errors, internalError)
	if len(s.keys) > 0 {
		op.Security = []map[string][]string{{"apiKey": {}}}
		errors = append(errors, unauthorized, wrongKeys)
	}
	for _, k := range errors {
		problem := s.exampleProblem(k, op)
		var example huma.StatusError = problem
		contentType, schema := problem.ContentType(""), refTo[Problem](s)
		if op.Path == compatPath {
			example, contentType, schema = compatErrorOf(problem), jsonType, refTo[CompatError](s)
		}
		status := strconv.Itoa(example.GetStatus())
		r := op.Responses[status]
		if r == nil {
			r = &huma.Response{Headers: commonHeaders(), Content: map[string]*huma.MediaType{contentType: {Schema: schema, Examples: map[string]*huma.Example{}}}}
			op.Responses[status] = r
		} else {
			r.Description += "\n\n"
		}
		r.Description += fmt.Sprintf("`%s`: %s", k.name, k.meaning)
		r.Content[contentType].Examples[k.name] = &huma.Example{Summary: k.title, Value: example}
		if k.retryAfter > 0 || k == dailyBudget {
			r.Headers["Retry-After"] = &huma.Header{Description: "Seconds to wait before the next attempt.", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0)}}
		}
		if k == unauthorized {
			r.Headers["WWW-Authenticate"] = textHeader("Names the header for the key.")
		}
	}
	return op
}

func textHeader(description string) *huma.Header {
	return &huma.Header{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

func commonHeaders() map[string]*huma.Header {
	return map[string]*huma.Header{
		requestIDHeader: textHeader("The id of the request: yours, if it has at most 128 letters, digits, `-`, `_`, `.` and `:`, and otherwise a new one."),
		"Cache-Control": textHeader("`no-store`."),
	}
}

func jsonResponse(description string, schema *huma.Schema, example any) *huma.Response {
	return &huma.Response{Description: description, Headers: commonHeaders(), Content: map[string]*huma.MediaType{jsonType: {Schema: schema, Example: example}}}
}

func jsonBody(description string, schema *huma.Schema, example any) *huma.RequestBody {
	return &huma.RequestBody{Description: description, Required: true, Content: map[string]*huma.MediaType{jsonType: {Schema: schema, Example: example}}}
}

// cacheable describes an operation whose answer may be cached.
func cacheable(op huma.Operation, ok *huma.Response, cacheControl string) huma.Operation {
	ok.Headers["Cache-Control"] = textHeader(cacheControl)
	ok.Headers["ETag"] = textHeader("Names exactly these bytes; send it as If-None-Match.")
	op.Responses = map[string]*huma.Response{"304": {Description: "The caller has it: one of the tags in If-None-Match matches.", Headers: ok.Headers}}
	return op
}

// momentParam is a time in the query.
func momentParam(name, description string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Example: "2026-11-23T00:00:00Z", Schema: &huma.Schema{AnyOf: momentSchemas(huma.TypeInteger)}}
}

// dayParam is a UTC day in the query.
func dayParam(name, description string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Example: "2026-11-23", Schema: &huma.Schema{
		AnyOf: append([]*huma.Schema{{Type: huma.TypeString, Format: "date"}}, momentSchemas(huma.TypeInteger)...),
	}}
}

// momentSchemas are the ways to send a time from 1970 to 2199: as a text, in
// seconds, and in milliseconds.
func momentSchemas(number string) []*huma.Schema {
	const first, last = 1e11, 7258118399 // the first number that is milliseconds, and the last second
	return []*huma.Schema{
		{Type: huma.TypeString, Format: "date-time"},
		{Type: number, Minimum: new(0.0), Maximum: new(float64(last))},
		{Type: number, Minimum: new(first), Maximum: new(float64(last*1000 + 999))},
	}
}

// refTo gives a reference to the schema of a type.
func refTo[T any](s *server) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}
