package simulator

// How the simulated models decide: each has one rule of a textbook, so that they have
// reasons to disagree. The rules are examples and not advice.

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"thalas/internal/signal"
)

// vote is what a simulated model says, in the form that the question asks for.
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
	blindConfidence = 0.1 // of a HOLD because data are missing
	restConfidence  = 0.5 // of a HOLD because nothing is unusual
	window          = 20  // candles of the mean, and before a breakout
	momentumSpan    = 5   // candles over which momentum is measured
)

// decide gives the vote of a provider's model about a prompt.
func decide(provider, prompt string) vote {
	m, err := readMarket(prompt)
	if err != nil {
		return vote{Decision: signal.Hold, Confidence: blindConfidence, Reasoning: "HOLD: " + err.Error() + ".", RiskLevel: signal.Medium}
	}
	v := blind("the price is unknown")
	if m.price > 0 {
		v = ruleOf(provider)(m)
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

// ruleOf gives the rule of a provider. The dialects share those of the providers.
func ruleOf(provider string) func(market) view {
	if i := slices.Index(Presets, provider); i >= 0 {
		provider = Providers[i%len(Providers)]
	}
	return rules[provider]
}

// reversion expects a price that has moved far to come back: it buys at an RSI of 35 or
// less, and sells at 65 or more.
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

// momentum expects a movement to go on. It compares the change of the last closes with the
// usual range of one candle. Without candles it uses the sign of the MACD.
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

// againstMean follows the trend, which is the side of the mean on which the close lies.
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

// breakout expects a close outside the range of the candles before it to go on. With too
// few candles it uses the change over 24 hours.
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

// lean follows the sign of a strength that is beyond the threshold.
func lean(strength, threshold float64, facts, what string) view {
	switch {
	case strength >= threshold:
		return view{signal.Buy, confidence((strength - threshold) / (3 * threshold)), facts + ": upward " + what + "."}
	case strength <= -threshold:
		return view{signal.Sell, confidence((-strength - threshold) / (3 * threshold)), facts + ": downward " + what + "."}
	}
	return view{signal.Hold, restConfidence, facts + ": no clear " + what + "."}
}

// blind is a HOLD because data are missing.
func blind(why string) view {
	return view{signal.Hold, blindConfidence, "HOLD: " + why + "."}
}

// confidence maps an excess of 0 to 1 to a confidence of 0.55 to 0.95.
func confidence(excess float64) float64 {
	if math.IsNaN(excess) { // of prices that a float64 can hardly hold
		excess = 0
	}
	return 0.55 + 0.4*min(1, max(0, excess))
}

// usualRange is meanRange for divisions: it is never 0.
func (m market) usualRange() float64 { return max(m.meanRange(), 1e-4) }

// risk depends on the mean range of a candle: below 0.5 % it is low, from 2 % high.
func risk(m market) signal.RiskLevel {
	switch r := m.meanRange(); {
	case r == 0:
		return signal.Medium // it is unknown
	case r < 0.005:
		return signal.Low
	case r < 0.02:
		return signal.Medium
	}
	return signal.High
}

// levels sets the stop 1.5 mean ranges against the decision and the target 3 in its
// direction. Both are nil for HOLD. Without candles the range is taken to be 1 %.
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

// sixDigits rounds to six significant digits.
func sixDigits(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil { // rounding up exceeds a float64
		return x
	}
	return short
}

// rounded gives a price with six digits, or nil if a float64 can't hold it.
func rounded(price float64) *float64 {
	if price = sixDigits(price); math.IsInf(price, 0) {
		return nil
	}
	return &price
}

// figure writes a number with at most six digits and without an exponent.
func figure(x float64) string { return strconv.FormatFloat(sixDigits(x), 'f', -1, 64) }
