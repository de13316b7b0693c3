package api

// From the body of the compatibility route to a Request. It is read as the
// original read it: keys that it did not know are ignored.

import (
	"encoding/json"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

var compatFields = map[string]func(f *fields, raw json.RawMessage){
	"pair":             (*fields).market,
	"timeframe":        (*fields).timeframe,
	"current_price":    (*fields).currentPrice,
	"market_data":      func(f *fields, raw json.RawMessage) { f.marketData(raw, signal.MaxCompatText) },
	"provider_weights": (*fields).compatWeights,
}

// parseCompat is parseQuestion for the compatibility route.
func parseCompat(body []byte, registry *provider.Registry, check func(orchestrator.Request) error) (orchestrator.Request, []Mistake) {
	f := fields{values: map[string]json.RawMessage{}, registry: registry}
	list, isObject := members(body)
	if !isObject {
		return f.request, []Mistake{{Location: "body", Message: "is not an object: send one with pair, current_price and market_data"}}
	}
	for _, m := range list { // the last of two equal keys counts, as in Python
		f.values[m.name] = m.value
	}
	for _, known := range questionNames { // in the documented order
		if read := compatFields[known]; read != nil && f.values[known] != nil && !isNull(f.values[known]) {
			read(&f, f.values[known])
		}
	}
	f.merge(check(f.request))
	return f.request, f.mistakes
}

// market reads a pair, or the question of a prediction market.
func (f *fields) market(raw json.RawMessage) {
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
func (f *fields) compatWeights(raw json.RawMessage) {
	list, isObject := members(raw)
	if !isObject {
		f.wrong("provider_weights", `is not an object: send one such as {"anthropic": 1.0}, or null`, raw)
		return
	}
	weights := make(map[string]float64, len(list))
	for _, m := range list {
		entry, known := f.registry.Find(m.name)
		if !known || entry.Disabled || isNull(m.value) {
			continue
		}
		place := "provider_weights." + cut(m.name, maxValue)
		f.values[place] = m.value
		if n, ok := f.number(place, m.value, "a weight from 0 to 1"); ok {
			weights[m.name] = n.Float64()
		}
	}
	f.request.Weights = weights
}
