package store

// What became of results, and what that adds up to.

import (
	"context"
	"time"
)

// Outcomes are the outcomes of results, the sums that they add to, and the list of results
// that have no final outcome. A result enters that list when it is stored, and leaves it
// when it is settled or expires. A result that was stored before there were outcomes is on
// no list until NoteUnsettled puts it there.
type Outcomes interface {
	// AddOutcomes stores final outcomes, and says how many it stored. Each is one
	// transaction: the outcome is stored, the sums are increased, and the result leaves the
	// list of its group. Nothing of that happens if the result has a final outcome already
	// or does not exist any more. After an error some may have been stored: calling
	// AddOutcomes with all of them again stores the others.
	AddOutcomes(ctx context.Context, settlements []Settlement) (added int, err error)

	// NoteUnsettled stores what the last try to settle some results found, and puts those
	// on the list that are not there. It changes nothing for a result that is settled or
	// does not exist any more. A note must name the group in which the result is.
	NoteUnsettled(ctx context.Context, notes []Unsettled) error

	// ListUnsettled gives the results of a group that have no final outcome, by position.
	// Their candles opened at or after from, and before to; a zero time is no bound.
	ListUnsettled(ctx context.Context, group string, from, to time.Time) ([]Unsettled, error)

	// Sums adds up what was settled from the first day to the end of the last day, by
	// voter and counter. An empty pair is all pairs. Days whose sums have expired are left
	// out.
	Sums(ctx context.Context, scores, pair, firstDay, lastDay string) (map[string]map[string]float64, error)
}

// Unsettled is a result without a final outcome. As JSON, which package bolt stores, it is
// without its id and the outcome.
type Unsettled struct {
	ID       string `json:"-"`
	Group    string `json:"group,omitempty"`    // made by UnsettledKey
	Position string `json:"position,omitempty"` // of the result in its series, made by PositionKey
	Pair     string `json:"pair,omitempty"`
	Scores   string `json:"scores,omitempty"` // made by ScoresKey: where its outcome will be counted
	Reason   string `json:"reason,omitempty"` // why the last try did not settle it; empty: it is pending
	Outcome  []byte `json:"-"`                // the JSON of an outcome with that reason, nil without one; ListUnsettled leaves it out
}

// Settlement is the final outcome of a result, and what it adds to the sums.
type Settlement struct {
	Unsettled                               // as it stands on the list, but Outcome is the final one, and Reason is not used; the pair has no #
	Day       string                        // the UTC day that it is counted in, such as 2026-11-23
	Sums      map[string]map[string]float64 // voter → counter → what is added
	ExpiresAt time.Time                     // when the sums of that day expire, as the last settlement says; zero: never
}

// UnsettledKey gives the group of a timeframe's results without a final outcome: those
// that candles can settle, or with hopeless those that nothing can settle.
func UnsettledKey(timeframe string, hopeless, simulated bool) string {
	if hopeless {
		return prefixed("unresolved#"+timeframe, simulated)
	}
	return prefixed("pending#"+timeframe, simulated)
}

// ScoresKey gives the key of the sums of a timeframe and prompt version.
func ScoresKey(timeframe, promptVersion string, simulated bool) string {
	return prefixed("scores#"+timeframe+"#"+promptVersion, simulated)
}
