package api

// From the body of the compatibility route to a Request. It is read as the
// original read it: keys that it did not know are ignored.

import (
	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// compatFields are the keys of the compatibility route.
var compatFields = []field{
	marketField("A pair in any notation, or any text.", "Will Bitcoin reach $100k?"),
	timeframeField("The length of a candle."),
	priceField,
	marketDataField(signal.MaxCompatText),
	{"provider_weights", (*fields).compatWeights, func(s *server) *huma.Schema {
		weights := s.weightsSchema()
		weights.AdditionalProperties = true
		for _, e := range s.service.Registry.Entries() {
			if e.Disabled { // ignored, whatever it is
				delete(weights.Properties, e.Provider.Name())
			}
		}
		return weights
	}},
}

// marketField is a pair, or the question of a prediction market.
func marketField(description, example string) field {
	return field{"pair", func(f *fields, raw strictjson.Value) {
		readText(f, "pair", raw, "a pair such as BTC/USDT, or a question", signal.ParseMarket, &f.request.Pair)
	}, func(*server) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: "market", MinLength: new(1), MaxLength: new(300), Description: description, Examples: []any{example}}
	}}
}

// parseCompat is parseQuestion for the compatibility route.
func parseCompat(body strictjson.Value, registry *provider.Registry) *fields {
	f := &fields{values: map[string]strictjson.Value{}, registry: registry}
	list, isObject := body.Members()
	if !isObject {
		f.mistakes, f.unread = []Mistake{{Location: "body", Message: "is not an object: send one with pair, current_price and market_data"}}, true
		return f
	}
	for _, m := range list { // the last of two equal keys counts, as in Python
		f.values[m.Name] = m.Value
	}
	for _, known := range compatFields { // in the documented order
		if v := f.values[known.name]; !v.IsNull() {
			known.read(f, v)
		}
	}
	return f
}

// compatWeights reads weights of enabled providers and ignores all others.
func (f *fields) compatWeights(raw strictjson.Value) {
	list, isObject := raw.Members()
	if !isObject {
		f.wrong("provider_weights", `is not an object: send one such as {"anthropic": 1.0}, or null`, raw)
		return
	}
	weights := make(map[string]float64, len(list))
	for _, m := range list {
		entry, known := f.registry.Find(m.Name)
		if !known || entry.Disabled || m.Value.IsNull() {
			continue
		}
		place := "provider_weights." + strictjson.Cut(m.Name, maxValue)
		f.values[place] = m.Value
		if n, ok := f.number(place, m.Value, "a weight from 0 to 1"); ok {
			weights[m.Name] = n.Float64()
		}
	}
	f.request.Weights = weights
}
