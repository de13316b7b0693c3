package main

// thalas watch: a server that asks about a watch list as candles close. It shows what came
// of each series: on a terminal a table that is redrawn, otherwise a line for each series,
// or with --json a line of JSON for each round.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/market/venue"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/watch"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	settings
	list, timeframes, venue string
	delay                   time.Duration
	once, json              bool
}

func newWatch(t terminal) *cobra.Command {
	f := watchFlags{delay: watch.DefaultDelay}
	cmd := &cobra.Command{
		Use:   "watch [PAIR…]",
		Short: "Ask about a watch list as its candles close, and serve the answers",
		Long: `Fetch the candles of each series as they close, compute the indicators, ask the models
once for each candle, and store the answers. The HTTP API is served as by thalas serve, so
that bots read the newest signal from it; a table shows what came of each series.

What is watched is named by pairs, or by a watch list: --list, else WATCHLIST, JSON or the
path of a file, such as {"pairs": ["BTC/USDT"], "timeframes": ["5m"], "venue": "kraken"}.
docs/schedule.md describes all of its keys.

A candle that was asked about before, by this process or an earlier one, is not asked
about again. A series that fails is tried twice more and then left to its next candle.

Exit codes: 0 ended by a signal, or with --once every series has its decision, 3 with --once
one has none, 2 wrong usage or configuration, 1 anything else.`,
		Example: `  thalas watch BTC/USDT ETH/USDT --timeframe 5m,1h
  thalas watch --list watchlist.json
  thalas watch BTC/USDT --timeframe 1m --simulate auto`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, pairs []string) error { return f.run(cmd.Context(), t, pairs) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.list, "list", "", "watch list: JSON, or the `file` that holds it (default: WATCHLIST)")
	timeframeFlag(cmd, &f.timeframes, "`lengths` of the candles of the named pairs, with commas between (default: 5m)")
	flags.StringVar(&f.venue, "venue", "", "`venue` of the named pairs' candles; others by commas are asked where it can't help (default: "+strings.Join(venue.Defaults(), ",")+")")
	flags.DurationVar(&f.delay, "delay", f.delay, "`time` after a candle's close at which it is asked about: venues need a moment")
	flags.BoolVar(&f.once, "once", false, "one round about the candles that have closed, then end")
	flags.BoolVar(&f.json, "json", false, "print each round as a line of JSON instead of the table")
	f.listenFlag(cmd)
	f.dataFileFlag(cmd)
	f.simulateFlag(cmd, simulateUsage)
	completeFlag(cmd, "venue", venue.Names()...)
	return cmd
}

func (f watchFlags) run(ctx context.Context, t terminal, pairs []string) error {
	if f.delay < 0 || f.delay > time.Minute {
		return usagef("--delay %s is not between 0s and 1m", f.delay)
	}
	list, err := f.named(pairs)
	if err != nil {
		return err
	}
	log := askLogger // the table shows what the log says
	if f.json {
		log = logger
	}
	a, stop, err := f.newApp(t, log)
	if err != nil {
		return err
	}
	defer stop()
	if len(list.Series) == 0 {
		if list, err = app.WatchList(a.Config); err != nil {
			return usageError{err}
		}
	}
	if len(list.Series) == 0 {
		return usagef("nothing to watch: name pairs, such as thalas watch BTC/USDT, or give --list or WATCHLIST")
	}
	if err := a.NewWatcher(nil).Check(list); err != nil {
		return usageError{err}
	}
	return serve(ctx, t, a, func(ctx context.Context, _ string, s *service.Service) error {
		s.Watch(app.Watched(list))
		return f.watch(ctx, t, a.NewWatcher(s), list, s.Watch)
	})
}

// named gives the watch list of the command line, which may be empty.
func (f watchFlags) named(pairs []string) (list watch.List, err error) {
	switch {
	case f.list != "" && (len(pairs) > 0 || f.timeframes != "" || f.venue != ""):
		return list, usagef("--list names pairs, timeframes and venues itself: leave the others out")
	case f.list != "":
		list, err = app.ReadWatchList(f.list)
	case len(pairs) > 0:
		list, err = watch.ParseList(f.document(pairs))
	case f.timeframes != "" || f.venue != "":
		return list, usagef("--timeframe and --venue are of pairs: name some, such as thalas watch BTC/USDT")
	}
	if err != nil {
		err = usageError{err}
	}
	return list, err
}

// document writes the flags as a watch list.
func (f watchFlags) document(pairs []string) []byte {
	d := map[string]any{"pairs": pairs}
	if f.timeframes != "" {
		d["timeframes"] = strings.Split(f.timeframes, ",")
	}
	if f.venue != "" {
		venues := strings.Split(f.venue, ",")
		d["venue"], d["fallback"] = venues[0], venues[1:]
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // not reached: the document has only texts
	}
	return text
}

// watch makes rounds until ctx ends, or a single round with --once.
func (f watchFlags) watch(ctx context.Context, t terminal, w *watch.Watcher, list watch.List, publish func([]service.Watched)) error {
	warnOfLicence(t, list.Venues)
	show, end := showRounds(t, list, f.json)
	defer end()
	round := func(s watch.Summary, next time.Time) {
		publish(watchedOf(s))
		show(s, next)
	}
	if f.once {
		s, err := w.Round(ctx, t.clock.Now().Add(-f.delay), list)
		if err != nil {
			return asMistake(err)
		}
		round(s, time.Time{})
		open := 0
		for _, o := range s.Series {
			if o.Status != watch.Decided && o.Status != watch.Already {
				open++
			}
		}
		if open > 0 {
			return noDecision{fmt.Errorf("%d of %d series have no decision", open, len(s.Series))}
		}
		return errDone
	}
	return asMistake(w.Loop(ctx, list, watch.Loop{Clock: t.clock, Delay: f.delay, Tell: round}))
}

// warnOfLicence prints what a user of some venues must know.
func warnOfLicence(t terminal, venues []string) {
	for _, name := range venues {
		if venue.IsOptIn(name) {
			fmt.Fprintln(t.err, "Warning:", name+":", venue.LicenceWarning)
		}
	}
}

// watchedOf gives the series of a round, with what it failed at, for the page.
func watchedOf(s watch.Summary) []service.Watched {
	watched := make([]service.Watched, len(s.Series))
	for i := range s.Series {
		o := &s.Series[i]
		watched[i] = service.Watched{Pair: o.Pair, Timeframe: o.Timeframe}
		if o.Status == watch.Failed || o.Status == watch.NotReached {
			watched[i].Failed = &service.SeriesError{At: s.Time, Error: o.Error, Message: o.Message}
		}
	}
	return watched
}

// asMistake makes mistakes in a watch list usage errors.
func asMistake(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return usageError{err}
}

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
	b.start(time.Second, b.table)
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
	b.draw()
}

// table gives the table and the lines below it. Their number never changes.
func (b *board) table() []string {
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
