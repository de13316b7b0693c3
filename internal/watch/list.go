package watch

// The watch list: which series are asked about by the clock, and how; and the event of the
// schedule, which may carry a list.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// MaxSeries is the most series that a list may have.
const MaxSeries = 200

// List names the series to ask about, the venues of their candles, and the policy of the
// runs. What the policy leaves out is as configured.
type List struct {
	Series []market.Series // in the order of the pairs, each with its timeframes
	Venues []string        // asked in this order until one has the candles; empty: the default ones
	Policy orchestrator.Policy
}

// listKey is a key of the document.
type listKey struct {
	name string
	read func(*listReader, strictjson.Value)
}

// listKeys are read in this order. The keys of the policy are those of POST /v1/consensus.
var listKeys = append([]listKey{
	{"pairs", func(r *listReader, raw strictjson.Value) {
		r.named = readTexts(r, "pairs", raw, `["BTC/USDT"]`, signal.ParsePair)
	}},
	{"timeframes", func(r *listReader, raw strictjson.Value) {
		r.frames = readTexts(r, "timeframes", raw, `["5m", "1h"]`, signal.ParseTimeframe)
		if len(r.frames) == 0 && len(r.mistakes) == 0 {
			r.wrong("timeframes", `is empty: give at least one, such as ["5m"], or leave it out`, strictjson.Value{})
		}
	}},
	{"venue", func(r *listReader, raw strictjson.Value) {
		var name string
		if raw.Decode(&name) != nil {
			r.wrong("venue", "is not a text such as kraken", raw)
			return
		}
		r.addVenue("venue", name)
	}},
	{"fallback", func(r *listReader, raw strictjson.Value) {
		if len(r.list.Venues) == 0 {
			r.wrong("fallback", "goes with venue: name the first one too", strictjson.Value{})
			return
		}
		for _, name := range readTexts(r, "fallback", raw, `["coinbase"]`, func(text string) (string, error) { return text, nil }) {
			r.addVenue("fallback", name)
		}
	}},
}, policyKeys("provider_weights", "min_providers", "min_confidence", "min_agreement", "timeout_seconds", "wait")...)

func policyKeys(names ...string) (keys []listKey) {
	for _, name := range names {
		keys = append(keys, listKey{name, func(r *listReader, raw strictjson.Value) {
			r.mistakes = append(r.mistakes, r.list.Policy.Read(name, raw, nil)...)
		}})
	}
	return keys
}

// ParseList reads a watch list:
//
//	{"pairs": ["BTC/USDT", "ETH/USDT"], "timeframes": ["5m", "1h"], "venue": "kraken", "fallback": ["coinbase"],
//	 "provider_weights": {"openai": 0.5}, "min_providers": 2, "min_confidence": 0.6, "min_agreement": 0,
//	 "timeout_seconds": 20, "wait": "decided"}
//
// Only pairs is required. The error is a [signal.FieldErrors] and names every mistake.
// ParseList does not know which providers and venues exist: [Watcher.Check] does.
func ParseList(text []byte) (List, error) {
	known := make([]string, len(listKeys))
	for i, key := range listKeys {
		known[i] = key.name
	}
	values, mistakes, err := membersOf(text, "key of a watch list", known)
	if err != nil {
		return List{}, signal.FieldErrors{{Message: `is not a JSON object such as {"pairs": ["BTC/USDT"], "timeframes": ["5m"]}: ` + err.Error()}}
	}
	r := &listReader{frames: []signal.Timeframe{signal.DefaultTimeframe}, mistakes: mistakes}
	for _, key := range listKeys {
		if raw := values[key.name]; !raw.IsNull() {
			key.read(r, raw)
		}
	}
	for _, pair := range r.named {
		for _, timeframe := range r.frames {
			r.list.Series = append(r.list.Series, market.Series{Pair: pair, Timeframe: timeframe})
		}
	}
	if n := len(r.list.Series); n > MaxSeries {
		r.wrong("pairs", fmt.Sprintf("and timeframes make %d series: at most %d are watched", n, MaxSeries), strictjson.Value{})
	} else if n == 0 && len(r.mistakes) == 0 {
		r.wrong("pairs", `is missing or empty: give at least one, such as ["BTC/USDT"]`, strictjson.Value{})
	}
	if len(r.mistakes) > 0 {
		return List{}, r.mistakes
	}
	return r.list, nil
}

// listReader collects a list and every mistake in it.
type listReader struct {
	list     List
	named    []signal.Pair
	frames   []signal.Timeframe
	mistakes signal.FieldErrors
}

func (r *listReader) wrong(field, message string, value strictjson.Value) {
	const shown = 100 // bytes
	text := strings.ToValidUTF8(value.String()[:min(len(value.String()), shown)], "")
	r.mistakes = append(r.mistakes, &signal.FieldError{Field: field, Message: message, Value: text})
}

// readTexts reads a list of texts, and reports those that are wrong or mean the same.
func readTexts[T comparable](r *listReader, name string, raw strictjson.Value, example string, parse func(string) (T, error)) (values []T) {
	var texts []string
	if raw.Decode(&texts) != nil {
		r.wrong(name, "is not a list of texts such as "+example, raw)
		return nil
	}
	for i, text := range texts {
		value, err := parse(text)
		if err == nil && slices.Contains(values, value) {
			err = fmt.Errorf("names %v again: give each once", value)
		}
		if err != nil {
			r.wrong(fmt.Sprintf("%s[%d]", name, i), err.Error(), strictjson.Value{})
			continue
		}
		values = append(values, value)
	}
	return values
}

func (r *listReader) addVenue(field, name string) {
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case name == "":
		r.wrong(field, "is empty: give a name such as kraken, or leave it out", strictjson.Value{})
	case slices.Contains(r.list.Venues, name):
		r.wrong(field, "names "+name+" again: give each venue once", strictjson.Value{})
	default:
		r.list.Venues = append(r.list.Venues, name)
	}
}

// membersOf gives the values of a JSON object by their names. Names that are there twice, or
// that are not known, are mistakes.
func membersOf(text []byte, what string, known []string) (values map[string]strictjson.Value, mistakes signal.FieldErrors, err error) {
	text = strictjson.WithoutBOM(text)
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return nil, nil, errors.New("it does not begin with a brace")
	}
	document, err := strictjson.Parse(text)
	var wrong *strictjson.Error
	switch errors.As(err, &wrong); {
	case err == nil:
	case wrong.Kind == strictjson.Trailing:
		return nil, nil, errors.New("something follows its end")
	case wrong.Kind == strictjson.NaN:
		return nil, nil, fmt.Errorf("%s: %w", strings.TrimPrefix(wrong.Place, "."), err)
	default:
		return nil, nil, err
	}
	members, _ := document.Members()
	values = map[string]strictjson.Value{}
	for _, m := range members {
		if m.Twice {
			mistakes.Add(m.Name, "is there twice: give each key once", "")
		}
		if !slices.Contains(known, m.Name) {
			mistakes.Add(m.Name, strictjson.Unknown(what, m.Name, known), "")
		}
		values[m.Name] = m.Value
	}
	return values, mistakes, nil
}

// ParseEvent reads the event of the schedule:
//
//	{"time": "2026-11-23T05:01:00Z", "watchlist": {…}}
//
// The time is the scheduled time, which determines the candles to ask about however late
// the event arrives. If the event has no watchlist, ParseEvent gives the standing list. The
// error is a [signal.FieldErrors].
func ParseEvent(text []byte, standing List) (at time.Time, list List, err error) {
	wrong := func(field, message string) (time.Time, List, error) {
		return time.Time{}, List{}, signal.FieldErrors{{Field: field, Message: message}}
	}
	values, mistakes, err := membersOf(text, "key of the event", []string{"time", "watchlist"})
	switch {
	case err != nil:
		return wrong("event", `is not a JSON object such as {"time": "2026-11-23T05:01:00Z"}: `+err.Error())
	case len(mistakes) > 0:
		return time.Time{}, List{}, mistakes
	}
	var scheduled string
	if values["time"].Decode(&scheduled) != nil {
		return wrong("time", `is missing or no text: the schedule's Input gives it as "time": "<aws.scheduler.scheduled-time>"`)
	}
	if at, err = time.Parse(time.RFC3339, scheduled); err != nil {
		return wrong("time", fmt.Sprintf("%.60q is not a time such as 2026-11-23T05:01:00Z", scheduled))
	}
	list = standing
	if raw := values["watchlist"]; !raw.IsNull() {
		list, err = ParseList([]byte(raw.String()))
		var mistakes signal.FieldErrors
		if errors.As(err, &mistakes) {
			for _, m := range mistakes {
				m.Field = strings.TrimSuffix("watchlist."+m.Field, ".")
			}
			return time.Time{}, List{}, mistakes
		}
	}
	if len(list.Series) == 0 {
		return wrong("watchlist", "is missing, and WATCHLIST is not set: give it in the event or there")
	}
	return at.UTC(), list, nil
}
