package api

// From the body of POST /v1/consensus to a Request, with every mistake in it.

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// fields reads the top-level members of a body one by one.
type fields struct {
	request  orchestrator.Request
	query    service.Query // of a replay: which runs
	mistakes []Mistake
	values   map[string]strictjson.Value // by the name that the packages below give a field
	registry *provider.Registry
	unread   bool // the body is no object
}

// field is a top-level key and how it is read.
type field struct {
	name string
	read func(f *fields, raw strictjson.Value)
}

// questionFields are the keys of POST /v1/consensus. The contract's schema has
// the same ones, held together by a test.
var questionFields = []field{
	{"pair", (*fields).pair},
	{"timeframe", (*fields).timeframe},
	{"current_price", (*fields).currentPrice},
	{"market_data", func(f *fields, raw strictjson.Value) { f.marketData(raw, signal.MaxText) }},
	policyField("provider_weights"),
	policyField("min_providers"),
	policyField("min_confidence"),
	policyField("min_agreement"),
	policyField("timeout_seconds"),
	policyField("wait"),
}

func policyField(name string) field {
	return field{name, func(f *fields, raw strictjson.Value) { f.policy(name, raw) }}
}

var questionNames = namesOf(questionFields)

func namesOf(list []field) (names []string) {
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

// parseQuestion reads a body. Its mistakes are those that the body alone shows: merge adds
// those that the check finds, which knows the whole request.
func parseQuestion(body strictjson.Value, registry *provider.Registry) *fields {
	f := &fields{values: map[string]strictjson.Value{}, registry: registry}
	f.read(body, questionFields, "pair, current_price and market_data")
	return f
}

// refuse gives all mistakes of a question that has some, and nil where it has none.
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
		if !m.Value.IsNull() { // null is absent
			known[i].read(f, m.Value)
		}
	}
}

// merge adds the mistakes that the packages below find at fields that are not known to
// be wrong already.
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

// covers reports whether inner is the place outer or one within it.
func covers(outer, inner string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

const enough = 100 // mistakes that are reported; more say the same

func (f *fields) wrong(name, message string, value strictjson.Value) {
	if len(f.mistakes) < enough {
		f.mistakes = append(f.mistakes, Mistake{Location: "body." + name, Message: message, Value: cutScalar(value)})
	}
}

func (f *fields) pair(raw strictjson.Value) {
	text, ok := f.text("pair", raw, "a pair such as BTC/USDT")
	if !ok {
		return
	}
	pair, err := signal.ParsePair(text)
	if err != nil {
		f.wrong("pair", err.Error(), raw)
		return
	}
	f.request.Pair = pair
}

func (f *fields) timeframe(raw strictjson.Value) {
	text, ok := f.text("timeframe", raw, "one such as 5m")
	if !ok {
		return
	}
	timeframe, err := signal.ParseTimeframe(text)
	if err != nil {
		f.wrong("timeframe", err.Error(), raw)
		return
	}
	f.request.Timeframe = timeframe
}

func (f *fields) currentPrice(raw strictjson.Value) {
	if n, ok := f.number("current_price", raw, "a price above 0"); ok {
		f.request.CurrentPrice = n
	}
}

func (f *fields) marketData(raw strictjson.Value, maxText int) {
	data, found := signal.ReadMarketData(raw, maxText)
	f.request.MarketData = data
	f.mistakes = append(f.mistakes, fieldMistakes("body.market_data", found, nil)...)
}

// policy reads a field of the policy.
func (f *fields) policy(name string, raw strictjson.Value) {
	if list, isObject := raw.Members(); isObject {
		for _, m := range list { // for the mistakes that only the check finds
			if !m.Twice {
				f.values[name+"."+strictjson.Cut(m.Name, maxValue)] = m.Value
			}
		}
	}
	found := fieldMistakes("body", f.request.Read(name, raw, f.registry), nil)
	f.mistakes = append(f.mistakes, found[:min(len(found), enough)]...)
}

// text reads a JSON text.
func (f *fields) text(name string, raw strictjson.Value, send string) (string, bool) {
	text, err := signal.ReadText(raw, send)
	if err != nil {
		f.wrong(name, err.Error(), raw)
	}
	return text, err == nil
}

// number reads a JSON number with its digits.
func (f *fields) number(name string, raw strictjson.Value, send string) (signal.Number, bool) {
	n, err := signal.ReadNumber(raw, send)
	if err != nil {
		f.wrong(name, err.Error(), raw)
	}
	return n, err == nil
}
