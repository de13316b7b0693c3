package main

// What thalas watch shows: on a terminal a table that is redrawn, otherwise a line for
// each series, or with --json a line of JSON for each round.

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"thalas/internal/signal"
	"thalas/internal/watch"
)

// showRounds chooses how the rounds of the watch list are shown on t. The caller must call
// end after the last round.
func showRounds(t terminal, list watch.List, asJSON bool) (round func(s watch.Summary, next time.Time), end func()) {
	style := t.stylesFor(t.out)
	if asJSON {
		return func(s watch.Summary, _ time.Time) {
			_ = json.NewEncoder(t.out).Encode(s) // a closed pipe can't be reported
		}, func() {}
	}
	if _, height := sizeOf(t.out); !t.canRedraw(t.out) || len(list.Series)+boardEdge > height {
		return func(s watch.Summary, _ time.Time) { writeRound(t.out, style, t.clock.Now(), s) }, func() {}
	}
	b := &board{redrawn: redrawn{out: t.out, style: style, width: func() int { return widthOf(t.out) }}, clock: t.clock}
	for _, s := range list.Series {
		b.rows = append(b.rows, watch.Outcome{Pair: s.Pair, Timeframe: s.Timeframe})
	}
	b.start(time.Second, b.lines)
	return b.round, b.end
}

// writeRound writes a line for each series.
func writeRound(w io.Writer, style styles, now time.Time, s watch.Summary) {
	for i := range s.Series {
		o := &s.Series[i]
		fmt.Fprintf(w, "%s  %s %s  candle %s  %s\n", now.UTC().Format(time.TimeOnly), o.Pair, o.Timeframe, o.CandleTime.Format("01-02 15:04"), lineOf(style, o))
	}
}

// lineOf writes the outcome of a series as a line.
func lineOf(style styles, o *watch.Outcome) string {
	c := o.Consensus
	if c == nil {
		return style.bad.Render(statusText(o)) + reasonOf(o)
	}
	text := fmt.Sprintf("%s  confidence %s  agreement %s  price %s", style.decision(c.Decision).Render(string(c.Decision)), figure(c.Confidence), figure(c.AgreementScore), price(c.CurrentPrice))
	if c.Decision != signal.Hold {
		text += "  stop " + level(c.SuggestedStopLoss) + "  target " + level(c.SuggestedTakeProfit)
	}
	text += "  " + statusText(o)
	if o.Venue != "" {
		text += ", " + o.Venue + ", " + dollars(o.CostUSD)
	}
	return text
}

// statusText is the status of an outcome in words.
func statusText(o *watch.Outcome) string {
	simulated := ""
	if o.Simulated && o.Consensus != nil {
		simulated = ", SIMULATED"
	}
	switch {
	case o.Status == "":
		return "waiting"
	case o.Status == watch.Failed:
		return "failed: " + o.Error
	case o.Status == watch.Decided && !o.Stored:
		return "decided, not stored" + simulated
	}
	return strings.ReplaceAll(string(o.Status), "_", " ") + simulated
}

func reasonOf(o *watch.Outcome) string {
	if o.Message == "" {
		return ""
	}
	return "  " + visible(o.Message)
}

// boardEdge are the lines of a board around its rows.
const boardEdge = 6

// board is a table that is redrawn in its place.
type board struct {
	redrawn
	clock watch.Clock

	rows []watch.Outcome // guarded by mu, as what follows
	next time.Time
	cost float64
}

func (b *board) round(s watch.Summary, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = next
	b.cost += s.CostUSD
	for _, o := range s.Series {
		for i := range b.rows {
			if b.rows[i].Pair == o.Pair && b.rows[i].Timeframe == o.Timeframe {
				b.rows[i] = o
			}
		}
	}
	b.draw(b.lines())
}

func (b *board) end() {
	b.redrawn.end()
	b.draw(b.lines())
}

// lines gives the table and the lines below it. Their number never changes.
func (b *board) lines() []string {
	table := b.style.table("pair", "timeframe", "candle", "decision", "confidence", "agreement", "price", "venue", "state")
	trouble := ""
	for i := range b.rows {
		o := &b.rows[i]
		var candle, decision, confidence, agreement, at string
		if !o.CandleTime.IsZero() {
			candle = o.CandleTime.Format("01-02 15:04")
		}
		if c := o.Consensus; c != nil {
			decision, confidence, agreement, at = string(c.Decision), figure(c.Confidence), figure(c.AgreementScore), price(c.CurrentPrice)
		}
		table.row(o.Pair.String(), string(o.Timeframe), candle, decision, confidence, agreement, at, o.Venue, statusText(o))
		table.look(3, b.style.decision(o.Decision))
		if trouble == "" && (o.Status == watch.Failed || o.Status == watch.NotReached) {
			trouble = b.style.bad.Render(o.Pair.String()+" "+string(o.Timeframe)+":") + reasonOf(o)
		}
	}
	lines := append([]string{""}, strings.Split(table.write(), "\n")...)
	foot := "asking …"
	if !b.next.IsZero() {
		left := max(b.next.Sub(b.clock.Now()).Round(time.Second), 0)
		foot = fmt.Sprintf("next round at %s UTC, in %s", b.next.UTC().Format(time.TimeOnly), left)
	}
	return append(lines, trouble, b.style.dim.Render(fmt.Sprintf("%s; cost so far %s; Ctrl-C ends", foot, dollars(b.cost))))
}
