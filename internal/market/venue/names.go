package venue

// What a pair and a timeframe are called on a venue.

import (
	"fmt"
	"strings"

	"thalas/internal/signal"
)

// parts gives a pair's base and quote, and what a derivative is settled in.
func parts(pair signal.Pair) (base, quote, settle string, err error) {
	text := pair.String()
	if parsed, err := signal.ParsePair(text); err != nil || parsed != pair {
		return "", "", "", fmt.Errorf("%q is no pair: ask about one such as BTC/USDT", shorten(text))
	}
	spot, settle, _ := strings.Cut(text, ":")
	base, quote, _ = strings.Cut(spot, "/")
	return base, quote, settle, nil
}

// spotParts gives the base and quote of a pair that is no derivative.
func spotParts(pair signal.Pair) (base, quote string, err error) {
	base, quote, settle, err := parts(pair)
	if err == nil && settle != "" {
		err = fmt.Errorf("it has the spot market only, and the prices of %s are others: name okx for perpetuals, or ask about %s/%s", pair, base, quote)
	}
	return base, quote, err
}

// frames are a venue's names of the timeframes that it has.
type frames map[signal.Timeframe]string

func (f frames) name(timeframe signal.Timeframe) (string, error) {
	if name, has := f[timeframe]; has {
		return name, nil
	}
	var has []string
	for _, t := range signal.Timeframes() {
		if _, ok := f[t]; ok {
			has = append(has, string(t))
		}
	}
	return "", fmt.Errorf("it has no such candles, only %s: choose one of these, or name a venue that has them", strings.Join(has, " "))
}
