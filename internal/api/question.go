package api

// Reading the body of POST /v1/consensus field by field, with every mistake in it.

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// fields are the top-level members of a body, and what was read of them.
type fields struct {
	request  orchestrator.Request
	maxAge   time.Duration // of votes that are there already
	query    service.Query // the runs of a replay
	id       string        // or the one run of it
	mistakes []Mistake
	values   map[string]strictjson.Value // by the names of fields in a signal.FieldError
	registry *provider.Registry
	unread   bool // the body is not an object
}

// field is a top-level key: how it is read, and its schema in the contract. objectSchema adds
// what depends on the providers.
type field struct {
	name   string
	read   func(f *fields, raw strictjson.Value)
	schema huma.Schema // its type, range and description
}

// questionFields are the keys of POST /v1/consensus.
var questionFields = []field{
	{"pair", func(f *fields, raw strictjson.Value) {
		readText(f, "pair", raw, "a pair such as BTC/USDT", signal.ParsePair, &f.request.Pair)
	}, huma.Schema{Type: huma.TypeString, Format: "pair", MinLength: new(2), MaxLength: new(64), Examples: []any{"BTC/USDT"},
		Description: "`BTC/USDT`, `btc-usdt`, `BTC_USDT`, `BTCUSDT`, `BINANCE:BTCUSDT`, `BTC/USDT:USDT` or `BTCUSDT.P`; answered as `BASE/QUOTE[:SETTLE]`. If there is a slash, only the slash separates. The name of a contract, such as `BTC-PERP`, is refused."}},
	timeframeField("The length of a candle. Case matters: `1M` is refused."),
	priceField,
	marketDataField(signal.MaxText),
	policyField(weightsKey, weightsSchema("Weights of votes in this run by provider, in any case. Default: the server's configuration.")),
	policyField(minProvidersKey, huma.Schema{Type: huma.TypeInteger, Nullable: true, Minimum: new(1.0),
		Description: "The votes that a decision needs. With fewer, the answer is an error. Default: the server's configuration."}),
	policyField("min_confidence", shareSchema("Below it, a BUY or SELL becomes HOLD. Default: the server's configuration.")),
	policyField("min_agreement", shareSchema("Below it, a BUY or SELL becomes HOLD. Default: the server's configuration.")),
	policyField("timeout_seconds", huma.Schema{Type: huma.TypeNumber, Nullable: true, ExclusiveMinimum: new(0.0), Maximum: new(orchestrator.MaxTimeout.Seconds()),
		Description: "For all providers together, in seconds. The server shortens it if its own deadline is earlier. Default: the server's configuration."}),
	policyField("wait", huma.Schema{Type: huma.TypeString, Nullable: true, Enum: append(enum(orchestrator.WaitAll, orchestrator.WaitDecided), nil), Default: string(orchestrator.WaitAll),
		Description: "`decided` stops as soon as no missing answer can change the decision."}),
	{"max_age", (*fields).readMaxAge, huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: new(0.0), Maximum: new(float64(mostAge)), Default: 0,
		Description: "Seconds: votes about the same question that are at most so old will do, within their candle. With 0 only votes of a run that is under way are shared."}},
}

const mostAge = 14 * 24 * 60 * 60 // seconds: votes are used within their candle and the next one

// readMaxAge reads the age in seconds up to which votes that are there already will do.
func (f *fields) readMaxAge(raw strictjson.Value) {
	n, ok := f.number("max_age", raw, "seconds from 0")
	switch seconds := n.Float64(); {
	case !ok:
	case seconds >= 0 && seconds <= mostAge:
		f.maxAge = time.Duration(seconds * float64(time.Second))
	default:
		f.wrong("max_age", fmt.Sprintf("is outside 0…%d seconds", mostAge), raw)
	}
}

func timeframeField(description string) field {
	return field{"timeframe", func(f *fields, raw strictjson.Value) {
		readText(f, "timeframe", raw, "one such as 5m", signal.ParseTimeframe, &f.request.Timeframe)
	}, huma.Schema{Type: huma.TypeString, Nullable: true, Enum: append(enum(signal.Timeframes()...), nil), Default: string(signal.DefaultTimeframe), Description: description}}
}

var priceField = field{"current_price", func(f *fields, raw strictjson.Value) {
	if n, ok := f.number("current_price", raw, "a price above 0"); ok {
		f.request.CurrentPrice = n
	}
}, huma.Schema{Type: huma.TypeNumber, ExclusiveMinimum: new(0.0), Description: "The price now. Numbers keep the digits that are sent.", Examples: []any{50000.0}}}

func marketDataField(maxText int) field {
	return field{"market_data", func(f *fields, raw strictjson.Value) {
		data, found := signal.ReadMarketData(raw, maxText)
		f.request.MarketData = data
		f.mistakes = append(f.mistakes, fieldMistakes("body.market_data", found, nil)...)
	}, marketDataSchema(maxText)}
}

// policyField is a field that orchestrator.Policy reads.
func policyField(name string, schema huma.Schema) field {
	return field{name, func(f *fields, raw strictjson.Value) { f.policy(name, raw) }, schema}
}

// The fields whose schema depends on the providers.
const (
	weightsKey      = "provider_weights"
	minProvidersKey = "min_providers"
)

// objectSchema adds the schema of an object with these fields to the components. others says
// whether the object may have more fields, and weights of providers that are not asked, which
// are ignored.
func (s *server) objectSchema(name string, list []field, others bool, required ...string) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: others, Required: required, Properties: map[string]*huma.Schema{}}
	for _, f := range list {
		schema.Properties[f.name] = &f.schema
	}
	entries := s.service.Registry.Entries()
	weights := schema.Properties[weightsKey]
	weights.AdditionalProperties, weights.Properties = others, map[string]*huma.Schema{}
	for _, e := range entries {
		if !others || !e.Disabled {
			weights.Properties[e.Provider.Name()] = &huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: new(0.0), Maximum: new(1.0)}
		}
	}
	if quorum := schema.Properties[minProvidersKey]; quorum != nil {
		quorum.Maximum = new(float64(max(len(entries), 1)))
	}
	s.huma.OpenAPI().Components.Schemas.Map()[name] = schema
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

func namesOf(list []field) (names []string) {
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

// parseQuestion reads a body. It finds the mistakes of single fields. The check of the whole
// request finds more, which merge adds.
func parseQuestion(body strictjson.Value, registry *provider.Registry) *fields {
	f := &fields{values: map[string]strictjson.Value{}, registry: registry}
	f.read(body, questionFields, "pair, current_price and market_data")
	return f
}

// refuse gives all mistakes of a question, and others with them. It is nil if there are none.
// The check is needed only if there are some, since the service makes it again.
func (f *fields) refuse(others []Mistake, check func(orchestrator.Request) (orchestrator.Checked, error)) []Mistake {
	if len(f.mistakes)+len(others) == 0 {
		return nil
	}
	if !f.unread {
		_, err := check(f.request)
		f.merge(err)
	}
	return append(others, f.mistakes...)
}

// read reads the members of an object by a list of known ones.
func (f *fields) read(body strictjson.Value, known []field, required string) {
	list, isObject := body.Members()
	if !isObject {
		f.mistakes = []Mistake{{Location: "body", Message: "is not an object: send one with " + required, Value: cutScalar(body)}}
		f.unread = true
		return
	}
	for _, m := range list {
		i := slices.IndexFunc(known, func(k field) bool { return k.name == m.Name })
		if i < 0 {
			f.wrong(strictjson.Cut(m.Name, maxValue), strictjson.Unknown("field of this request", m.Name, namesOf(known)), m.Value)
			continue
		}
		if m.Twice {
			f.wrong(m.Name, "is there twice: send each key once", strictjson.Value{})
			continue
		}
		f.values[m.Name] = m.Value
		if !m.Value.IsNull() { // null means absent
			known[i].read(f, m.Value)
		}
	}
}

// merge adds the mistakes in err, except those of fields that have a mistake already.
func (f *fields) merge(err error) {
	var found signal.FieldErrors
	if !errors.As(err, &found) {
		return
	}
	own := f.mistakes
	for _, m := range fieldMistakes("body", found, func(name string) json.RawMessage { return cutScalar(f.values[name]) }) {
		if !slices.ContainsFunc(own, func(o Mistake) bool { return covers(m.Location, o.Location) }) {
			f.mistakes = append(f.mistakes, m)
		}
	}
}

// covers reports whether the place inner is the place outer or within it.
func covers(outer, inner string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

const mostMistakes = 100 // that are reported

func (f *fields) wrong(name, message string, value strictjson.Value) {
	if len(f.mistakes) < mostMistakes {
		f.mistakes = append(f.mistakes, Mistake{Location: "body." + name, Message: message, Value: cutScalar(value)})
	}
}

// readText reads a text with a parser from package signal. send says what to send instead.
func readText[T any](f *fields, name string, raw strictjson.Value, send string, parse func(string) (T, error), into *T) {
	text, err := signal.ReadText(raw, send)
	if err == nil {
		var value T
		if value, err = parse(text); err == nil {
			*into = value
			return
		}
	}
	f.wrong(name, err.Error(), raw)
}

// policy reads a field of the policy.
func (f *fields) policy(name string, raw strictjson.Value) {
	if list, isObject := raw.Members(); isObject {
		for _, m := range list { // merge needs the values
			if !m.Twice {
				f.values[name+"."+strictjson.Cut(m.Name, maxValue)] = m.Value
			}
		}
	}
	found := fieldMistakes("body", f.request.Read(name, raw, f.registry), nil)
	f.mistakes = append(f.mistakes, found[:min(len(found), mostMistakes)]...)
}

// number reads a JSON number and keeps its digits.
func (f *fields) number(name string, raw strictjson.Value, send string) (signal.Number, bool) {
	n, err := signal.ReadNumber(raw, send)
	if err != nil {
		f.wrong(name, err.Error(), raw)
	}
	return n, err == nil
}
