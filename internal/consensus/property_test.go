package consensus_test

// Properties of all votes, not only of those in the tables.

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

func drawPolicy(t *rapid.T) consensus.Policy {
	return consensus.Policy{MinConfidence: unit.Draw(t, "min confidence"), MinAgreement: unit.Draw(t, "min agreement"), Price: price}
}

func drawCast(t *rapid.T) []signal.Vote {
	names := names.Draw(t, "names")
	votes := drawVotes(t, names, rapid.IntRange(0, len(names)).Draw(t, "votes"), unit)
	nearTie(t, votes)
	return votes
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes, policy := drawCast(t), drawPolicy(t)
		before := slices.Clone(votes)
		want, err := json.Marshal(consensus.Aggregate(votes, policy))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, votes); diff != "" {
			t.Fatalf("the argument was changed (-before +after):\n%s", diff)
		}
		shuffled := rapid.Permutation(votes).Draw(t, "shuffled")
		got, err := json.Marshal(consensus.Aggregate(shuffled, policy))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Fatalf("another order, another outcome (-want +got):\n%s", diff)
		}
	})
}

func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes, policy := drawCast(t), drawPolicy(t)
		out := consensus.Aggregate(votes, policy)
		checkRanges(t, out)
		if got := out.VoteBreakdown.Sum(); got != len(votes) || len(out.Votes) != len(votes) {
			t.Fatalf("%d votes: %d counted, %d returned", len(votes), got, len(out.Votes))
		}
		if !slices.IsSortedFunc(out.Votes, func(a, b signal.Vote) int {
			if a.Provider < b.Provider {
				return -1
			}
			return 1
		}) {
			t.Fatal("votes are not in the order of their names")
		}
		if out.Decision == signal.Hold {
			if out.HoldReason == nil || out.SuggestedStopLoss != nil || out.SuggestedTakeProfit != nil {
				t.Fatalf("HOLD with reason %q and levels %v, %v", reasonOf(out), out.SuggestedStopLoss, out.SuggestedTakeProfit)
			}
			return
		}
		if out.HoldReason != nil || out.RawDecision != out.Decision {
			t.Fatalf("%s with hold reason %q, raw decision %s", out.Decision, reasonOf(out), out.RawDecision)
		}
		if out.Confidence < policy.MinConfidence || out.AgreementScore < policy.MinAgreement {
			t.Fatalf("%s below a gate: confidence %v, agreement %v", out.Decision, out.Confidence, out.AgreementScore)
		}
		weighted := map[signal.Decision]float64{signal.Buy: out.WeightedVotes.Buy, signal.Sell: out.WeightedVotes.Sell, signal.Hold: out.WeightedVotes.Hold}
		for d := range weighted {
			if d != out.Decision && weighted[d] >= weighted[out.Decision] {
				t.Fatalf("%s although %s weighs as much: %+v", out.Decision, d, out.WeightedVotes)
			}
		}
		low, high := out.SuggestedStopLoss, out.SuggestedTakeProfit
		if out.Decision == signal.Sell {
			low, high = high, low
		}
		if low != nil && !(*low >= price/2 && *low < price) || high != nil && !(*high > price && *high <= price*1.5) {
			t.Fatalf("%s at %v with levels on the wrong side or too far away", out.Decision, price)
		}
	})
}

func checkRanges(t *rapid.T, out consensus.Outcome) {
	ranged := map[string]float64{
		"confidence": out.Confidence, "agreement": out.AgreementScore, "stability": out.Explanation.Stability,
	}
	shares := 0.0
	for _, c := range out.Explanation.Contributions {
		ranged["share of "+c.Provider] = c.Share
		shares += c.Share
	}
	for name, x := range ranged {
		if !(x >= 0 && x <= 1) {
			t.Fatalf("%s is %v", name, x)
		}
	}
	if sum := out.WeightedVotes.Sum(); sum > 1e-200 && math.Abs(shares-1) > 1e-9 {
		t.Fatalf("shares add up to %v", shares)
	}
	if m := out.Explanation.Margin; !(m >= 0 && m <= out.WeightedVotes.Sum()) {
		t.Fatalf("margin %v of %+v", m, out.WeightedVotes)
	}
}

// No input makes it panic or give a number that is not finite.
func TestNonsenseHasNoSay(t *testing.T) {
	anything := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2, math.Copysign(0, -1)}))
	rapid.Check(t, func(t *rapid.T) {
		votes := make([]signal.Vote, rapid.IntRange(0, 12).Draw(t, "votes"))
		for i := range votes {
			votes[i] = signal.Vote{
				Provider:   rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "name"),
				Decision:   rapid.SampledFrom([]signal.Decision{"BUY", "SELL", "HOLD", "", "buy"}).Draw(t, "decision"),
				Confidence: anything.Draw(t, "confidence"), Weight: anything.Draw(t, "weight"),
				StopLoss: rapid.Ptr(anything, true).Draw(t, "stop"), TakeProfit: rapid.Ptr(anything, true).Draw(t, "target"),
			}
		}
		policy := consensus.Policy{
			MinConfidence: anything.Draw(t, "min confidence"), MinAgreement: anything.Draw(t, "min agreement"), Price: anything.Draw(t, "price"),
		}
		out := consensus.Aggregate(votes, policy)
		checkRanges(t, out)
		if out.Decision != signal.Hold && (math.IsNaN(policy.MinConfidence) || math.IsNaN(policy.MinAgreement)) {
			t.Fatalf("%s through a gate that is no number", out.Decision)
		}
		out.Votes = nil // they are the input
		if _, err := json.Marshal(out); err != nil {
			t.Fatalf("outcome holds what is no number: %v", err)
		}
		consensus.Decided(votes, []consensus.Pending{{Provider: "d", Weight: anything.Draw(t, "pending weight")}}, policy)
	})
}

// Powers of two scale exactly. So only the weighted votes and their margin change, and nothing
// else by even one bit.
func TestScalingWeightsByPowersOfTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(grid, rapid.Float64Range(1e-6, 1)) // products and sums are normal numbers
		votes := drawVotes(t, names.Draw(t, "names"), rapid.IntRange(1, 6).Draw(t, "votes"), number)
		nearTie(t, votes)
		policy := drawPolicy(t)
		factor := math.Ldexp(1, -rapid.IntRange(0, 40).Draw(t, "exponent"))

		want := consensus.Aggregate(votes, policy)
		got := consensus.Aggregate(scaled(votes, factor), policy)
		for _, out := range []*consensus.Outcome{&want, &got} {
			if out.HoldReason == nil || *out.HoldReason != signal.HoldTie {
				continue
			}
			out.Reasoning = "" // it has the tied weighted vote
		}
		got.WeightedVotes, got.Explanation.Margin, got.Votes = want.WeightedVotes, want.Explanation.Margin, want.Votes
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("weights × %v (-want +got):\n%s", factor, diff)
		}
	})
}

// Any other factor rounds. Weighted votes from a grid are either equal or differ by far more than
// the tie band, so that rounding can neither make nor break a tie. Values at a gate are left
// out, since there one bit decides.
func TestScalingWeightsByAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes := drawVotes(t, names.Draw(t, "names"), rapid.IntRange(1, 6).Draw(t, "votes"), grid)
		policy := drawPolicy(t)
		factor := rapid.Float64Range(1e-3, 1).Draw(t, "factor")

		want := consensus.Aggregate(votes, policy)
		got := consensus.Aggregate(scaled(votes, factor), policy)
		if got.RawDecision != want.RawDecision {
			t.Fatalf("weights × %v: raw decision %s became %s", factor, want.RawDecision, got.RawDecision)
		}
		if math.Abs(want.Confidence-policy.MinConfidence) < 1e-12 || math.Abs(want.AgreementScore-policy.MinAgreement) < 1e-12 {
			return
		}
		if got.Decision != want.Decision || reasonOf(got) != reasonOf(want) {
			t.Fatalf("weights × %v: %s (%q) became %s (%q)", factor, want.Decision, reasonOf(want), got.Decision, reasonOf(got))
		}
	})
}

func scaled(votes []signal.Vote, factor float64) []signal.Vote {
	votes = slices.Clone(votes)
	for i := range votes {
		votes[i].Weight *= factor
	}
	return votes
}

// More confidence of a supporter never changes the decision: its weighted vote, confidence and
// agreement all grow. The steps are those of a grid, so that agreement grows by more than
// the rounding.
func TestMoreConfidenceNeverTurnsAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes := drawVotes(t, names.Draw(t, "names"), rapid.IntRange(1, 6).Draw(t, "votes"), grid)
		policy := drawPolicy(t)
		before := consensus.Aggregate(votes, policy)
		for i := range votes {
			raised := slices.Clone(votes)
			steps := rapid.IntRange(1, 20).Draw(t, "steps")
			raised[i].Confidence = min(1, votes[i].Confidence+float64(steps)/20)
			after := consensus.Aggregate(raised, policy)
			if d := votes[i].Decision; before.RawDecision == d && after.RawDecision != d || before.Decision == d && after.Decision != d {
				t.Fatalf("%s voted %s with %v instead of %v: %s (raw %s) became %s (raw %s, %q)", votes[i].Provider, d,
					raised[i].Confidence, votes[i].Confidence, before.Decision, before.RawDecision, after.Decision, after.RawDecision, reasonOf(after))
			}
		}
	})
}

func TestLeaveOneOutIsTheVoteWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes, policy := drawCast(t), drawPolicy(t)
		if len(votes) < 2 {
			t.Skip("nobody to leave out")
		}
		out := consensus.Aggregate(votes, policy)
		firm := 0
		for i, c := range out.Explanation.Contributions {
			want := consensus.Aggregate(without(out.Votes, i), policy).Decision
			if c.DecisionWithout == nil || *c.DecisionWithout != want {
				t.Fatalf("without %s: got %v, want %s", c.Provider, c.DecisionWithout, want)
			}
			if c.Pivotal != (want != out.Decision) {
				t.Fatalf("%s: pivotal is %v, the decision goes from %s to %s", c.Provider, c.Pivotal, out.Decision, want)
			}
			if !c.Pivotal {
				firm++
			}
		}
		if want := float64(firm) / float64(len(votes)); out.Explanation.Stability != want {
			t.Fatalf("stability: got %v, want %v", out.Explanation.Stability, want)
		}
	})
}

// A level is suggested if it is on its side of the price and at most half the price away.
// Otherwise there is a warning, and the vote keeps its level.
func TestLevelsNearThePrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.Float64Range(1e-9, 1e9).Draw(t, "price")
		isClear := func(ratio float64) bool { return math.Abs(math.Abs(ratio-1)-0.5) > 1e-6 } // not so near to a bound that rounding matters
		level := price * rapid.OneOf(rapid.Float64Range(0, 3), rapid.Just(2/price), rapid.Just(1.0)).Filter(isClear).Draw(t, "ratio")
		vote := signal.Vote{Provider: "a", Decision: rapid.SampledFrom([]signal.Decision{signal.Buy, signal.Sell}).Draw(t, "decision"), Confidence: 1, Weight: 1, StopLoss: &level, TakeProfit: &level}
		out := consensus.Aggregate([]signal.Vote{vote}, consensus.Policy{Price: price})

		below, above := level < price && level >= price/2, level > price && level <= price*1.5
		stop, target := below, above
		if vote.Decision == signal.Sell {
			stop, target = above, below
		}
		if got := [2]bool{out.SuggestedStopLoss != nil, out.SuggestedTakeProfit != nil}; got != [2]bool{stop, target} {
			t.Fatalf("%s at %v with both levels at %v: suggested %v", vote.Decision, price, level, got)
		}
		var warned [2]bool
		for _, w := range out.Warnings {
			warned[0] = warned[0] || w.Code == signal.WarnStopLossWrongSide
			warned[1] = warned[1] || w.Code == signal.WarnTakeProfitWrongSide
		}
		if warned != [2]bool{!stop, !target} {
			t.Fatalf("%s at %v with both levels at %v: warnings %v", vote.Decision, price, level, out.Warnings)
		}
		if out.Decision != vote.Decision || *out.Votes[0].StopLoss != level || *out.Votes[0].TakeProfit != level {
			t.Fatalf("the vote is not what was said: %+v", out.Votes[0])
		}
	})
}
