package simulator

// How the simulated models decide: one textbook rule each, so that they have
// reasons to disagree. They are examples, not advice.

import (
	"fmt"
	"math"
	"strconv"

	"thalas/internal/signal"
)

// vote is what a simulated model says, in the words that it was asked for.
type vote struct {
	Decision   signal.Decision  `json:"decision"`
	Confidence float64          `json:"confidence"`
	Reasoning  string           `json:"reasoning"`
	RiskLevel  signal.RiskLevel `json:"risk_level"`
	StopLoss   *float64         `json:"stop_loss"`
	TakeProfit *float64         `json:"take_profit"`
}

// view is what a rule sees in the market.
type view struct {
	decision   signal.Decision
	confidence float64
	reasoning  string
}

const (
	blindConfidence = 0.1 // of a HOLD for want of data
	restConfidence  = 0.5 // of a HOLD because nothing stands out
	window          = 20  // candles that the mean and the breakout look back on
	momentumSpan    = 5   // candles that momentum looks back on
)

// decide asks the rule of the provider and adds risk and levels.
func decide(provider, prompt string) vote {
	m, err := readMarket(prompt)
	if err != nil {
		return vote{Decision: signal.Hold, Confidence: blindConfidence, Reasoning: "HOLD: " + err.Error() + ".", RiskLevel: signal.Medium}
	}
	v := blind("the price is unknown")
	if m.price > 0 {
		v = rules[provider](m)
	}
	answer := vote{Decision: v.decision, Confidence: math.Round(100*v.confidence) / 100, Reasoning: v.reasoning, RiskLevel: risk(m)}
	if m.pair != "" {
		answer.Reasoning = m.pair + ": " + v.reasoning
	}
	answer.StopLoss, answer.TakeProfit = levels(m, v.decision)
	return answer
}

var rules = map[string]func(market) view{
	Anthropic: reversion,
	OpenAI:    momentum,
	Gemini:    againstMean,
	Grok:      breakout,
}

// reversion: what has run far comes back. RSI from 35 down buys, from 65 up sells.
func reversion(m market) view {
	rsi, ok := m.indicators["rsi"]
	switch {
	case !ok:
		return blind("the indicator rsi is missing or unknown")
	case rsi < 0 || rsi > 100:
		return blind("RSI " + figure(rsi) + " is outside 0 to 100")
	case rsi <= 35:
		return view{signal.Buy, confidence((35 - rsi) / 35), "RSI " + figure(rsi) + " is at or below 35: oversold, a rebound is more likely than a further fall."}
	case rsi >= 65:
		return view{signal.Sell, confidence((rsi - 65) / 35), "RSI " + figure(rsi) + " is at or above 65: overbought, a fall back is more likely than a further rise."}
	}
	return view{signal.Hold, restConfidence, "RSI " + figure(rsi) + " lies between 35 and 65: neither oversold nor overbought."}
}

// momentum: what moves goes on. It holds the change of the last closes against
// the usual range of one candle; without candles it looks at the MACD's sign.
func momentum(m market) view {
	closes := m.closes(momentumSpan + 1)
	if closes == nil {
		macd, ok := m.indicators["macd"]
		if !ok {
			return blind(fmt.Sprintf("momentum needs %d candles or the indicator macd", momentumSpan+1))
		}
		return lean(100*macd/m.price, 0.1, fmt.Sprintf("MACD %s is %s%% of the price", figure(macd), figure(100*macd/m.price)), "momentum")
	}
	change := closes[momentumSpan]/closes[0] - 1
	return lean(change/m.usualRange(), 0.5, fmt.Sprintf("the close moved %s%% over %d candles, against a usual candle range of %s%%",
		figure(100*change), momentumSpan, figure(100*m.usualRange())), "momentum")
}

// againstMean: the trend is where the close lies from the mean of the last closes.
func againstMean(m market) view {
	closes := m.closes(window)
	if closes == nil {
		return blind(fmt.Sprintf("the mean needs %d candles and there are %d", window, len(m.candles)))
	}
	mean := 0.0
	for _, c := range closes {
		mean += c / window
	}
	last := closes[window-1]
	return lean((last/mean-1)/m.usualRange(), 1, fmt.Sprintf("the close %s lies %s%% from the mean of the last %d closes, %s",
		figure(last), figure(100*(last/mean-1)), window, figure(mean)), "trend")
}

// breakout: a close beyond the extremes of the window before it goes on. With
// too few candles it looks at the change over 24 hours.
func breakout(m market) view {
	if len(m.candles) <= window {
		change, ok := m.indicators["price_change_24h"]
		if !ok {
			return blind(fmt.Sprintf("a breakout needs %d candles or the indicator price_change_24h", window+1))
		}
		return lean(change/2, 1, "the price changed "+figure(change)+"% in 24 hours", "drive")
	}
	last := m.candles[len(m.candles)-1].close
	high, low := math.Inf(-1), math.Inf(1)
	for _, c := range m.candles[len(m.candles)-1-window : len(m.candles)-1] {
		high, low = max(high, c.high), min(low, c.low)
	}
	switch {
	case last > high:
		return view{signal.Buy, confidence((last/high - 1) / m.usualRange()), fmt.Sprintf("the close %s broke above the high of %d candles, %s.", figure(last), window, figure(high))}
	case last < low:
		return view{signal.Sell, confidence((1 - last/low) / m.usualRange()), fmt.Sprintf("the close %s broke below the low of %d candles, %s.", figure(last), window, figure(low))}
	}
	return view{signal.Hold, restConfidence, fmt.Sprintf("the close %s lies inside the range of %d candles, %s to %s.", figure(last), window, figure(low), figure(high))}
}

// lean reads a signed strength: beyond the threshold it follows the sign.
func lean(strength, threshold float64, facts, what string) view {
	switch {
	case strength >= threshold:
		return view{signal.Buy, confidence((strength - threshold) / (3 * threshold)), facts + ": upward " + what + "."}
	case strength <= -threshold:
		return view{signal.Sell, confidence((-strength - threshold) / (3 * threshold)), facts + ": downward " + what + "."}
	}
	return view{signal.Hold, restConfidence, facts + ": no clear " + what + "."}
}

// blind is a HOLD for want of data.
func blind(why string) view {
	return view{signal.Hold, blindConfidence, "HOLD: " + why + "."}
}

// confidence maps an excess from 0 up to 0.55 … 0.95.
func confidence(excess float64) float64 {
	if math.IsNaN(excess) { // prices at the edge of a float64
		excess = 0
	}
	return 0.55 + 0.4*min(1, max(0, excess))
}

// usualRange is meanRange, kept away from 0 for divisions.
func (m market) usualRange() float64 { return max(m.meanRange(), 1e-4) }

// risk judges the usual range of a candle: low below 0.5 %, high from 2 %.
func risk(m market) signal.RiskLevel {
	switch r := m.meanRange(); {
	case r == 0:
		return signal.Medium // nothing to judge by
	case r < 0.005:
		return signal.Low
	case r < 0.02:
		return signal.Medium
	}
	return signal.High
}

// levels puts the stop 1.5 usual ranges against the decision and the target 3
// along it; nil for HOLD. Without candles the range counts as 1 %.
func levels(m market, d signal.Decision) (stop, target *float64) {
	if d == signal.Hold {
		return nil, nil
	}
	span := m.meanRange()
	if span == 0 {
		span = 0.01
	}
	span = min(0.1, max(0.002, span)) // so both levels are above 0 and differ from the price
	if d == signal.Sell {
		span = -span
	}
	return rounded(m.price * (1 - 1.5*span)), rounded(m.price * (1 + 3*span))
}

// rounded cuts a price to six digits; nil for one beyond a float64.
func rounded(price float64) *float64 {
	price, err := strconv.ParseFloat(strconv.FormatFloat(price, 'g', 6, 64), 64)
	if err != nil || math.IsInf(price, 0) {
		return nil
	}
	return &price
}

// figure writes a number with at most six digits and without an exponent.
func figure(x float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		short = x
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}
