package browsertest

// Made-up series, votes and results, from fixed seeds; decided, settled and
// scored by the product's own arithmetic.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"thalas/internal/consensus"
	"thalas/internal/outcome"
	"thalas/internal/signal"
)

const (
	promptVersion = "7c1d0f3a"
	// What a model or a caller may write to run in a reader's browser.
	hostile = `<img src=x onerror="window.planted=1"><script>window.planted=1</script>`
)

// model is one made-up voter.
type model struct {
	provider, name string
	weight, skill  float64 // skill: how often its direction is right
	usd            float64
}

var models = []model{
	{"anthropic", "claude-opus-4-8", 1, .58, .0061},
	{"gemini", "gemini-3.5-pro", .8, .54, .0019},
	{"grok", "grok-5", .8, .49, .0023},
	{"openai", "gpt-5.5", .9, .56, .0044},
}

// series is a random walk of closed candles, and the results that were made along it.
type series struct {
	pair      signal.Pair
	timeframe signal.Timeframe
	step      time.Duration
	candles   []signal.Candle // oldest first
	random    *rand.Rand
}

func newSeries(pair string, timeframe signal.Timeframe, price float64, digits, n int, last time.Time, seed uint64) *series {
	parsed, err := signal.ParseMarket(pair)
	if err != nil {
		panic(err)
	}
	s := &series{pair: parsed, timeframe: timeframe, step: timeframe.Duration(), random: rand.New(rand.NewPCG(seed, 1))}
	round := func(f float64) float64 { p := math.Pow10(digits); return math.Round(f*p) / p }
	last = last.Truncate(s.step).Add(-s.step)
	for i := range n {
		open := price
		price *= math.Exp(.006 * s.random.NormFloat64())
		high := max(open, price) * (1 + .003*s.random.Float64())
		low := min(open, price) * (1 - .003*s.random.Float64())
		s.candles = append(s.candles, signal.Candle{
			Time: last.Add(time.Duration(i-n+1) * s.step),
			Open: signal.NumberOf(round(open)), High: signal.NumberOf(round(high)), Low: signal.NumberOf(round(low)), Close: signal.NumberOf(round(price)),
			Volume: signal.NumberOf(math.Round(1000*s.random.Float64()) / 10),
		})
	}
	return s
}

// votes makes one vote a model about candle i: skilled where the future is known,
// else at random.
func (s *series) votes(i int, models []model) []signal.Vote {
	common := s.random.Float64() // models err together
	var votes []signal.Vote
	for _, m := range models {
		up := s.random.IntN(2) == 0
		if i+3 < len(s.candles) {
			up = s.candles[i+3].Close.Float64() > s.candles[i].Close.Float64()
			if .5*common+.5*s.random.Float64() > m.skill {
				up = !up
			}
		}
		price := s.candles[i].Close.Float64()
		v := signal.Vote{Provider: m.provider, Model: m.name, Decision: signal.Sell, Confidence: math.Round(100*(.62+.33*s.random.Float64())) / 100, Weight: m.weight,
			LatencyMS: 500 + 4000*s.random.Float64(), Attempts: 1, InputTokens: 1900 + s.random.IntN(300), OutputTokens: 120 + s.random.IntN(90)}
		usd := m.usd
		v.CostUSD = &usd
		level := signal.Medium
		v.RiskLevel = &level
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

// result decides votes as the orchestrator does.
func (s *series) result(i int, votes []signal.Vote, failures []signal.Failure, policy signal.Policy) *signal.Consensus {
	candle := s.candles[i]
	price := candle.Close.Float64()
	o := consensus.Aggregate(votes, consensus.Policy{MinConfidence: policy.MinConfidence, MinAgreement: policy.MinAgreement, Price: price})
	at := candle.Time.Add(s.step + 4*time.Second)
	r := &signal.Consensus{
		ID: idAt(at, s.random), Status: signal.Complete, Pair: s.pair, Timeframe: s.timeframe, CurrentPrice: price,
		Decision: o.Decision, RawDecision: o.RawDecision, HoldReason: o.HoldReason, Confidence: o.Confidence, WeightedConfidence: o.Confidence, AgreementScore: o.AgreementScore,
		Reasoning: o.Reasoning, RiskLevel: o.RiskLevel, SuggestedStopLoss: o.SuggestedStopLoss, SuggestedTakeProfit: o.SuggestedTakeProfit,
		TotalProviders: len(votes) + len(failures), ParticipatingProviders: len(votes), VoteBreakdown: o.VoteBreakdown, WeightedVotes: o.WeightedVotes,
		Responses: o.Votes, Failures: failures, Explanation: o.Explanation, Warnings: o.Warnings, Policy: &policy,
		Timestamp: at, CandleTime: candle.Time, ValidUntil: candle.Time.Add(2 * s.step), PromptVersion: promptVersion, Cache: signal.CacheMiss, VotesAt: at, OverheadMS: .9,
	}
	if len(failures) > 0 {
		r.Status = signal.Degraded
	} else {
		r.Failures = []signal.Failure{}
	}
	for _, v := range votes {
		r.TotalLatencyMS = max(r.TotalLatencyMS, v.LatencyMS)
		r.TotalTokens += v.InputTokens + v.OutputTokens
		if v.CostUSD != nil {
			r.TotalCostUSD += *v.CostUSD
		}
	}
	for _, f := range failures {
		r.TotalLatencyMS = max(r.TotalLatencyMS, f.LatencyMS)
	}
	r.TotalLatencyMS += r.OverheadMS
	return r
}

// idAt makes a UUIDv7 of a moment.
func idAt(at time.Time, random *rand.Rand) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, random.IntN(1<<12), random.IntN(1<<12), random.Int64N(1<<48))
}

// settle gives the outcome by the candles of the series that have closed.
func (s *series) settle(r *signal.Consensus, now time.Time) outcome.Outcome {
	candles, err := outcome.NewCandles(s.timeframe, s.candles, now)
	if err != nil {
		panic(err)
	}
	return outcome.Settle(r, false, candles, outcome.Terms{Cost: .003, Source: "kraken", Now: now})
}

// marketData is what the models saw of candle i.
func (s *series) marketData(i int) signal.MarketData {
	m := signal.MarketData{Candles: s.candles[max(0, i-119) : i+1]}
	m.Set("rsi_14", signal.NumberOf(57.31))
	m.Set("macd", signal.NumberOf(-12.4))
	return m
}
