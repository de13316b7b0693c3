package main

// The bare program's arithmetic: a strict parse of a vote, and the weighted vote
// with who mattered.

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

type bareVote struct {
	Provider     string   `json:"provider"`
	Model        string   `json:"model"`
	Decision     string   `json:"decision"`
	Confidence   float64  `json:"confidence"`
	Weight       float64  `json:"weight"`
	Reasoning    string   `json:"reasoning"`
	RiskLevel    string   `json:"risk_level"`
	StopLoss     *float64 `json:"stop_loss"`
	TakeProfit   *float64 `json:"take_profit"`
	LatencyMS    float64  `json:"latency_ms"`
	InputTokens  int      `json:"input_tokens"`
	OutputTokens int      `json:"output_tokens"`
}

// parseVote reads exactly one object with the six fields of the schema.
func parseVote(text string) (bareVote, error) {
	var v struct {
		Decision   *string  `json:"decision"`
		Confidence *float64 `json:"confidence"`
		Reasoning  *string  `json:"reasoning"`
		RiskLevel  *string  `json:"risk_level"`
		StopLoss   *float64 `json:"stop_loss"`
		TakeProfit *float64 `json:"take_profit"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return bareVote{}, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return bareVote{}, errors.New("more than one object")
	}
	switch {
	case v.Decision == nil || !slices.Contains(decisions[:], *v.Decision):
		return bareVote{}, errors.New("no decision")
	case v.Confidence == nil || *v.Confidence < 0 || *v.Confidence > 1:
		return bareVote{}, errors.New("no confidence")
	case v.Reasoning == nil || *v.Reasoning == "":
		return bareVote{}, errors.New("no reasoning")
	case v.RiskLevel == nil || !slices.Contains(risks[:], *v.RiskLevel):
		return bareVote{}, errors.New("no risk level")
	}
	return bareVote{Decision: *v.Decision, Confidence: *v.Confidence, Reasoning: *v.Reasoning, RiskLevel: *v.RiskLevel, StopLoss: v.StopLoss, TakeProfit: v.TakeProfit}, nil
}

var (
	decisions = [...]string{"BUY", "SELL", "HOLD"}
	risks     = [...]string{"low", "medium", "high"}
)

type bareVerdict struct {
	Decision      string             `json:"decision"`
	Confidence    float64            `json:"confidence"`
	Agreement     float64            `json:"agreement_score"`
	Reasoning     string             `json:"reasoning"`
	RiskLevel     string             `json:"risk_level"`
	StopLoss      *float64           `json:"suggested_stop_loss"`
	TakeProfit    *float64           `json:"suggested_take_profit"`
	WeightedVotes map[string]float64 `json:"weighted_votes"`
	Contributions []bareContribution `json:"contributions"`
}

type bareContribution struct {
	Provider        string  `json:"provider"`
	Share           float64 `json:"share"`
	DecisionWithout string  `json:"decision_without"`
}

// decide counts the votes, and again without each of them.
func decide(votes []bareVote, price float64) bareVerdict {
	winner, sums, all := count(votes, -1)
	v := bareVerdict{Decision: winner, RiskLevel: risks[0], WeightedVotes: make(map[string]float64, len(decisions))}
	for i, d := range decisions {
		v.WeightedVotes[d] = sums[i]
	}
	var weight, strength, strongest float64
	supporters := 0
	var stops, targets []float64
	for _, vote := range votes {
		v.RiskLevel = risks[max(slices.Index(risks[:], v.RiskLevel), slices.Index(risks[:], vote.RiskLevel))]
		if vote.Decision != winner {
			continue
		}
		supporters++
		weight += vote.Weight
		strength += vote.Weight * vote.Confidence
		if vote.Confidence > strongest {
			strongest, v.Reasoning = vote.Confidence, vote.Reasoning
		}
		if isBuy := winner == "BUY"; winner != "HOLD" {
			stops = appendLevel(stops, vote.StopLoss, price, !isBuy)
			targets = appendLevel(targets, vote.TakeProfit, price, isBuy)
		}
	}
	if weight > 0 {
		v.Confidence = strength / weight * (0.7 + 0.3*float64(supporters)/float64(len(votes)))
		v.Agreement = strength / all
	}
	v.StopLoss, v.TakeProfit = median(stops), median(targets)
	v.Contributions = make([]bareContribution, len(votes))
	for i, vote := range votes {
		without, _, _ := count(votes, i)
		v.Contributions[i] = bareContribution{vote.Provider, vote.Weight * vote.Confidence / max(all, 1e-12), without}
	}
	return v
}

// count gives the decision with the largest weighted vote, HOLD for a tie, and
// the sums; the vote at index without is left out.
func count(votes []bareVote, without int) (winner string, sums [len(decisions)]float64, all float64) {
	for i, vote := range votes {
		if i != without {
			sums[slices.Index(decisions[:], vote.Decision)] += vote.Weight * vote.Confidence
			all += vote.Weight * vote.Confidence
		}
	}
	most := slices.Max(sums[:])
	winner, found := "HOLD", 0
	for i, sum := range sums {
		if sum >= most*(1-1e-9) {
			winner = decisions[i]
			found++
		}
	}
	if found != 1 {
		winner = "HOLD"
	}
	return winner, sums, all
}

func appendLevel(levels []float64, level *float64, price float64, above bool) []float64 {
	if level == nil || *level <= 0 || *level == price || (*level > price) != above {
		return levels
	}
	return append(levels, *level)
}

func median(levels []float64) *float64 {
	if len(levels) == 0 {
		return nil
	}
	slices.Sort(levels)
	middle := (levels[(len(levels)-1)/2] + levels[len(levels)/2]) / 2
	return &middle
}
