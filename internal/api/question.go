package api

// From the body of POST /v1/consensus to a Request, with every mistake in it.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
	{"provider_weights", (*fields).weights},
	{"min_providers", (*fields).minProviders},
	{"min_confidence", func(f *fields, raw strictjson.Value) { f.share("min_confidence", raw, &f.request.MinConfidence) }},
	{"min_agreement", func(f *fields, raw strictjson.Value) { f.share("min_agreement", raw, &f.request.MinAgreement) }},
	{"timeout_seconds", (*fields).timeout},
	{"wait", (*fields).wait},
}

var questionNames = namesOf(questionFields)

func namesOf(list []field) (names []string) {
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

// parseQuestion reads a body. Mistakes that check
// finds, which knows the whole request, come on top, unless the field is known
// to be wrong already.
func parseQuestion(body strictjson.Value, registry *provider.Registry, check func(orchestrator.Request) error) (orchestrator.Request, []Mistake) {
	f := fields{values: map[string]strictjson.Value{}, registry: registry}
	if !f.read(body, questionFields, "pair, current_price and market_data") {
		return f.request, f.mistakes
	}
	f.merge(check(f.request))
	return f.request, f.mistakes
}

// read reads the members of an object by a list of known ones. It gives false
// where the body is no object.
func (f *fields) read(body strictjson.Value, known []field, required string) bool {
	list, isObject := body.Members()
	if !isObject {
		f.mistakes = []Mistake{{Location: "body", Message: "is not an object: send one with " + required, Value: cutScalar(body)}}
		return false
	}
	for _, m := range list {
		i := slices.IndexFunc(known, func(k field) bool { return k.name == m.Name })
		if i < 0 {
			f.wrong(strictjson.Cut(m.Name, maxValue), unknownName("field of this request", m.Name, namesOf(known)), m.Value)
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
	return true
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

func (f *fields) wrong(name, message string, value strictjson.Value) {
	const enough = 100 // mistakes that are reported; more say the same
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

func (f *fields) weights(raw strictjson.Value) {
	list, isObject := raw.Members()
	if !isObject {
		f.wrong("provider_weights", `is not an object: send one such as {"anthropic": 1.0}, or null`, raw)
		return
	}
	weights := make(map[string]float64, len(list))
	for _, m := range list {
		place := "provider_weights." + strictjson.Cut(m.Name, maxValue)
		if m.Twice {
			f.wrong(place, "is there twice: send each name once", strictjson.Value{})
			continue
		}
		f.values[place] = m.Value
		if _, known := f.registry.Find(m.Name); !known {
			f.wrong(place, unknownName("known provider", m.Name, f.registry.Names()), m.Value)
			continue
		}
		if m.Value.IsNull() {
			continue
		}
		if n, ok := f.number(place, m.Value, "a weight from 0 to 1"); ok {
			weights[m.Name] = n.Float64()
		}
	}
	f.request.Weights = weights
}

func (f *fields) minProviders(raw strictjson.Value) {
	n, ok := f.number("min_providers", raw, "a whole number from 1")
	if !ok {
		return
	}
	known := max(len(f.registry.Entries()), 1)
	switch v := n.Float64(); {
	case v != math.Trunc(v):
		f.wrong("min_providers", "is not a whole number: send one from 1", raw)
	case v < 1 || v > float64(known):
		f.wrong("min_providers", fmt.Sprintf("is outside 1…%d, the number of known providers", known), raw)
	default:
		f.request.MinProviders = int(v)
	}
}

func (f *fields) share(name string, raw strictjson.Value, into **float64) {
	if n, ok := f.number(name, raw, "a number from 0 to 1"); ok {
		v := n.Float64()
		*into = &v
	}
}

func (f *fields) timeout(raw strictjson.Value) {
	n, ok := f.number("timeout_seconds", raw, "seconds above 0")
	if !ok {
		return
	}
	longest := orchestrator.MaxTimeout.Seconds()
	v := n.Float64()
	if !(v > 0 && v <= longest) {
		f.wrong("timeout_seconds", fmt.Sprintf("is not above 0 and at most %v", longest), raw)
		return
	}
	f.request.Timeout = max(time.Duration(v*float64(time.Second)), 1) // 0 would be the default
}

func (f *fields) wait(raw strictjson.Value) {
	text, ok := f.text("wait", raw, "all or decided")
	if !ok {
		return
	}
	if text == "" { // would be the default
		f.wrong("wait", "is none of all, decided", raw)
		return
	}
	f.request.Wait = orchestrator.Wait(text)
}

// text reads a JSON text.
func (f *fields) text(name string, raw strictjson.Value, send string) (string, bool) {
	text, is := raw.Text()
	if !is {
		f.wrong(name, "is not a text: send "+send, raw)
	}
	return text, is
}

// number reads a JSON number with its digits.
func (f *fields) number(name string, raw strictjson.Value, send string) (signal.Number, bool) {
	digits, is := raw.Number()
	if !is {
		f.wrong(name, "is not a number: send "+send, raw)
		return signal.Number{}, false
	}
	n, err := signal.ParseNumber(digits)
	if err != nil {
		f.wrong(name, "is out of range: send "+send, raw)
		return signal.Number{}, false
	}
	return n, true
}
