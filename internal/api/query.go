package api

// Query parameters: only those of the operation, and each only once.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// checkQuery finds mistakes that huma does not check: a query that can't be read, and
// parameters that are unknown, empty or repeated. Without it a mistyped name would be ignored,
// and the answer would be to another question.
func checkQuery(ctx huma.Context) []error {
	u := ctx.URL()
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []error{Mistake{Location: "query", Message: "can't be read: " + strictjson.Cut(err.Error(), maxValue)}}
	}
	var known, repeatable []string
	for _, p := range ctx.Operation().Parameters {
		if p.In != "query" {
			continue
		}
		known = append(known, p.Name)
		if p.Schema.Type == huma.TypeArray {
			repeatable = append(repeatable, p.Name)
		}
	}
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case slices.Contains(known, name) && slices.Contains(values[name], ""):
			// An unset variable of the caller must not mean "any age" or "all".
			mistakes = append(mistakes, Mistake{Location: "query." + name, Message: "is empty: send a value or leave it out", Value: scalarOf("")})
		case !slices.Contains(known, name):
			mistakes = append(mistakes, Mistake{Location: "query." + strictjson.Cut(name, maxValue), Message: strictjson.Unknown("parameter here", name, known), Value: scalarOf(values[name][0])})
		case len(values[name]) > 1 && !slices.Contains(repeatable, name):
			mistakes = append(mistakes, Mistake{Location: "query." + name, Message: "is there more than once: send it once", Value: scalarOf(values[name][0])})
		}
	}
	return mistakes
}

// queryMistakes collects the mistakes of parameters while they are read.
type queryMistakes []error

func (m *queryMistakes) wrong(name, message, value string) {
	*m = append(*m, Mistake{Location: "query." + name, Message: message, Value: scalarOf(value)})
}

// refuseQuery makes an answer of an error from the service, which may be about parameters.
func (x *exchange) refuseQuery(err error) error {
	var found signal.FieldErrors
	if !errors.As(err, &found) {
		return x.refuse(err)
	}
	return x.finish(invalid(fieldMistakes("query", found, func(name string) json.RawMessage {
		if sent := x.r.URL.Query().Get(name); sent != "" {
			return scalarOf(sent)
		}
		return nil
	})))
}

// refuseContract refuses the name of a contract, such as BTC-PERP, as POST /v1/consensus
// does. It accepts a name for which there are results: the compatibility route takes such
// names as free text.
func (s *server) refuseContract(ctx context.Context, place string, series signal.Pair, timeframe signal.Timeframe) *Problem {
	_, wrong := signal.ParsePair(series.String())
	if !errors.Is(wrong, signal.ErrContract) {
		return nil
	}
	if _, err := s.service.Latest(ctx, series, timeframe, 0); !errors.Is(err, service.ErrNoSignal) {
		return nil
	}
	return invalid([]Mistake{{Location: place, Message: wrong.Error(), Value: scalarOf(series.String())}})
}

// readParameter reads a parameter. An empty text gives the zero value.
func readParameter[T any](m *queryMistakes, name, text string, parse func(string) (T, error)) (value T) {
	if text == "" {
		return value
	}
	value, err := parse(text)
	if err != nil {
		m.wrong(name, err.Error(), text)
	}
	return value
}

// timeframe is the text of a parameter, whose schema lists the timeframes.
type timeframe string

// Schema is read by huma.
func (timeframe) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: enum(signal.Timeframes()...)}
}

// timeframe reads a timeframe. An empty text gives the default.
func (m *queryMistakes) timeframe(text timeframe) signal.Timeframe {
	return readParameter(m, "timeframe", string(cmp.Or(text, timeframe(signal.DefaultTimeframe))), signal.ParseTimeframe)
}

// parseMoment reads a time: RFC 3339, or seconds or milliseconds since 1970.
func parseMoment(text string) (time.Time, error) {
	if _, err := strconv.ParseUint(text, 10, 64); err == nil {
		return signal.EpochTime(text)
	}
	// A plus sign that was not escaped arrives as a space.
	at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
	if err != nil {
		return at, errors.New("is no time: send RFC 3339 such as 2026-11-23T05:00:00Z, or seconds since 1970")
	}
	return at.UTC(), nil
}

// parseDay reads a UTC day: 2026-11-23, or a moment in it.
func parseDay(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	if strings.Count(text, "-") == 2 && len(text) <= len(time.DateOnly) {
		return time.Time{}, errors.New("is no day: send one such as 2026-11-23")
	}
	return parseMoment(text)
}

// window refuses an empty window.
func (m *queryMistakes) window(from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		m.wrong("to", "is not after from: the window is empty", to.Format(time.RFC3339))
	}
}
