package outcome

// What settled results add up to, voter by voter.

import (
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"thalas/internal/signal"
)

// Voter is whose decisions are added up: the consensus, or a provider with one model.
type Voter struct {
	Provider string
	Model    string // empty for the consensus
}

// Consensus is the voter of the whole decision. No provider has that name.
var Consensus = Voter{Provider: "consensus"}

// String gives consensus, or the provider and model as in anthropic#claude-opus-4-8.
func (v Voter) String() string {
	if v.Model == "" {
		return v.Provider
	}
	return v.Provider + "#" + v.Model
}

// ParseVoter reads what String gave.
func ParseVoter(text string) Voter {
	provider, model, _ := strings.Cut(text, "#")
	return Voter{provider, model}
}

// Sums are counters by name. Those of two sets of results, added name by name, are those
// of both sets together, so that they can be stored by day and pair, and added up by a
// store. Beside the named counters below there are
//
//	w<window>                          directional votes in a window of three candles
//	b<block>, r<block>                 results in a block of days, and the sum of their net returns
//	v<block>, d<block>                 results that tell a provider's value, and the sum of its values
//	c<cell>, y<cell>, s<cell>          directional votes of a confidence in percent, those that
//	                                   were right, and the sum of their confidences
//
// Windows and blocks are numbered from 1970 on.
type Sums map[string]float64

// The named counters. Directional means that the vote was BUY or SELL.
const (
	sumImported    = "imported"    // consensus only: results that were imported
	sumRises       = "rises"       // consensus only: results whose price rose
	sumMoves       = "moves"       // consensus only: absolute moves
	sumCosts       = "costs"       // consensus only: costs of a round trip
	sumBuyReturns  = "buy_returns" // consensus only: net returns of a BUY at every result
	sumBuys        = "buys"        //
	sumBet         = "bet_rises"   // directional votes on results whose price rose
	sumHolds       = "holds"       //
	sumHoldHits    = "hold_hits"   //
	sumBrier       = "brier"       // squared errors of the stated confidences of directional votes
	sumPublished   = "published"   // consensus only: directional results that carried a probability
	sumPubBrier    = "pub_brier"   // consensus only: squared errors of those probabilities
	sumEarly       = "early"       // votes that are left out because the run was decided early
	sumPaid        = "paid"        // votes or results whose cost is known
	sumCostUSD     = "cost_usd"    // those costs
	sumChanged     = "changed"     // results that would have had another decision without the provider
	windowPrefix   = 'w'
	blockPrefix    = 'b'
	returnPrefix   = 'r'
	valuesPrefix   = 'v'
	valuePrefix    = 'd'
	cellPrefix     = 'c'
	cellHitsPrefix = 'y'
	cellSumPrefix  = 's'
)

// Add adds other counter by counter.
func (s Sums) Add(other Sums) {
	for name, x := range other {
		s[name] += x
	}
}

func (s Sums) add(prefix byte, number int64, x float64) {
	s[string(prefix)+strconv.FormatInt(number, 10)] += x
}

// Day gives the UTC day that an outcome is counted in, such as 2026-11-23.
func (o *Outcome) Day() string { return o.From.UTC().Format(time.DateOnly) }

// Sums gives what a settled outcome adds to the sums of each voter: nothing if its votes
// were shared, because the result that they were made for counts them.
func (o *Outcome) Sums(result *signal.Consensus) map[Voter]Sums {
	if result.SharedFrom != nil {
		return nil
	}
	step := int64(o.Timeframe.Duration() / time.Second)
	window, block := floor(o.From.Unix(), windowCandles*step), floor(o.From.Unix(), blockSeconds(step))
	rose := *o.ExitPrice > *o.ReferencePrice

	whole := Sums{sumMoves: math.Abs(*o.Move), sumCosts: *o.Cost, sumBuyReturns: netReturn(signal.Buy, *o.EntryPrice, *o.ExitPrice, *o.Cost)}
	whole.add(blockPrefix, block, 1)
	whole.add(returnPrefix, block, *o.NetReturn)
	if rose {
		whole[sumRises] = 1
	}
	if o.Imported {
		whole[sumImported] = 1
	}
	whole.vote(o.RawDecision, result.Confidence, *o.RawRight, rose, window)
	whole.paid(&result.TotalCostUSD)
	if p := result.Probability; p != nil && p.Value != nil && o.RawDecision != signal.Hold {
		whole[sumPublished] = 1
		whole[sumPubBrier] = squaredError(*p.Value, *o.RawRight)
	}

	sums := map[Voter]Sums{Consensus: whole}
	for i := range o.Votes {
		v := &o.Votes[i]
		s := Sums{}
		sums[Voter{v.Provider, v.Model}] = s
		if result.DecidedEarly {
			s[sumEarly] = 1
			continue
		}
		s.add(blockPrefix, block, 1)
		s.add(returnPrefix, block, v.NetReturn)
		s.vote(v.Decision, v.Confidence, v.Right, rose, window)
		s.paid(result.Responses[i].CostUSD)
		without := signal.Hold
		for _, c := range result.Explanation.Contributions {
			if c.Provider == v.Provider && c.DecisionWithout != nil {
				without = *c.DecisionWithout
			}
		}
		s.add(valuesPrefix, block, 1)
		s.add(valuePrefix, block, *o.NetReturn-netReturn(without, *o.EntryPrice, *o.ExitPrice, *o.Cost))
		if without != o.Decision {
			s[sumChanged] = 1
		}
	}
	for _, s := range sums {
		maps.DeleteFunc(s, func(_ string, x float64) bool { return x == 0 })
	}
	return sums
}

func (s Sums) vote(d signal.Decision, confidence float64, right, rose bool, window int64) {
	if d == signal.Hold {
		s[sumHolds] = 1
		if right {
			s[sumHoldHits] = 1
		}
		return
	}
	if d == signal.Buy {
		s[sumBuys] = 1
	}
	if rose {
		s[sumBet] = 1
	}
	cell := cellOf(confidence)
	s.add(windowPrefix, window, 1)
	s.add(cellPrefix, cell, 1)
	s.add(cellSumPrefix, cell, confidence)
	if right {
		s.add(cellHitsPrefix, cell, 1)
	}
	s[sumBrier] = squaredError(confidence, right)
}

func (s Sums) paid(costUSD *float64) {
	if costUSD != nil {
		s[sumPaid], s[sumCostUSD] = 1, *costUSD
	}
}

// cellOf gives the cell of a confidence: the nearest percent, 0…100.
func cellOf(confidence float64) int64 { return int64(math.Floor(float64(100*confidence) + 0.5)) }

func squaredError(p float64, right bool) float64 {
	if right {
		p = 1 - p
	}
	return p * p
}

// blockSeconds is the length of a block: results of one block are taken to depend on each
// other.
func blockSeconds(step int64) int64 {
	return max(int64(24*time.Hour/time.Second), 2*windowCandles*step)
}

// floor divides and rounds down, also below 0.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
