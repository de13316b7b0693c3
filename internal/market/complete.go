package market

// Computed indicators are added to market data that has candles.

import (
	"fmt"
	"slices"
	"strings"

	"thalas/internal/signal"
)

// settled is the number of candles from which on the averages hardly depend on where the
// candles begin: the first value is 0.04 % of the slowest average.
const settled = 250

// Complete computes the indicators of the candles in data, and adds those that data
// does not name, in any letter case. A name with the value null counts as sent. An
// indicator that the candles do not give is added as unknown. An empty timeframe is
// signal.DefaultTimeframe. Without candles Complete does nothing.
//
// It returns warnings for the answer: one indicators_computed, which says what was added
// and why a value is unknown, and an indicator_contradiction for each number in data that
// can't be of these candles. What was sent is never changed.
//
// Complete replaces the list of indicators and does not write to it, since it may belong
// to the caller. The list has at most signal.MaxIndicators keys; indicators that have no
// room are left out.
func Complete(data *signal.MarketData, timeframe signal.Timeframe) []signal.Warning {
	if len(data.Candles) == 0 {
		return nil
	}
	if timeframe == "" {
		timeframe = signal.DefaultTimeframe
	}
	sent := data.Indicators
	p := newPrices(data.Candles)
	var absent []Reading
	var contradictions []signal.Warning
	for _, reading := range p.indicators(timeframe) {
		found := false
		for _, indicator := range sent {
			if !strings.EqualFold(indicator.Name, reading.Name) {
				continue
			}
			found = true
			if message := p.contradiction(indicator, reading, timeframe); message != "" {
				contradictions = append(contradictions, signal.Warning{Code: signal.WarnIndicatorContradiction, Message: message})
			}
		}
		if !found {
			absent = append(absent, reading)
		}
	}
	if len(absent) == 0 {
		return contradictions
	}
	room := min(len(absent), max(0, signal.MaxIndicators-1-len(sent))) // the candles are a key too
	data.Indicators = append(make([]signal.Indicator, 0, len(sent)+room), sent...)
	for _, reading := range absent[:room] {
		data.Set(reading.Name, reading.Number())
	}
	computed := signal.Warning{Code: signal.WarnIndicatorsComputed, Message: p.tell(absent[:room], absent[room:])}
	return append([]signal.Warning{computed}, contradictions...)
}

// tell writes the warning: what was computed, what is unknown and why, and what had no
// room.
func (p *prices) tell(added, left []Reading) string {
	var known []string
	var reasons []string // in the order of their first indicator
	unknown := map[string][]string{}
	for _, r := range added {
		if r.Unknown == "" {
			known = append(known, r.Name)
			continue
		}
		if unknown[r.Unknown] == nil {
			reasons = append(reasons, r.Unknown)
		}
		unknown[r.Unknown] = append(unknown[r.Unknown], r.Name)
	}
	list := func(names []string) string { return strings.Join(names, ", ") }

	var b strings.Builder
	fmt.Fprintf(&b, "computed from recent_candles (%d): ", len(p.close))
	if len(known) == 0 {
		b.WriteString("nothing")
	}
	b.WriteString(list(known))
	for i, reason := range reasons {
		if i == 0 {
			b.WriteString("; unknown: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", list(unknown[reason]), reason)
	}
	if len(left) > 0 {
		names := make([]string, len(left))
		for i, r := range left {
			names[i] = r.Name
		}
		fmt.Fprintf(&b, "; left out, since market_data has %d keys at the most: %s", signal.MaxIndicators, list(names))
	}
	if early := slices.DeleteFunc(known, func(name string) bool { return !slices.Contains(recursive, name) }); len(early) > 0 && len(p.close) < settled {
		fmt.Fprintf(&b, "; send %d candles for values of %s that do not depend on where the candles begin", settled, list(early))
	}
	return b.String()
}

// recursive are the indicators whose averages depend on every candle.
var recursive = []string{nameRSI, nameATR, nameEMA20, nameEMA50, nameMACD, nameMACDSignal, nameMACDHist}
