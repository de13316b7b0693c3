package consensus

// The suggested stop loss and take profit: medians of the supporters' levels. Each level
// is checked against the price.

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"thalas/internal/signal"
)

// maxDistance is the largest distance of a level from the price, as a part of the price.
// A level further away is probably not a price: a stop of 2 at 50,000 is a percentage.
const maxDistance = 0.5

// suggestLevels gives the medians of the valid levels of the votes for raw, which is BUY
// or SELL. A median is nil without a valid level. Each level that is left out gives a
// warning.
func suggestLevels(ballots []ballot, votes []signal.Vote, raw option, price float64) (stopLoss, takeProfit *float64, warnings []signal.Warning) {
	var inlineStops, inlineTargets [maxInline]float64
	stops, targets := inlineStops[:0], inlineTargets[:0]
	stopBelow := raw == buy
	for i := range ballots {
		if ballots[i].option != raw {
			continue
		}
		stop, target, name := votes[i].StopLoss, votes[i].TakeProfit, votes[i].Provider
		if stop != nil && isLevel(*stop, price, stopBelow) {
			stops = append(stops, *stop)
		} else if stop != nil {
			warnings = append(warnings, signal.Warning{Code: signal.WarnStopLossWrongSide, Provider: name, Message: leftOut("stop loss", *stop, raw, price, stopBelow)})
		}
		if target != nil && isLevel(*target, price, !stopBelow) {
			targets = append(targets, *target)
		} else if target != nil {
			warnings = append(warnings, signal.Warning{Code: signal.WarnTakeProfitWrongSide, Provider: name, Message: leftOut("take profit", *target, raw, price, !stopBelow)})
		}
	}
	return median(stops), median(targets), warnings
}

// isLevel reports whether level lies on the right side of the price (below or above it)
// and at most maxDistance away. 0.45 at a price of 0.3 is valid, although rounding puts it
// slightly beyond maxDistance.
func isLevel(level, price float64, below bool) bool {
	const rounding = 1e-9
	ratio := level / price
	if below {
		return price > 0 && level < price && ratio >= 1-maxDistance-rounding
	}
	return price > 0 && level > price && ratio <= 1+maxDistance+rounding
}

// median sorts levels. For an even count it is the mean of the two middle ones.
func median(levels []float64) *float64 {
	n := len(levels)
	if n == 0 {
		return nil
	}
	slices.Sort(levels)
	m := levels[n/2]
	if n%2 == 0 {
		low := levels[n/2-1]
		mean := (low + m) / 2
		if math.IsInf(mean, 1) { // the sum overflowed; halves are exact, so fusing them is no matter
			mean = low/2 + m/2
		}
		m = mean
	}
	return &m
}

// leftOut makes the warning of a level that does not count.
func leftOut(name string, level float64, raw option, price float64, below bool) string {
	side := "above"
	if below {
		side = "below"
	}
	return fmt.Sprintf("%s %s was left out: for a %s it must be %s the price %s and at most %v %% from it",
		name, priceText(level), raw.decision(), side, priceText(price), 100*maxDistance)
}

// priceText writes a price with all its digits. Only very large and very small prices are
// written with an exponent.
func priceText(x float64) string {
	format := byte('f')
	if size := math.Abs(x); size != 0 && size < 1e-12 || size >= 1e15 {
		format = 'g'
	}
	return strconv.FormatFloat(x, format, -1, 64)
}
