package outcome

// One result and what became of it.

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"thalas/internal/signal"
)

// Candles of the window that a decision is judged by. The models are asked about them.
const windowCandles = 3

// Status says how far a result is settled.
type Status string

// The statuses. Only Settled is final for every result.
const (
	Pending    Status = "pending"    // the window has not ended, or its newest candles are not known yet
	Settled    Status = "settled"    //
	Unresolved Status = "unresolved" // there is a reason why it is not settled; it counts neither as right nor as wrong
)

// Reason says why a result is unresolved.
type Reason string

// The reasons. NoMarket and Late follow from the result itself and are final. The others
// say what the last try found; candles that come later can still settle the result.
const (
	NoMarket      Reason = "no_market"      // it is about a free text, which has no candles
	Late          Reason = "late"           // it was answered when the first candle of its window had closed
	Gap           Reason = "gap"            // a candle of the window is missing, although candles after the window are known
	PriceMismatch Reason = "price_mismatch" // current_price is more than a tenth away from the first open: another market or unit
	NoCandles     Reason = "no_candles"     // neither candles of the window are known nor later ones
)

// IsFinal reports whether no candles can settle the result any more.
func (r Reason) IsFinal() bool { return r == NoMarket || r == Late }

// Class says where the price went, as seen by somebody who pays for a round trip.
type Class string

// The classes.
const (
	Up   Class = "up"
	Down Class = "down"
	Flat Class = "flat" // the move is smaller than the cost of a round trip
)

// An Outcome is what became of one result. Its figures are nil unless it is settled.
type Outcome struct {
	ID         string           `json:"id"`
	Pair       signal.Pair      `json:"pair"`
	Timeframe  signal.Timeframe `json:"timeframe"`
	CandleTime time.Time        `json:"candle_time"`
	Simulated  bool             `json:"simulated"`
	Imported   bool             `json:"imported"` // it can't be proved that its votes are older than the candles
	Status     Status           `json:"status"`
	Reason     *Reason          `json:"reason"` // nil unless Status is Unresolved
	From       time.Time        `json:"from"`   // the open time of the window's first candle
	To         time.Time        `json:"to"`     // the close of its last candle

	ReferencePrice *float64 `json:"reference_price"` // what the move is measured from
	EntryPrice     *float64 `json:"entry_price"`     // what a trade could be had at
	ExitPrice      *float64 `json:"exit_price"`      // the close of the window's last candle
	Move           *float64 `json:"move"`            // ExitPrice / ReferencePrice − 1
	Class          *Class   `json:"class"`           //
	Cost           *float64 `json:"cost"`            // of a round trip, as a share of the price

	Decision    signal.Decision `json:"decision"`   // what was acted on
	Right       *bool           `json:"right"`      //
	NetReturn   *float64        `json:"net_return"` // of Decision, as a share, after Cost
	RawDecision signal.Decision `json:"raw_decision"`
	RawRight    *bool           `json:"raw_right"`
	Votes       []Vote          `json:"votes"` // never nil; empty unless settled

	Source    *string    `json:"source"` // where the candles are from
	SettledAt *time.Time `json:"settled_at"`
}

// A Vote is what became of one provider's vote.
type Vote struct {
	Provider   string          `json:"provider"`
	Model      string          `json:"model"`
	Decision   signal.Decision `json:"decision"`
	Confidence float64         `json:"confidence"`
	Right      bool            `json:"right"`
	NetReturn  float64         `json:"net_return"`
}

// MarshalJSON writes a pending outcome as its status and when it is due.
func (o Outcome) MarshalJSON() ([]byte, error) {
	if o.Status == Pending {
		return json.Marshal(struct {
			Status Status    `json:"status"`
			Due    time.Time `json:"due"`
		}{o.Status, o.To})
	}
	type whole Outcome
	return json.Marshal(whole(o))
}

// Of gives the outcome of a result before any candles are looked at: Unresolved for a
// final reason, else Pending.
func Of(result *signal.Consensus, imported bool) Outcome {
	step := result.Timeframe.Duration()
	from := result.CandleTime.Add(step).UTC()
	o := Outcome{
		ID: result.ID, Pair: result.Pair, Timeframe: result.Timeframe, CandleTime: result.CandleTime.UTC(),
		Simulated: result.Simulated, Imported: imported, Status: Pending, From: from, To: from.Add(windowCandles * step),
		Decision: result.Decision, RawDecision: result.RawDecision, Votes: []Vote{},
	}
	if parsed, err := signal.ParsePair(result.Pair.String()); err != nil || parsed != result.Pair {
		return o.unresolved(NoMarket)
	}
	if !result.Timestamp.Before(from.Add(step)) {
		return o.unresolved(Late)
	}
	return o
}

func (o Outcome) unresolved(reason Reason) Outcome {
	o.Status, o.Reason = Unresolved, &reason
	return o
}

// Terms are what results are settled under.
type Terms struct {
	Cost   float64   // of a round trip, as a share of the price: 0.003 is 0.3 %
	Source string    // where the candles are from
	Now    time.Time // when it happens
}

// Settle gives the outcome of a result by the candles of one source. The outcome is
// Pending where the candles say nothing yet.
func Settle(result *signal.Consensus, imported bool, candles Candles, terms Terms) Outcome {
	o := Of(result, imported)
	if o.Status != Pending || terms.Now.Before(o.To) || candles.beginAt(o.To) {
		return o
	}
	step := result.Timeframe.Duration()
	var window [windowCandles]*signal.Candle
	known := 0
	for i := range window {
		if window[i] = candles.at(o.From.Add(time.Duration(i) * step)); window[i] != nil {
			known++
		}
	}
	switch later := candles.reach(o.To); {
	case known == windowCandles:
	case later:
		return o.unresolved(Gap)
	case known == 0:
		return o.unresolved(NoCandles)
	default:
		return o
	}
	first := window[0].Open.Float64()
	if math.Abs(result.CurrentPrice-first) > first/10 {
		return o.unresolved(PriceMismatch)
	}
	reference := result.CurrentPrice
	if reference < window[0].Low.Float64() || reference > window[0].High.Float64() {
		reference = first
	}
	entry := reference
	if result.Timestamp.After(o.From.Add(min(longestGrace, step/5))) {
		entry = window[1].Open.Float64()
	}
	o.judge(result, reference, entry, window[2].Close.Float64(), terms.Cost)
	o.Source, o.SettledAt = &terms.Source, new(terms.Now.UTC().Truncate(time.Second))
	return o
}

// longestGrace is how long after the candle's close an answer may come and still be
// counted as acted on at the reference price; a fifth of the timeframe where that is less.
const longestGrace = 2 * time.Minute

// judge fills in every figure that follows from the prices.
func (o *Outcome) judge(result *signal.Consensus, reference, entry, exit, cost float64) {
	o.Status, o.Reason = Settled, nil
	o.ReferencePrice, o.EntryPrice, o.ExitPrice, o.Cost = &reference, &entry, &exit, &cost
	o.Move = new(exit/reference - 1)
	class := Flat
	switch {
	case exit > float64(reference*(1+cost)):
		class = Up
	case exit < float64(reference*(1-cost)):
		class = Down
	}
	o.Class = &class
	right := func(d signal.Decision) bool {
		switch d {
		case signal.Buy:
			return exit > reference
		case signal.Sell:
			return exit < reference
		}
		return class == Flat
	}
	o.Right, o.RawRight = new(right(o.Decision)), new(right(o.RawDecision))
	o.NetReturn = new(netReturn(o.Decision, entry, exit, cost))
	o.Votes = make([]Vote, len(result.Responses))
	for i := range result.Responses {
		v := &result.Responses[i]
		o.Votes[i] = Vote{
			Provider: v.Provider, Model: v.Model, Decision: v.Decision, Confidence: v.Confidence,
			Right: right(v.Decision), NetReturn: netReturn(v.Decision, entry, exit, cost),
		}
	}
}

// netReturn is what one trade earned, as a share of its entry price, after its cost.
func netReturn(d signal.Decision, entry, exit, cost float64) float64 {
	switch d {
	case signal.Buy:
		return exit/entry - 1 - cost
	case signal.Sell:
		return 1 - exit/entry - cost
	}
	return 0
}

// Verify holds a settled outcome that came from elsewhere against its result: all of it
// must follow from the result and from the outcome's own prices.
func (o *Outcome) Verify(result *signal.Consensus) error {
	want := Of(result, o.Imported)
	for _, x := range [...]*float64{o.ReferencePrice, o.EntryPrice, o.ExitPrice} {
		if x == nil || !(*x > 0) || math.IsInf(*x, 0) {
			return fmt.Errorf("the outcome has no reference_price, entry_price or exit_price above 0")
		}
	}
	switch {
	case o.Status != Settled || want.Status != Pending:
		return fmt.Errorf("the outcome is not that of a settled result")
	case o.Cost == nil || !(*o.Cost >= 0 && *o.Cost < 1):
		return fmt.Errorf("the outcome's cost is not a share from 0 to below 1")
	case o.SettledAt == nil || o.SettledAt.Before(want.To) || o.Source == nil:
		return fmt.Errorf("the outcome has no source, or was settled before its window ended at %s", want.To.Format(time.RFC3339))
	}
	want.judge(result, *o.ReferencePrice, *o.EntryPrice, *o.ExitPrice, *o.Cost)
	want.Source, want.SettledAt = o.Source, o.SettledAt
	said, err := json.Marshal(o)
	if err != nil {
		return err
	}
	recomputed, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if string(said) != string(recomputed) {
		return fmt.Errorf("the outcome does not follow from its result and prices")
	}
	return nil
}
