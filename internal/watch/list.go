package watch

// The watch list: what is asked about by the clock, and how.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// MaxSeries is how many series a list may have.
const MaxSeries = 200

// List says which series are asked about, where their candles come from, and the
// policy of the runs. What a run's policy leaves out is as configured.
type List struct {
	Series []market.Series // in the order of the pairs, each with its timeframes
	Venues []string        // that are asked for candles, the next where one can't help; empty: the default ones

	Policy orchestrator.Policy // of all runs
}

type listKey struct {
	name string
	read func(*listReader, strictjson.Value)
}

// listKeys are the keys of the document, read in this order. All but the policy's
// are those of POST /v1/consensus.
var listKeys = []listKey{
	{"pairs", (*listReader).pairs},
	{"timeframes", (*listReader).timeframes},
	{"venue", (*listReader).venue},
	{"fallback", (*listReader).fallback},
	policyKey("provider_weights"),
	policyKey("min_providers"),
	policyKey("min_confidence"),
	policyKey("min_agreement"),
	policyKey("timeout_seconds"),
	policyKey("wait"),
}

func policyKey(name string) listKey {
	return listKey{name, func(r *listReader, raw strictjson.Value) {
		r.mistakes = append(r.mistakes, r.list.Policy.Read(name, raw, nil)...)
	}}
}

// ParseList reads a watch list:
//
//	{"pairs": ["BTC/USDT", "ETH/USDT"], "timeframes": ["5m", "1h"], "venue": "kraken", "fallback": ["coinbase"],
//	 "provider_weights": {"openai": 0.5}, "min_providers": 2, "min_confidence": 0.6, "min_agreement": 0,
//	 "timeout_seconds": 20, "wait": "decided"}
//
// Only pairs is required. The error is signal.FieldErrors and names every mistake.
// Whether providers and venues of the names exist is not known here.
func ParseList(text []byte) (List, error) {
	r := &listReader{frames: []signal.Timeframe{signal.DefaultTimeframe}}
	members, err := membersOf(text)
	if err != nil {
		return List{}, signal.FieldErrors{{Message: `is not a JSON object such as {"pairs": ["BTC/USDT"], "timeframes": ["5m"]}: ` + err.Error()}}
	}
	values := map[string]strictjson.Value{}
	for _, m := range members {
		if m.Twice {
			r.wrong(m.Name, "is there twice: give each key once", strictjson.Value{})
		}
		values[m.Name] = m.Value
		if !slices.Contains(listNames(), m.Name) {
			r.wrong(m.Name, unknownKey("a watch list", m.Name, listNames()), strictjson.Value{})
		}
	}
	for _, key := range listKeys {
		if raw := values[key.name]; !raw.IsNull() {
			key.read(r, raw)
		}
	}
	if r.list.Series = r.series(); len(r.list.Series) == 0 && len(r.mistakes) == 0 {
		r.wrong("pairs", `is missing or empty: give at least one, such as ["BTC/USDT"]`, strictjson.Value{})
	}
	if n := len(r.list.Series); n > MaxSeries {
		r.wrong("pairs", fmt.Sprintf("and timeframes make %d series: at most %d are watched", n, MaxSeries), strictjson.Value{})
	}
	if len(r.mistakes) > 0 {
		return List{}, r.mistakes
	}
	return r.list, nil
}

func listNames() []string {
	names := make([]string, len(listKeys))
	for i, key := range listKeys {
		names[i] = key.name
	}
	return names
}

// listReader gathers a list and every mistake in it.
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

// value reads a key by the JSON library and reports whether it could.
func (r *listReader) value(name string, raw strictjson.Value, into any, want string) bool {
	if raw.Decode(into) != nil {
		r.wrong(name, "is not "+want, raw)
		return false
	}
	return true
}

// each reads a list of texts.
func (r *listReader) each(name string, raw strictjson.Value, example string, read func(text string) error) {
	var texts []string
	if !r.value(name, raw, &texts, "a list of texts such as "+example) {
		return
	}
	for i, text := range texts {
		if err := read(text); err != nil {
			r.wrong(fmt.Sprintf("%s[%d]", name, i), err.Error(), strictjson.Value{})
		}
	}
}

func (r *listReader) pairs(raw strictjson.Value) {
	r.each("pairs", raw, `["BTC/USDT"]`, func(text string) error {
		pair, err := signal.ParsePair(text)
		if err == nil && slices.Contains(r.named, pair) {
			err = fmt.Errorf("names %s again: give each pair once", pair)
		}
		r.named = append(r.named, pair)
		return err
	})
}

func (r *listReader) timeframes(raw strictjson.Value) {
	r.frames = nil
	r.each("timeframes", raw, `["5m", "1h"]`, func(text string) error {
		timeframe, err := signal.ParseTimeframe(text)
		if err == nil && slices.Contains(r.frames, timeframe) {
			err = fmt.Errorf("names %s again: give each timeframe once", timeframe)
		}
		r.frames = append(r.frames, timeframe)
		return err
	})
	if len(r.frames) == 0 && len(r.mistakes) == 0 {
		r.wrong("timeframes", `is empty: give at least one, such as ["5m"], or leave it out`, strictjson.Value{})
	}
}

func (r *listReader) series() []market.Series {
	series := make([]market.Series, 0, len(r.named)*len(r.frames))
	for _, pair := range r.named {
		for _, timeframe := range r.frames {
			series = append(series, market.Series{Pair: pair, Timeframe: timeframe})
		}
	}
	return series
}

func (r *listReader) venue(raw strictjson.Value) {
	var name string
	if r.value("venue", raw, &name, "a text such as kraken") {
		r.addVenue("venue", name)
	}
}

func (r *listReader) fallback(raw strictjson.Value) {
	if len(r.list.Venues) == 0 {
		r.wrong("fallback", "goes with venue: name the first one too", strictjson.Value{})
		return
	}
	r.each("fallback", raw, `["coinbase"]`, func(text string) error {
		r.addVenue("fallback", text)
		return nil
	})
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

// membersOf splits a JSON object.
func membersOf(text []byte) ([]strictjson.Member, error) {
	text = strictjson.WithoutBOM(text)
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return nil, errors.New("it does not begin with a brace")
	}
	document, err := strictjson.Parse(text)
	var wrong *strictjson.Error
	switch errors.As(err, &wrong); {
	case err == nil:
	case wrong.Kind == strictjson.Trailing:
		return nil, errors.New("something follows its end")
	case wrong.Kind == strictjson.NaN:
		return nil, fmt.Errorf("%s: %w", strings.TrimPrefix(wrong.Place, "."), err)
	default:
		return nil, err
	}
	members, _ := document.Members()
	return members, nil
}

// unknownKey words a key that is not known, with the one that was likely meant.
func unknownKey(of, name string, known []string) string {
	const typos = 3
	if near := strictjson.Nearest(name, known, typos); near != "" {
		return fmt.Sprintf("is no key of %s: did you mean %s?", of, near)
	}
	return fmt.Sprintf("is no key of %s: known are %s", of, strings.Join(known, ", "))
}
