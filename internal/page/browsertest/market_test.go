package browsertest

// Made-up series and votes, from fixed seeds.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// hostile is what a model or a caller may write to run in a reader's browser.
const hostile = `<img src=x onerror="window.planted=1"><script>window.planted=1</script>`

// model is one made-up voter.
type model struct {
	provider, name string
	weight, skill  float64 // skill: how often its direction is right
	usd            float64
}

var models = []model{
	{"anthropic", "claude-sonnet-5-5", 1, .58, .0061},
	{"gemini", "gemini-3.8-flash", .8, .54, .0019},
	{"grok", "grok-4.7", .7, .49, .0023},
	{"openai", "gpt-6.1-sol", .9, .56, .0044},
}

// series is a random walk of closed candles.
type series struct {
	market.Series
	candles []signal.Candle // oldest first
	random  *rand.Rand
}

func newSeries(pair string, timeframe signal.Timeframe, price float64, digits, n int, last time.Time, seed uint64) *series {
	parsed, err := signal.ParseMarket(pair)
	if err != nil {
		panic(err)
	}
	s := &series{market.Series{Pair: parsed, Timeframe: timeframe}, nil, rand.New(rand.NewPCG(seed, 1))}
	round := func(f float64) float64 { p := math.Pow10(digits); return math.Round(f*p) / p }
	last = timeframe.LastClosed(last)
	for i := range n {
		open := price
		price *= math.Exp(.006 * s.random.NormFloat64())
		high := max(open, price) * (1 + .003*s.random.Float64())
		low := min(open, price) * (1 - .003*s.random.Float64())
		s.candles = append(s.candles, signal.Candle{
			Time: last.Add(time.Duration(i-n+1) * timeframe.Duration()),
			Open: signal.NumberOf(round(open)), High: signal.NumberOf(round(high)), Low: signal.NumberOf(round(low)), Close: signal.NumberOf(round(price)),
			Volume: signal.NumberOf(math.Round(1000*s.random.Float64()) / 10),
		})
	}
	return s
}

// said is what a made-up voter says the next time that it is asked.
type said struct {
	voter string
	after time.Duration
	provider.Answer
	err error
}

// votes makes one vote a model about candle i: skilled where the future is known,
// else at random.
func (s *series) votes(i int, models []model) []said {
	common := s.random.Float64() // models err together
	var votes []said
	for _, m := range models {
		up := s.random.IntN(2) == 0
		if i+3 < len(s.candles) {
			up = s.candles[i+3].Close.Float64() > s.candles[i].Close.Float64()
			if .5*common+.5*s.random.Float64() > m.skill {
				up = !up
			}
		}
		price := s.candles[i].Close.Float64()
		v := said{voter: m.provider, after: time.Duration(500+4000*s.random.Float64()) * time.Millisecond}
		v.Usage = provider.Usage{Known: true, InputTokens: 1900 + s.random.IntN(300), OutputTokens: 120 + s.random.IntN(90), CostUSD: &m.usd}
		v.Decision, v.Confidence, v.RiskLevel = signal.Sell, math.Round(100*(.62+.33*s.random.Float64()))/100, new(signal.Medium)
		stop, target := price*1.02, price*.97
		if up {
			v.Decision, stop, target = signal.Buy, price*.98, price*1.03
		}
		if s.random.IntN(5) == 0 {
			v.Decision, v.Reasoning = signal.Hold, "Price sits in the middle of its range, RSI near 50 and volume below its mean; neither side has an edge that pays for a round trip."
		} else {
			v.StopLoss, v.TakeProfit = round5(stop), round5(target)
			v.Reasoning = fmt.Sprintf("The last three closes moved %s with rising volume, MACD crossed its signal line, and RSI leaves room before it is stretched. The nearest level against it lies at %v.", strings.ToLower(string(v.Decision)), *v.StopLoss)
		}
		votes = append(votes, v)
	}
	return votes
}

func round5(f float64) *float64 {
	p := math.Pow10(5 - int(math.Floor(math.Log10(f))))
	f = math.Round(f*p) / p
	return &f
}

// question is about candle i, with the number of candles before it.
func (s *series) question(i, candles int) service.Question {
	q := service.Question{Request: orchestrator.Request{Pair: s.Pair, Timeframe: s.Timeframe, CurrentPrice: s.candles[i].Close}}
	q.MarketData.Candles = s.candles[max(0, i+1-candles) : i+1]
	if candles == 0 {
		q.MarketData.Set("rsi", signal.NumberOf(57.31))
	}
	return q
}
