package main

// The result for people: first the decision, then how it was made, then failures,
// warnings and cost.

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"thalas/internal/signal"
)

// report writes a result part by part.
type report struct {
	styles
	strings.Builder
	width int
}

// render gives a result in lines of at most width columns, where words allow it.
func render(style styles, width int, c *signal.Consensus) string {
	r := &report{styles: style, width: min(max(width, minWidth), maxWidth)}
	r.headline(c)
	r.votes(c)
	r.reckoning(c)
	r.failures(c.Failures)
	r.warnings(c.Warnings)
	r.footer(c)
	return r.String()
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

// paragraph writes a text, wrapped to the width.
func (r *report) paragraph(look lipgloss.Style, text string) {
	for _, line := range wrap(visible(text), r.width) {
		r.line("%s", look.Render(line))
	}
}

// labelWidth is the width of the column of labels.
const labelWidth = 16

// entry writes a label and a text, wrapped to the width.
func (r *report) entry(look lipgloss.Style, label, text string) {
	r.labelled(look, fmt.Sprintf("%-*s", labelWidth, label), r.plain, text)
}

// labelled writes a text, wrapped to the width, behind a label and the blanks that belong to it.
func (r *report) labelled(labelLook lipgloss.Style, label string, look lipgloss.Style, text string) {
	width := len(label)
	for _, line := range wrap(visible(text), r.width-width) {
		r.line("%s%s", labelLook.Render(label), look.Render(line))
		label = strings.Repeat(" ", width)
	}
}

func (r *report) headline(c *signal.Consensus) {
	if c.Simulated {
		r.paragraph(r.warn.Bold(true), simulatedVotes)
		r.line("")
	}
	r.line("%s %s at %s", r.bold.Render(visible(c.Pair.String())), c.Timeframe, price(c.CurrentPrice))
	r.line("")
	r.line("%s   confidence %s   agreement %s   risk %s", r.decision(c.Decision).Render(string(c.Decision)), figure(c.Confidence), figure(c.AgreementScore), c.RiskLevel)
	if c.HoldReason != nil {
		r.paragraph(r.plain, holdReason(c))
	}
	if c.Decision != signal.Hold {
		r.line("stop loss %s   take profit %s", level(c.SuggestedStopLoss), level(c.SuggestedTakeProfit))
	}
	r.line("")
	r.paragraph(r.plain, c.Reasoning)
}

// holdReason says why the decision is HOLD, and what was needed for another one.
func holdReason(c *signal.Consensus) string {
	var policy signal.Policy
	if c.Policy != nil {
		policy = *c.Policy
	}
	switch *c.HoldReason {
	case signal.HoldVoted:
		return "held: the vote itself says HOLD"
	case signal.HoldTie:
		return "held: the vote is tied"
	case signal.HoldNoConviction:
		return "held: no vote has any strength"
	case signal.HoldBelowMinConfidence:
		return held(c, "confidence", c.Confidence, policy.MinConfidence)
	case signal.HoldBelowMinAgreement:
		return held(c, "agreement", c.AgreementScore, policy.MinAgreement)
	}
	return "held: " + string(*c.HoldReason)
}

// held says which gate the raw decision did not pass.
func held(c *signal.Consensus, name string, value, gate float64) string {
	if c.Policy == nil {
		return fmt.Sprintf("held: the vote says %s, but with less %s than was asked for", c.RawDecision, name)
	}
	is, limit := compared(value, gate)
	return fmt.Sprintf("held: the vote says %s, but its %s %s is below the %s that is asked for", c.RawDecision, name, is, limit)
}

// votes shows the votes and their models, in one table if that fits.
func (r *report) votes(c *signal.Consensus) {
	table := r.table("provider", "vote", "confidence × weight", "share", "without it", "model", "time", "tokens", "cost")
	for i := range c.Responses {
		v, part := &c.Responses[i], c.Explanation.Contributions[i]
		table.row(v.Provider, string(v.Decision), fmt.Sprintf("%s × %s = %s", figure(v.Confidence), figure(v.Weight), figure(v.Confidence*v.Weight)),
			percent(part.Share), without(part),
			v.Model, latency(v.LatencyMS)+attempts(v.Attempts), tokens(v.InputTokens+v.OutputTokens), cost(v.CostUSD))
		table.look(1, r.decision(v.Decision))
		if part.Pivotal {
			table.look(4, r.warn)
		}
	}
	r.line("")
	if one := table.write(); lipgloss.Width(one) <= r.width {
		r.line("%s", one)
		return
	}
	r.line("%s\n\n%s", table.write(0, 1, 2, 3, 4), table.write(0, 5, 6, 7, 8))
}

func without(c signal.Contribution) string {
	switch {
	case c.DecisionWithout == nil:
		return "none, pivotal" // no other vote
	case c.Pivotal:
		return string(*c.DecisionWithout) + ", pivotal"
	}
	return string(*c.DecisionWithout)
}

// reckoning shows how the decision follows from the votes.
func (r *report) reckoning(c *signal.Consensus) {
	w := c.WeightedVotes
	r.line("")
	r.entry(r.dim, "weighted votes", fmt.Sprintf("BUY %s, SELL %s, HOLD %s; margin %s", figure(w.Buy), figure(w.Sell), figure(w.Hold), figure(c.Explanation.Margin)))
	if c.RawDecision != signal.Hold && c.Policy != nil {
		r.gate("confidence gate", c.Confidence, c.Policy.MinConfidence)
		r.gate("agreement gate", c.AgreementScore, c.Policy.MinAgreement)
	}
	if text := probabilityText(c); text != "" {
		r.entry(r.dim, "probability", text)
	}
	r.entry(r.dim, "stability", stability(c))
	if c.DecidedEarly && c.ConfidenceRange != nil {
		r.entry(r.dim, "decided early", early(c))
	}
	if d := c.Explanation.Dissent; d != nil {
		r.entry(r.dim, "dissent", fmt.Sprintf("%s says %s with confidence %s: %s", d.Provider, d.Decision, figure(d.Confidence), d.Reasoning))
	}
}

// probabilityText says how probable it is that the raw decision turns out right; empty if
// it has no probability, or if the scores were not read.
func probabilityText(c *signal.Consensus) string {
	switch p := c.Probability; {
	case p == nil:
		return ""
	case p.Value != nil:
		text := fmt.Sprintf("%s (%s to %s) that the %s turns out right within %d candles, pulled to a coin while outcomes are few",
			share(p.Value), share(p.Low), share(p.High), c.RawDecision, p.HorizonCandles)
		switch {
		case p.BreakEven == nil:
		case *p.BreakEven > 1:
			text += "; nothing pays for a round trip"
		default:
			text += "; " + share(p.BreakEven) + " would pay for a round trip"
		}
		return text
	case *p.Reason == signal.ProbabilityTooFew && p.NEff != nil:
		return fmt.Sprintf("not known yet: past outcomes are worth %.0f of the %d independent windows that it needs", math.Floor(*p.NEff), p.Needed)
	}
	return ""
}

func (r *report) gate(label string, value, limit float64) {
	look, text := r.dim, "none"
	if limit > 0 {
		v, l := compared(value, limit)
		look, text = r.good, v+" ≥ "+l+": passed"
		if value < limit {
			look, text = r.bad, v+" < "+l+": held"
		}
	}
	r.entry(look, label, text)
}

// stability says which votes the decision depends on.
func stability(c *signal.Consensus) string {
	var pivotal []string
	for _, one := range c.Explanation.Contributions {
		if one.Pivotal {
			pivotal = append(pivotal, one.Provider)
		}
	}
	text := figure(c.Explanation.Stability) + ": "
	switch {
	case len(pivotal) == 0:
		return text + "no single vote turns the decision"
	case len(c.Responses) == 1:
		return text + "the decision rests on the one vote of " + pivotal[0]
	case len(pivotal) == 1:
		return text + "without " + pivotal[0] + " the decision would be another"
	}
	return text + "without any one of " + strings.Join(pivotal, ", ") + " the decision would be another"
}

func early(c *signal.Consensus) string {
	var spared []string
	for _, f := range c.Failures {
		if f.Error == signal.FailureNotNeeded {
			spared = append(spared, f.Provider)
		}
	}
	return fmt.Sprintf("no answer of %s could change the decision; with it the confidence would lie between %s and %s",
		strings.Join(spared, ", "), figure(c.ConfidenceRange[0]), figure(c.ConfidenceRange[1]))
}

func (r *report) failures(failures []signal.Failure) {
	for _, f := range failures {
		switch f.Error {
		case signal.FailureNotNeeded:
		case signal.FailureLeftOut:
			r.entry(r.warn, "left out", failureText(f))
		default:
			r.entry(r.bad, "failed", failureText(f))
		}
	}
}

func (r *report) warnings(warnings []signal.Warning) {
	for _, w := range warnings {
		text := w.Message
		if w.Provider != "" && !strings.Contains(text, w.Provider) {
			text = w.Provider + ": " + text
		}
		r.entry(r.warn, "warning", text)
	}
}

func (r *report) footer(c *signal.Consensus) {
	r.line("")
	r.entry(r.dim, "providers", fmt.Sprintf("%d of %d voted (%s)", c.ParticipatingProviders, c.TotalProviders, c.Status))
	r.entry(r.dim, "took", fmt.Sprintf("%s, %s ms of it our own", latency(c.TotalLatencyMS), decimals(c.OverheadMS, 2, 3)))
	r.entry(r.dim, "cost", total(c))
	past := ""
	if !c.ValidUntil.After(c.Timestamp) {
		past = ", which is past"
	}
	r.entry(r.dim, "candle", fmt.Sprintf("%s, valid until %s%s", c.CandleTime.Format(time.RFC3339), c.ValidUntil.Format(time.RFC3339), past))
	r.entry(r.dim, "id", c.ID)
	r.line("")
	r.paragraph(r.dim, "A stated confidence is a vote's strength, not a probability. Not investment advice.")
}

// total writes what the run cost, and whether some of the cost is unknown.
func total(c *signal.Consensus) string {
	least := ""
	for _, v := range c.Responses {
		if v.CostUSD == nil {
			least = "at least "
		}
	}
	return fmt.Sprintf("%s%s for %d tokens", least, dollars(c.TotalCostUSD), c.TotalTokens)
}
