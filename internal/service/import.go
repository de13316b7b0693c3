package service

// Import: results that were exported, by this server or another, are stored again under
// their ids.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"thalas/internal/outcome"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// importTimeout bounds the write of one batch.
const importTimeout = 30 * time.Second

// longestRun is the most that lies between the time in a result's id, which is when its
// run began, and its timestamp, which is when the run ended.
const longestRun = time.Hour

// Import stores results, given as they were exported: the JSON that was answered, byte for
// byte, with an outcome as its last member or without. It says how many were added; a
// result whose id is stored already is left as it is. No model is asked and no run is
// counted. Simulated results stay simulated. A settled outcome stands, and other results
// can be settled. The retention period begins now, that of the sums of outcomes too. If
// one line is not a whole result, Import gives an error and stores none.
func (s *Service) Import(ctx context.Context, lines [][]byte) (added int, err error) {
	now := time.Now()
	results := make([]*store.Result, len(lines))
	for i, line := range lines {
		c, o, body, err := WholeResult(line)
		if err != nil {
			return 0, err
		}
		r := s.recordOf(c, body, now)
		r.Imported = true
		if o != nil {
			settlement, err := s.settlement(c, o)
			if err != nil {
				return 0, err
			}
			r.Settlement = &settlement
		} else if r.Unsettled, err = unsettled(c, outcome.Of(c, true)); err != nil {
			return 0, err
		}
		results[i] = r
	}
	ctx, cancel := context.WithTimeout(ctx, importTimeout)
	defer cancel()
	added, err = s.Store.Add(ctx, results)
	return added, unreachable("to store what is imported", err)
}

// WholeResult parses an exported result, and checks what every result has: one that passes
// can be found, read and replayed like a result of this server. Fields that this version
// does not know are ignored. It also gives the outcome, marked as imported, or nil if the
// result was not settled; and the body without its outcome.
func WholeResult(line []byte) (*signal.Consensus, *outcome.Outcome, []byte, error) {
	body, said := cutMember(line, "outcome")
	body, _ = cutMember(body, "market_data") // of an answer with include=market_data
	c, err := wholeResult(body)
	if err != nil || said == nil {
		return c, nil, body, err
	}
	var o outcome.Outcome
	if err := json.Unmarshal(said, &o); err != nil {
		return nil, nil, nil, fmt.Errorf("its outcome can't be read: %w", err)
	}
	if o.Status != outcome.Settled {
		return c, nil, body, nil
	}
	if err := o.Verify(c); err != nil {
		return nil, nil, nil, err
	}
	o.Imported = true
	return c, &o, body, nil
}

// cutMember takes a member off an object, which is not its first one, and gives its value;
// nil if there is none. What is no object is given as it is, for others to refuse.
func cutMember(line []byte, member string) (body, value []byte) {
	members := json.NewDecoder(bytes.NewReader(line))
	if begin, err := members.Token(); err != nil || begin != json.Delim('{') {
		return line, nil
	}
	for members.More() {
		before := members.InputOffset()
		name, _ := members.Token()
		var value json.RawMessage
		if members.Decode(&value) != nil {
			return line, nil
		}
		if name == member {
			after := members.InputOffset()
			return slices.Concat(line[:before], line[after:]), value
		}
	}
	return line, nil
}

func wholeResult(body []byte) (*signal.Consensus, error) {
	var c signal.Consensus
	var other *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, &c); {
	case errors.As(err, &other):
		return nil, fmt.Errorf("%s is of a wrong kind, %s", cmp.Or(other.Field, "it"), other.Value)
	case err != nil:
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	// The texts as they are written, since parsing accepts other forms too.
	var said struct {
		Pair        string `json:"pair"`
		Decision    string `json:"decision"`
		RawDecision string `json:"raw_decision"`
		Votes       []struct {
			Decision string `json:"decision"`
		} `json:"provider_responses"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, err
	}
	votes := signal.Tally[int]{}
	for i := range c.Responses {
		v := &c.Responses[i]
		switch {
		case v.Provider == "":
			return nil, fmt.Errorf("vote %d does not name its provider", i+1)
		case !isDecision(said.Votes[i].Decision):
			return nil, fmt.Errorf("decision %q of %s is none of BUY, SELL, HOLD", said.Votes[i].Decision, v.Provider)
		case !isShare(v.Confidence) || !isShare(v.Weight):
			return nil, fmt.Errorf("confidence %v or weight %v of %s is outside 0…1", v.Confidence, v.Weight, v.Provider)
		}
		votes.Add(v.Decision, 1)
	}
	at := [...]time.Time{c.Timestamp, c.CandleTime, c.ValidUntil}
	for i, name := range [...]string{"timestamp", "candle_time", "valid_until"} {
		if year := at[i].UTC().Year(); at[i].IsZero() || year < 1970 || year > 9999 {
			return nil, fmt.Errorf("%s is missing, or no time of this era", name)
		}
	}
	made := store.MadeAt(c.ID)
	switch {
	case !store.IsID(c.ID):
		return nil, fmt.Errorf("id %q is no id of a result", c.ID)
	case c.Pair.IsZero() || c.Pair.String() != said.Pair:
		return nil, fmt.Errorf("pair %q is missing, or not in its one form", said.Pair)
	case c.Timeframe == "":
		return nil, errors.New("timeframe is missing")
	case !isDecision(said.Decision) || !isDecision(said.RawDecision):
		return nil, fmt.Errorf("decision %q or raw_decision %q is none of BUY, SELL, HOLD", said.Decision, said.RawDecision)
	case c.Status != signal.Complete && c.Status != signal.Degraded:
		return nil, fmt.Errorf("status %q is none of complete, degraded", c.Status)
	case c.CurrentPrice <= 0:
		return nil, errors.New("current_price is not above 0")
	case !isShare(c.Confidence) || !isShare(c.AgreementScore):
		return nil, errors.New("confidence or agreement_score is outside 0…1")
	case len(c.Responses) == 0:
		return nil, errors.New("it has no votes")
	case votes != c.VoteBreakdown || c.ParticipatingProviders != len(c.Responses):
		return nil, errors.New("vote_breakdown or participating_providers are not those of its votes")
	case !c.ValidUntil.Equal(c.CandleTime.Add(2 * c.Timeframe.Duration())):
		return nil, errors.New("valid_until is not two timeframes after candle_time")
	case made.Sub(c.Timestamp).Abs() > longestRun:
		return nil, fmt.Errorf("timestamp is not of the time in its id, %s", made.Format(time.RFC3339))
	}
	return &c, nil
}

func isDecision(text string) bool {
	return text == string(signal.Buy) || text == string(signal.Sell) || text == string(signal.Hold)
}

func isShare(x float64) bool { return x >= 0 && x <= 1 }
