package api

// From the body of the compatibility route to a Request. It is read as the
// original read it: keys that it did not know are ignored.

import (
	"thalas/internal/provider"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

var compatFields = map[string]func(f *fields, raw strictjson.Value){
	"pair":             (*fields).market,
	"timeframe":        (*fields).timeframe,
	"current_price":    (*fields).currentPrice,
	"market_data":      func(f *fields, raw strictjson.Value) { f.marketData(raw, signal.MaxCompatText) },
	"provider_weights": (*fields).compatWeights,
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
	for _, known := range questionNames { // in the documented order
		if read := compatFields[known]; read != nil && !f.values[known].IsNull() {
			read(f, f.values[known])
		}
	}
	return f
}

// market reads a pair, or the question of a prediction market.
func (f *fields) market(raw strictjson.Value) {
	text, ok := f.text("pair", raw, "a pair such as BTC/USDT, or a question")
	if !ok {
		return
	}
	market, err := signal.ParseMarket(text)
	if err != nil {
		f.wrong("pair", err.Error(), raw)
		return
	}
	f.request.Pair = market
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
