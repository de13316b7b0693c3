package consensus_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func TestDecided(t *testing.T) {
	pending := func(weights ...float64) []consensus.Pending {
		var all []consensus.Pending
		for i, w := range weights {
			all = append(all, consensus.Pending{Provider: string(rune('p' + i)), Weight: w})
		}
		return all
	}
	half := consensus.Policy{MinConfidence: 0.5}
	tests := []struct {
		name       string
		votes      string
		pending    []consensus.Pending
		policy     consensus.Policy
		want       bool
		confidence [2]float64
	}{
		{"three agree", "a:BUY@.9 b:BUY@.8 c:BUY@.85", pending(1), half, true,
			// From another supporter with confidence 0 to another one with confidence 1.
			[2]float64{2.55 / 4, 3.55 / 4}},
		{"one more against, or one more with all confidence", "a:BUY@.9 b:BUY@.9", pending(.1), half, true,
			[2]float64{0.9 * 0.9, 1.9 / 2.1}},
		{"the pending one could make it a tie", "a:BUY@.5 b:BUY@.5", pending(1), consensus.Policy{}, false, [2]float64{}},
		{"a hair more than a tie", "a:BUY@.5 b:BUY@.500000005", pending(1), consensus.Policy{}, true,
			[2]float64{1.000000005 / 3, 2.000000005 / 3}},
		{"less than the tie band more", "a:BUY@.5 b:BUY@.5000000005", pending(1), consensus.Policy{}, false, [2]float64{}},
		{"two pending together could", "a:BUY@.9 b:BUY@.8 c:BUY@.1", pending(1, 1), consensus.Policy{}, false, [2]float64{}},
		{"a low weight can't", "a:BUY@.9", pending(.2, .2, .2), consensus.Policy{}, true, [2]float64{0.5625, 0.9375}},
		{"HOLD has no gates", "a:HOLD@.3 b:HOLD@.3", pending(.5), consensus.Policy{MinConfidence: 0.5, MinAgreement: 0.9}, true,
			[2]float64{0.24, 0.44}},
		{"a tie is never safe", "a:BUY@.9 b:SELL@.9", pending(.1), consensus.Policy{}, false, [2]float64{}},
		{"nothing said yet", "", pending(1), consensus.Policy{}, false, [2]float64{}},
		{"confidence gate surely failed", "a:BUY@.3 b:BUY@.3", pending(.1), half, true, [2]float64{0.27, 0.7 / 2.1}},
		{"confidence gate open", "a:BUY@.5 b:BUY@.6", pending(.1), half, false, [2]float64{}},
		{"agreement gate surely passed", "a:BUY@.9 b:BUY@.9", pending(.2), consensus.Policy{MinAgreement: 0.85}, true, [2]float64{0.81, 2.0 / 2.2}},
		{"agreement gate open", "a:BUY@.9 b:BUY@.9", pending(.2), consensus.Policy{MinAgreement: 0.95}, false, [2]float64{}},
		{"agreement gate surely failed", "a:BUY@.9 b:SELL@.4", pending(.2), consensus.Policy{MinAgreement: 0.9}, true, [2]float64{0.9 / 1.2 * 0.9, 1.1 / 1.2 * 0.9}},
		{"at a gate", "a:BUY@.5", pending(0), consensus.Policy{MinConfidence: 0.425}, false, [2]float64{}},
		{"just off a gate", "a:BUY@.5", pending(0), consensus.Policy{MinConfidence: 0.425 - 2e-9}, true, [2]float64{0.425, 0.5}},
		{"gate that is no number", "a:BUY@1", pending(0), consensus.Policy{MinConfidence: math.NaN()}, false, [2]float64{}},
		{"negative gate is off", "a:BUY@.1", pending(0), consensus.Policy{MinConfidence: -1}, true, [2]float64{0.085, 0.1}},
		{"gate of 0 is off", "a:BUY@1e-10", pending(0), consensus.Policy{}, true, [2]float64{0.85e-10, 1e-10}},
		{"weight that can't be", "a:BUY@.5", pending(math.NaN(), math.Inf(1), 7), consensus.Policy{}, true, [2]float64{0.3875, 0.5}},
		{"too many to try", "a:BUY@.9", pending(0, 0, 0, 0), consensus.Policy{}, false, [2]float64{}},
		{"nobody pending", "a:BUY@.5", nil, half, true, [2]float64{0.5, 0.5}},
		{"nobody pending in a tie", "a:BUY@.5 b:SELL@.5 c:HOLD@.2", nil, half, true, [2]float64{0.16, 0.16}},
		{"nobody at all", "", nil, half, true, [2]float64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			confidence, ok := consensus.Decided(parseVotes(t, tt.votes), tt.pending, tt.policy)
			if ok != tt.want {
				t.Fatalf("got %v, want %v", ok, tt.want)
			}
			if diff := cmp.Diff(tt.confidence, confidence, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("confidence range (-want +got):\n%s", diff)
			}
		})
	}
}

// run is a moment of a run: some votes have come, and some providers are pending.
type run struct {
	votes   []signal.Vote
	pending []consensus.Pending
	policy  consensus.Policy
}

// drawRun draws a moment at which it is hard to say whether the decision is final: near ties,
// pending weights near the margin, and gates near a possible outcome.
func drawRun(t *rapid.T) run {
	names := names.Draw(t, "names")
	votes := drawVotes(t, names, rapid.IntRange(1, 4).Draw(t, "votes"), unit)
	nearTie(t, votes)
	if rapid.Bool().Draw(t, "all agree") {
		for i := range votes {
			votes[i].Decision = votes[0].Decision
		}
	}
	r := run{votes: votes, policy: consensus.Policy{Price: price}}

	margin := consensus.Aggregate(votes, r.policy).Explanation.Margin
	missing := rapid.IntRange(1, 3).Draw(t, "pending")
	for _, name := range names[len(votes) : len(votes)+missing] {
		weight := unit.Draw(t, "pending weight") / float64(missing)
		if rapid.Bool().Draw(t, "near the margin") {
			weight = min(1, max(0, margin/float64(missing)*(1+nudge.Draw(t, "margin nudge"))))
		}
		r.pending = append(r.pending, consensus.Pending{Provider: name, Weight: weight})
	}

	end := consensus.Aggregate(r.complete(t, rapid.SampledFrom([]float64{0, 1})), r.policy)
	r.policy.MinConfidence = drawGate(t, end.Confidence)
	r.policy.MinAgreement = drawGate(t, end.AgreementScore)
	return r
}

func drawGate(t *rapid.T, value float64) float64 {
	if rapid.Bool().Draw(t, "near the gate") {
		return min(1, max(0, value+nudge.Draw(t, "gate nudge")))
	}
	return unit.Draw(t, "gate")
}

// complete draws an outcome of the pending providers.
func (r run) complete(t *rapid.T, confidence *rapid.Generator[float64]) []signal.Vote {
	votes := slices.Clone(r.votes)
	for _, p := range r.pending {
		if rapid.Bool().Draw(t, "answers") {
			votes = append(votes, signal.Vote{
				Provider: p.Provider, Weight: p.Weight,
				Decision: decision.Draw(t, "late decision"), Confidence: confidence.Draw(t, "late confidence"),
			})
		}
	}
	return votes
}

// corners calls visit for each combination of no answer and the three decisions with confidence
// 0 and 1.
func (r run) corners(visit func([]signal.Vote)) {
	var extend func(votes []signal.Vote, pending []consensus.Pending)
	extend = func(votes []signal.Vote, pending []consensus.Pending) {
		if len(pending) == 0 {
			visit(votes)
			return
		}
		extend(votes, pending[1:])
		for _, d := range signal.Decisions {
			for _, c := range []float64{0, 1} {
				vote := signal.Vote{Provider: pending[0].Provider, Weight: pending[0].Weight, Decision: d, Confidence: c}
				extend(append(slices.Clip(votes), vote), pending[1:])
			}
		}
	}
	extend(r.votes, r.pending)
}

// A decision that is final does not change, whatever the pending providers answer.
func TestDecidedKeepsItsPromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRun(t)
		confidence, ok := consensus.Decided(r.votes, r.pending, r.policy)
		if !ok {
			return
		}
		now := consensus.Aggregate(r.votes, r.policy)
		hold := func(votes []signal.Vote) {
			end := consensus.Aggregate(votes, r.policy)
			if end.Decision != now.Decision || end.RawDecision != now.RawDecision || reasonOf(end) != reasonOf(now) {
				t.Fatalf("called safe with %s (raw %s, %q), came to %s (raw %s, %q) with %+v", now.Decision, now.RawDecision,
					reasonOf(now), end.Decision, end.RawDecision, reasonOf(end), votes[len(r.votes):])
			}
			if end.Confidence < confidence[0] || end.Confidence > confidence[1] {
				t.Fatalf("confidence came to %v, outside %v, with %+v", end.Confidence, confidence, votes[len(r.votes):])
			}
		}
		r.corners(hold)
		for range 10 {
			hold(r.complete(t, unit))
		}
	})
}

// A decision that is not final can change, and the range is no wider than the possible outcomes.
func TestDecidedDoesNotWaitInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRun(t)
		now := consensus.Aggregate(r.votes, r.policy)
		open, border := false, false
		lowest, highest := now.Confidence, now.Confidence
		r.corners(func(votes []signal.Vote) {
			end := consensus.Aggregate(votes, r.policy)
			// Near a border it may report false for a final decision.
			border = border || end.Explanation.Margin <= 1e-8*max(end.WeightedVotes.Buy, end.WeightedVotes.Sell, end.WeightedVotes.Hold) ||
				math.Abs(end.Confidence-r.policy.MinConfidence) < 2e-9 || math.Abs(end.AgreementScore-r.policy.MinAgreement) < 2e-9
			open = open || end.RawDecision != now.RawDecision ||
				(now.RawDecision != signal.Hold &&
					((end.Confidence >= r.policy.MinConfidence) != (now.Confidence >= r.policy.MinConfidence) ||
						(end.AgreementScore >= r.policy.MinAgreement) != (now.AgreementScore >= r.policy.MinAgreement)))
			lowest, highest = min(lowest, end.Confidence), max(highest, end.Confidence)
		})
		confidence, ok := consensus.Decided(r.votes, r.pending, r.policy)
		if !ok && !open && !border {
			t.Fatalf("waits although no end changes %s (raw %s)", now.Decision, now.RawDecision)
		}
		if want := [2]float64{lowest, highest}; ok && confidence != want {
			t.Fatalf("got confidence range %v, want %v", confidence, want)
		}
	})
}
