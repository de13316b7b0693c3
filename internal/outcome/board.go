package outcome

// The scoreboard: what the sums of a timeframe say about each voter.

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"thalas/internal/signal"
)

// Scoreboard holds the boards of all timeframes that were asked for.
type Scoreboard struct {
	From          string  `json:"from"` // the first UTC day, such as 2025-11-25
	To            string  `json:"to"`   // the day after the last one
	PromptVersion string  `json:"prompt_version"`
	Simulated     bool    `json:"simulated"`
	Boards        []Board `json:"boards"` // shortest timeframe first; never nil
}

// Board scores one timeframe. A figure that can't be formed is nil.
type Board struct {
	Timeframe  signal.Timeframe `json:"timeframe"`
	Settled    int              `json:"settled"`
	Imported   int              `json:"imported"`   // how many of Settled were imported
	Unresolved map[Reason]int   `json:"unresolved"` // never nil
	Pending    int              `json:"pending"`
	Blocks     int              `json:"blocks"` // of days, with a settled result

	Cost             *float64 `json:"cost"`                // the mean cost of a round trip
	MeanAbsMove      *float64 `json:"mean_abs_move"`       //
	UpShare          *float64 `json:"up_share"`            // of the results whose price rose
	BreakEvenHitRate *float64 `json:"break_even_hit_rate"` // a guide; above 1 it can't be reached
	AlwaysBuy        *float64 `json:"always_buy"`          // the mean net return of a BUY at every result

	Voters []Score `json:"voters"` // consensus first, then by provider and model; never nil
}

// Score is how good one voter was.
type Score struct {
	Voter string  `json:"voter"` // consensus, or the provider
	Model *string `json:"model"` // nil for the consensus

	Directional int      `json:"directional"` // BUY and SELL
	Buys        int      `json:"buys"`
	Holds       int      `json:"holds"`
	HoldHits    int      `json:"hold_hits"`
	Early       int      `json:"early"` // votes left out because the run was decided early
	Hits        int      `json:"hits"`  // directional votes that were right
	HitRate     *float64 `json:"hit_rate"`
	Low         *float64 `json:"low"`    // 95 % interval of HitRate
	High        *float64 `json:"high"`   //
	NEff        float64  `json:"n_eff"`  // independent windows that Directional is worth
	Chance      *float64 `json:"chance"` // what a blind voter of the same leaning hits

	StatedConfidenceMean *float64 `json:"stated_confidence_mean"`
	BrierStated          *float64 `json:"brier_stated"`
	BrierPublished       *float64 `json:"brier_published"`
	Published            int      `json:"published"` // results that carried a probability

	NetReturn   Estimate      `json:"net_return"`
	CostUSDMean *float64      `json:"cost_usd_mean"`
	Verdict     Verdict       `json:"verdict"`
	Value       *Value        `json:"value"`       // nil for the consensus
	Reliability []Reliability `json:"reliability"` // by confidence, the lowest first; never nil
}

// Value is what a provider adds as the last voter.
type Value struct {
	Results int `json:"results"` // compared
	Changed int `json:"changed"` // how many had another decision without the provider
	Estimate
	BreakEvenNotionalUSD *float64 `json:"break_even_notional_usd"` // the trade that pays for its calls; nil unless Low is above 0
	Verdict              Verdict  `json:"verdict"`
}

// Reliability compares the confidence that was stated with how often it was right.
type Reliability struct {
	N          int     `json:"n"`
	StatedMean float64 `json:"stated_mean"`
	HitRate    float64 `json:"hit_rate"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}

// Verdict says in a word what the figures allow to say, at three standard errors.
type Verdict string

// The verdicts: of a voter the first that holds, of a value the first, fourth or one of
// the last two.
const (
	TooFew             Verdict = "too_few"
	BeatsCosts         Verdict = "beats_costs"
	BetterThanChance   Verdict = "better_than_chance"
	WorseThanChance    Verdict = "worse_than_chance"
	NotDistinguishable Verdict = "not_distinguishable"
	Helps              Verdict = "helps"
	Hurts              Verdict = "hurts"
)

// Needed is the n_eff from which on a verdict is given and a probability is published.
const Needed = 100

// NewBoard scores a timeframe by the sums of its voters, and by the numbers of its results
// that have no outcome.
func NewBoard(timeframe signal.Timeframe, sums map[Voter]Sums, unresolved map[Reason]int, pending int) Board {
	whole := tallyOf(sums[Consensus])
	b := Board{
		Timeframe: timeframe, Settled: count(whole.net.n), Imported: count(whole.sums[sumImported]),
		Unresolved: unresolved, Pending: pending, Blocks: count(whole.net.blocks),
		Cost: ratio(whole.sums[sumCosts], whole.net.n), MeanAbsMove: ratio(whole.sums[sumMoves], whole.net.n),
		UpShare: ratio(whole.sums[sumRises], whole.net.n), AlwaysBuy: ratio(whole.sums[sumBuyReturns], whole.net.n),
		BreakEvenHitRate: breakEven(whole), Voters: []Score{},
	}
	if b.Unresolved == nil {
		b.Unresolved = map[Reason]int{}
	}
	voters := slices.SortedFunc(maps.Keys(sums), func(x, y Voter) int {
		return cmp.Or(cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Model, y.Model))
	})
	b.Voters = append(b.Voters, whole.score(Consensus))
	for _, voter := range voters {
		if voter != Consensus {
			b.Voters = append(b.Voters, tallyOf(sums[voter]).score(voter))
		}
	}
	return b
}

// breakEven is ½ + cost / (2 · mean absolute move); nil where that can't be formed.
func breakEven(whole *tally) *float64 {
	if !(whole.sums[sumMoves] > 0) {
		return nil
	}
	return new(0.5 + whole.sums[sumCosts]/(2*whole.sums[sumMoves]))
}

// tally is the sums of one voter, with the numbered counters taken apart.
type tally struct {
	sums              Sums
	net, value        clusteredMean
	directional, hits float64
	stated            float64 // sum of the stated confidences of directional votes
	nEff              float64
	cells             [101]cell
}

// cell counts the directional votes of one confidence in percent.
type cell struct{ n, hits, stated float64 }

func tallyOf(sums Sums) *tally {
	t := &tally{sums: sums}
	net, value := map[int64]block{}, map[int64]block{}
	var squares float64
	for name, x := range sums {
		number, err := strconv.ParseInt(name[1:], 10, 64)
		if err != nil {
			continue // a named counter
		}
		switch name[0] {
		case windowPrefix:
			squares += x * x // of whole numbers: exact in any order
		case blockPrefix:
			net[number] = block{x, net[number].sum}
		case returnPrefix:
			net[number] = block{net[number].n, x}
		case valuesPrefix:
			value[number] = block{x, value[number].sum}
		case valuePrefix:
			value[number] = block{value[number].n, x}
		case cellPrefix, cellHitsPrefix, cellSumPrefix:
			if number < 0 || number >= int64(len(t.cells)) {
				continue
			}
			switch c := &t.cells[number]; name[0] {
			case cellPrefix:
				c.n = x
			case cellHitsPrefix:
				c.hits = x
			default:
				c.stated = x
			}
		}
	}
	for i := range t.cells {
		t.directional += t.cells[i].n
		t.hits += t.cells[i].hits
		t.stated += t.cells[i].stated
	}
	if squares > 0 {
		t.nEff = t.directional * t.directional / squares
	}
	t.net, t.value = newClusteredMean(net), newClusteredMean(value)
	return t
}

func (t *tally) score(v Voter) Score {
	s := Score{
		Voter: v.Provider, Directional: count(t.directional), Buys: count(t.sums[sumBuys]), Holds: count(t.sums[sumHolds]), HoldHits: count(t.sums[sumHoldHits]),
		Early: count(t.sums[sumEarly]), Hits: count(t.hits), HitRate: ratio(t.hits, t.directional), NEff: t.nEff, Chance: t.chance(),
		StatedConfidenceMean: ratio(t.stated, t.directional), BrierStated: ratio(t.sums[sumBrier], t.directional),
		BrierPublished: ratio(t.sums[sumPubBrier], t.sums[sumPublished]), Published: count(t.sums[sumPublished]),
		NetReturn: t.net.estimate(), CostUSDMean: ratio(t.sums[sumCostUSD], t.sums[sumPaid]), Verdict: t.verdict(), Reliability: t.reliability(),
	}
	if s.HitRate != nil {
		low, high := wilson(*s.HitRate, t.nEff, z95)
		s.Low, s.High = &low, &high
	}
	if v != Consensus {
		s.Model = &v.Model
		s.Value = &Value{Results: count(t.value.n), Changed: count(t.sums[sumChanged]), Estimate: t.value.estimate(), Verdict: t.valueVerdict()}
		if low := s.Value.Low; low != nil && *low > 0 && s.CostUSDMean != nil {
			s.Value.BreakEvenNotionalUSD = new(*s.CostUSDMean / *s.Value.Mean)
		}
	}
	return s
}

// chance is q·u + (1−q)·(1−u), q the share of BUYs and u the share of rises among the
// results of the directional votes.
func (t *tally) chance() *float64 {
	if t.directional == 0 {
		return nil
	}
	q, u := t.sums[sumBuys]/t.directional, t.sums[sumBet]/t.directional
	return new(float64(q*u) + float64((1-q)*(1-u)))
}

func (t *tally) verdict() Verdict {
	if t.nEff < Needed || t.net.blocks < minBlocks {
		return TooFew
	}
	low, high := wilson(t.hits/t.directional, t.nEff, zVerdict)
	netLow, _ := t.net.within(zVerdict)
	chance := *t.chance()
	switch {
	case netLow > 0:
		return BeatsCosts
	case low > max(0.5, chance):
		return BetterThanChance
	case high < min(0.5, chance):
		return WorseThanChance
	}
	return NotDistinguishable
}

func (t *tally) valueVerdict() Verdict {
	if t.value.n < Needed || t.value.blocks < minBlocks {
		return TooFew
	}
	switch low, high := t.value.within(zVerdict); {
	case low > 0:
		return Helps
	case high < 0:
		return Hurts
	}
	return NotDistinguishable
}

// reliability walks the cells upwards and groups them: a group closes when it holds a
// tenth of the votes, and the rest joins the last one.
func (t *tally) reliability() []Reliability {
	var groups []cell
	var open cell
	for _, c := range t.cells {
		open = open.plus(c)
		if open.n > 0 && open.n*10 >= t.directional {
			groups, open = append(groups, open), cell{}
		}
	}
	if last := len(groups) - 1; last >= 0 {
		groups[last] = groups[last].plus(open)
	}
	lines := make([]Reliability, len(groups))
	for i, g := range groups {
		low, high := wilson(g.hits/g.n, t.nEff*g.n/t.directional, z95)
		lines[i] = Reliability{N: count(g.n), StatedMean: g.stated / g.n, HitRate: g.hits / g.n, Low: low, High: high}
	}
	return lines
}

func (c cell) plus(other cell) cell {
	return cell{c.n + other.n, c.hits + other.hits, c.stated + other.stated}
}

// ratio is a / n, nil for an n of 0.
func ratio(a, n float64) *float64 {
	if n == 0 {
		return nil
	}
	return new(a / n)
}

func count(x float64) int { return int(math.Round(x)) }
