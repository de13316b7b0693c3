package consensus_test

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/consensus"
	"thalas/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestAggregate(t *testing.T) {
	confident := consensus.Policy{MinConfidence: 0.5, Price: 50000}
	open := consensus.Policy{Price: 50000}
	tests := []struct {
		name       string
		votes      string
		policy     consensus.Policy
		raw        signal.Decision
		decision   signal.Decision
		reason     signal.HoldReason
		confidence float64
		agreement  float64
		reasoning  string
	}{
		// The worked examples of the formulas.
		{"all agree", "a:BUY@.9 b:BUY@.8 c:BUY@.85 d:BUY@.7", confident,
			"BUY", "BUY", "", 0.8125, 1, "Consensus (4/4 providers agree): a says BUY"},
		{"weighted majority", "anthropic:BUY@.85(1.0) openai:BUY@.8(.9) gemini:HOLD@.75(.8)", confident,
			"BUY", "BUY", "", 0.743684, 0.723502, "Consensus (2/3 providers agree): anthropic says BUY"},
		{"buy and sell tied", "a:SELL@.8 b:SELL@.8 c:BUY@.8 d:BUY@.8", confident,
			"HOLD", "HOLD", signal.HoldTie, 0, 0, "No majority: BUY and SELL are tied (1.6 each)"},
		{"weak single vote", "a:BUY@.2", confident,
			"BUY", "HOLD", signal.HoldBelowMinConfidence, 0.2, 1, "Consensus (1/1 providers agree): a says BUY"},
		{"one strong against two weak", "a:BUY@.95 b:SELL@.45 c:SELL@.45", confident,
			"BUY", "BUY", "", 0.76, 0.513514, "Consensus (1/3 providers agree): a says BUY"},
		{"nobody convinced", "a:HOLD@0 b:HOLD@0", confident,
			"HOLD", "HOLD", signal.HoldNoConviction, 0, 0, "No conviction: every vote has weight or confidence 0"},

		// Gates.
		{"at both gates", "a:SELL@.5 b:BUY@.25", consensus.Policy{MinConfidence: 0.425, MinAgreement: 2. / 3},
			"SELL", "SELL", "", 0.425, 2. / 3, "Consensus (1/2 providers agree): a says SELL"},
		{"below agreement", "a:SELL@.5 b:BUY@.25", consensus.Policy{MinConfidence: 0.4, MinAgreement: 0.7},
			"SELL", "HOLD", signal.HoldBelowMinAgreement, 0.425, 2. / 3, "Consensus (1/2 providers agree): a says SELL"},
		{"below both names confidence", "a:SELL@.5 b:BUY@.25", consensus.Policy{MinConfidence: 0.6, MinAgreement: 0.7},
			"SELL", "HOLD", signal.HoldBelowMinConfidence, 0.425, 2. / 3, "Consensus (1/2 providers agree): a says SELL"},
		{"gates are not for HOLD", "a:HOLD@.2 b:BUY@.1", consensus.Policy{MinConfidence: 0.9, MinAgreement: 0.9},
			"HOLD", "HOLD", signal.HoldVoted, 0.17, 2. / 3, "Consensus (1/2 providers agree): a says HOLD"},
		{"confidence gate that is no number", "a:BUY@1", consensus.Policy{MinConfidence: math.NaN()},
			"BUY", "HOLD", signal.HoldBelowMinConfidence, 1, 1, "Consensus (1/1 providers agree): a says BUY"},
		{"agreement gate that is no number", "a:BUY@1", consensus.Policy{MinAgreement: math.NaN()},
			"BUY", "HOLD", signal.HoldBelowMinAgreement, 1, 1, "Consensus (1/1 providers agree): a says BUY"},

		// Ties.
		{"buy and hold tied", "a:BUY@.8 b:HOLD@.8 c:SELL@.1", open,
			"HOLD", "HOLD", signal.HoldTie, 0.64, 0.8 / 1.7, "No majority: BUY and HOLD are tied (0.8 each)"},
		{"sell and hold tied", "a:SELL@.123456789 b:HOLD@.123456789", open,
			"HOLD", "HOLD", signal.HoldTie, 0.85 * .123456789, 0.5, "No majority: SELL and HOLD are tied (0.123457 each)"},
		{"all tied", "a:HOLD@.5 b:SELL@.5 c:BUY@.5", open,
			"HOLD", "HOLD", signal.HoldTie, 0.4, 1. / 3, "No majority: BUY, SELL and HOLD are tied (0.5 each)"},
		{"tied above a HOLD", "a:BUY@.5 b:SELL@.5 c:HOLD@.2", open,
			"HOLD", "HOLD", signal.HoldTie, 0.2 * 0.8, 0.2 / 1.2, "No majority: BUY and SELL are tied (0.5 each)"},
		{"tied but for rounding", "a:BUY@.1 b:BUY@.2 c:SELL@.3", open,
			"HOLD", "HOLD", signal.HoldTie, 0, 0, "No majority: BUY and SELL are tied (0.3 each)"},
		{"inside the band", "a:BUY@.5 b:SELL@.4999999996", open,
			"HOLD", "HOLD", signal.HoldTie, 0, 0, "No majority: BUY and SELL are tied (0.5 each)"},
		{"outside the band", "a:BUY@.5 b:SELL@.4999999994", open,
			"BUY", "BUY", "", 0.425, 0.5, "Consensus (1/2 providers agree): a says BUY"},
		{"the band is relative", "a:BUY@.5(1e-12) b:SELL@.4(1e-12)", open,
			"BUY", "BUY", "", 0.425, 5. / 9, "Consensus (1/2 providers agree): a says BUY"},
		{"a tie for the second place is none", "a:BUY@.5 b:SELL@.4 c:HOLD@.4", open,
			"BUY", "BUY", "", 0.4, 5. / 13, "Consensus (1/3 providers agree): a says BUY"},

		// Weights and reasoning.
		{"weight 0 counts by head", "a:BUY@.6 b:BUY@.9(0) c:SELL@.9(0) d:SELL@.9(0)", open,
			"BUY", "BUY", "", 0.6 * 0.85, 1, "Consensus (2/4 providers agree): b says BUY"},
		{"weight 0 alone", "a:BUY@.9(0)", open,
			"HOLD", "HOLD", signal.HoldNoConviction, 0, 0, "No conviction: every vote has weight or confidence 0"},
		{"equally confident supporters: the first by name", "c:BUY@.7 b:BUY@.7 a:SELL@.9", open,
			"BUY", "BUY", "", 0.7 * 0.9, 1.4 / 2.3, "Consensus (2/3 providers agree): b says BUY"},
		{"hold wins", "a:HOLD@.6 b:HOLD@.7 c:BUY@.9", confident,
			"HOLD", "HOLD", signal.HoldVoted, 0.65 * 0.9, 1.3 / 2.2, "Consensus (2/3 providers agree): b says HOLD"},

		// Invalid votes have no influence.
		{"no votes", "", confident,
			"HOLD", "HOLD", signal.HoldNoConviction, 0, 0, "No conviction: every vote has weight or confidence 0"},
		{"confidence out of range", "a:BUY@7 b:SELL@.6 c:BUY@-1 d:BUY@NaN", open,
			"SELL", "SELL", "", 0.6 * 0.775, 1, "Consensus (1/4 providers agree): b says SELL"},
		{"weight out of range", "a:BUY@.7(2) b:SELL@.6(.5) c:BUY@.7(-1) d:BUY@.7(NaN) e:BUY@.7(Inf)", open,
			"SELL", "SELL", "", 0.6 * 0.76, 1, "Consensus (1/5 providers agree): b says SELL"},
		{"unknown decision", "a:LONG@.9 b:BUY@.5", open,
			"HOLD", "HOLD", signal.HoldVoted, 0.9 * 0.85, 0.9 / 1.4, "Consensus (1/2 providers agree): a says LONG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := consensus.Aggregate(parseVotes(t, tt.votes), tt.policy)
			if got.RawDecision != tt.raw || got.Decision != tt.decision || reasonOf(got) != tt.reason {
				t.Errorf("got %s, raw %s, reason %q; want %s, raw %s, reason %q",
					got.Decision, got.RawDecision, reasonOf(got), tt.decision, tt.raw, tt.reason)
			}
			if math.Abs(got.Confidence-tt.confidence) > 5e-7 || math.Abs(got.AgreementScore-tt.agreement) > 5e-7 {
				t.Errorf("got confidence %v, agreement %v; want %v, %v",
					got.Confidence, got.AgreementScore, tt.confidence, tt.agreement)
			}
			if got.Reasoning != tt.reasoning {
				t.Errorf("reasoning:\n got %s\nwant %s", got.Reasoning, tt.reasoning)
			}
		})
	}
}

func TestTallies(t *testing.T) {
	got := consensus.Aggregate(parseVotes(t, "a:BUY@.5 b:BUY@.25(.5) c:HOLD@.9(0)"), consensus.Policy{Price: 1})
	if diff := cmp.Diff(signal.Tally[int]{Buy: 2, Hold: 1}, got.VoteBreakdown); diff != "" {
		t.Errorf("head count (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(signal.Tally[float64]{Buy: 0.625}, got.WeightedVotes); diff != "" {
		t.Errorf("weighted votes (-want +got):\n%s", diff)
	}
}

func TestRiskLevel(t *testing.T) {
	low, medium, high, odd := signal.Low, signal.Medium, signal.High, signal.RiskLevel("extreme")
	tests := []struct {
		name  string
		risks []*signal.RiskLevel
		want  signal.RiskLevel
	}{
		{"none given", []*signal.RiskLevel{nil, nil, nil}, signal.Medium},
		{"only low", []*signal.RiskLevel{nil, &low, &low}, signal.Low},
		{"the highest, be it of a vote against", []*signal.RiskLevel{&low, &medium, &high}, signal.High},
		{"unknown level", []*signal.RiskLevel{&odd, &low, nil}, signal.Low},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			votes := parseVotes(t, "a:BUY@.9 b:BUY@.8 c:SELL@.1(0)")
			for i := range votes {
				votes[i].RiskLevel = tt.risks[i]
			}
			if got := consensus.Aggregate(votes, consensus.Policy{Price: 1}).RiskLevel; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSingleVoteIsWarnedAbout(t *testing.T) {
	policy := consensus.Policy{Price: 1}
	got := consensus.Aggregate(parseVotes(t, "openai:HOLD@.9"), policy).Warnings
	want := []signal.Warning{{Code: signal.WarnSingleVote, Message: "the decision rests on one vote, that of openai"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("one vote (-want +got):\n%s", diff)
	}
	for _, votes := range []string{"", "a:BUY@.9 b:BUY@.9(0)"} {
		if got := consensus.Aggregate(parseVotes(t, votes), policy).Warnings; got == nil || len(got) > 0 {
			t.Errorf("votes %q: got warnings %#v, want an empty list", votes, got)
		}
	}
}

// TestGolden compares every field of an outcome: the second worked example, with a level on the
// wrong side.
func TestGolden(t *testing.T) {
	votes := leveledVotes(t)
	wrong := 50001.5
	votes[2].StopLoss = &wrong
	got, err := json.MarshalIndent(consensus.Aggregate(votes, consensus.Policy{MinConfidence: 0.5, Price: 50000}), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "outcome.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("outcome differs; if that is meant, run with -update (-want +got):\n%s", diff)
	}
}
