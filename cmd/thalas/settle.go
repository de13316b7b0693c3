package main

// thalas settle: stored results are held against the candles that came after them, from a
// venue or from a CSV file. A server that has the store's file open does it itself, by a
// route for this machine alone.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store/bolt"
)

// settleOrder says what to settle, and by which candles.
type settleOrder struct {
	Pairs     []signal.Pair    // none: all pairs
	Timeframe signal.Timeframe `json:",omitzero"` // empty: all timeframes
	From, To  time.Time        // candle times; zero: no bound
	DryRun    bool
	Venues    []string        // where candles are asked for, in this order
	Candles   []signal.Candle // of the pair and timeframe; none: the venues are asked
	Source    string          // where Candles are from
}

// settleStep is a step of settling: some results of a series are settled, or all of it is
// done. The last step of a server's answer has no series.
type settleStep struct {
	Series *service.Settled // what was done of it so far
	Done   bool             // all of the series is
	Failed string           // why the venue gave no candles; empty: it did
	Error  string           // of the last step: why everything ended; empty: it is done
}

// settleAll settles by the candles of the order, or of a venue.
func settleAll(ctx context.Context, a *app.App, s *service.Service, o settleOrder, tell func(settleStep) error) error {
	candlesOf := func(context.Context, market.Series, time.Time) ([]signal.Candle, string, error) {
		return o.Candles, o.Source, nil
	}
	if o.Candles == nil {
		source, err := a.Venue(o.Venues...)
		if err != nil {
			return usageError{err}
		}
		candlesOf = service.FromVenue(source)
	}
	q := service.SettleQuery{Timeframe: o.Timeframe, From: o.From, To: o.To, DryRun: o.DryRun, Whole: o.Candles != nil}
	q.Progress = func(d service.Settled) { _ = tell(settleStep{Series: &d}) } // an error is met again when the series is done
	pairs := o.Pairs
	if len(pairs) == 0 {
		pairs = []signal.Pair{{}}
	}
	for _, q.Pair = range pairs {
		err := s.Settle(ctx, q, candlesOf, func(d service.Settled) error {
			done := settleStep{Series: &d, Done: true}
			if d.Failed != nil { // an error can't be sent
				done.Failed, d.Failed = d.Failed.Error(), nil
			}
			return tell(done)
		})
		if err != nil {
			return withCause(err)
		}
	}
	return nil
}

type settleFlags struct {
	settings
	spanFlags
	venue, candles, source string
	dryRun                 bool
}

func newSettle(t terminal) *cobra.Command {
	var f settleFlags
	cmd := &cobra.Command{
		Use:   "settle [PAIR…]",
		Short: "Settle stored results by the candles that came after them",
		Long: `Hold stored results against the three candles that came after them, from a venue or a CSV
file, and store what became of them: in the file, by the server that has it open, or in the
DynamoDB tables. A line for each series tells how many are settled and why others are not.

Without a pair it settles what is due. With pairs it goes through all of their results that
are not settled, those too that were stored by a version without outcomes.

Candles of a file may come in any order, and twice. Those that have not closed are left out.
If one differs from another of the same time, lies off the timeframe's grid or contradicts
itself, it is refused with its line, and nothing is settled. A first settlement stands:
settling again changes nothing.

Exit codes: 0 done, though some may stay open, 2 wrong usage, configuration or file of
candles, 1 a venue gave no candles of a series, or anything else.`,
		Example: `  thalas settle --venue kraken --dry-run
  thalas settle BTC/USDT --timeframe 1h --candles btc-1h.csv --source my-exchange`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, pairs []string) error { return f.run(cmd.Context(), t, pairs) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	timeframeFlag(cmd, &f.timeframe, "`length` of a candle, 1m to 1w (default: all; with --candles the spacing of the file)")
	flags.StringVar(&f.from, "from", "", "from this candle `time` on: 2026-11-01, or RFC 3339 (default: the oldest)")
	flags.StringVar(&f.to, "to", "", "before this candle `time`, likewise (default: the newest)")
	flags.StringVar(&f.venue, "venue", "", "`venue` of the candles; others by commas are asked where it can't help (default: SETTLE_VENUES, else "+strings.Join(venue.Defaults(), ",")+")")
	flags.StringVar(&f.candles, "candles", "", "CSV `file` with candles of one pair, as for ask, with times; - reads standard input")
	flags.StringVar(&f.source, "source", "", "`name` of where the file's candles are from, which each outcome tells")
	flags.BoolVar(&f.dryRun, "dry-run", false, "tell what would be settled, and store nothing")
	f.dataFileFlag(cmd)
	completeFlag(cmd, "venue", venue.Names()...)
	return cmd
}

func (f settleFlags) run(ctx context.Context, t terminal, pairs []string) error {
	order, err := f.order(pairs, t.in, time.Now())
	if err != nil {
		return usageError{err}
	}
	a, stop, err := f.newApp(t, nil)
	if err != nil {
		return err
	}
	defer stop() // no provider is asked
	if order.Candles == nil {
		if len(order.Venues) == 0 {
			order.Venues = a.Config.SettleVenues
		}
		if _, err := a.Venue(order.Venues...); err != nil {
			return usagef("--venue: %w", err)
		}
		warnOfLicence(t, order.Venues)
	}
	shown := &settling{terminal: t, styles: t.stylesFor(t.out), dryRun: order.DryRun, reasons: map[outcome.Reason]int{}, nextProgress: time.Now().Add(progressEvery)}
	if err := f.settle(ctx, t, a, order, shown.tell); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted: what is settled stays, and settling again does the rest: %w", err)
		}
		return err
	}
	if err := shown.end(); err != nil {
		return err
	}
	if shown.failed > 0 {
		return fmt.Errorf("no candles could be had for %d series: their results stay as they were", shown.failed)
	}
	return nil
}

// settle has the store's owner settle: this process, or the server that has the file open.
func (f settleFlags) settle(ctx context.Context, t terminal, a *app.App, o settleOrder, tell func(settleStep) error) error {
	if !a.Config.OnTables() {
		path, err := dataFile(a.Config, t.environ)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return missing(err, path)
		}
	}
	opened, err := openStore(ctx, t, a, bolt.Options{ReadOnly: o.DryRun})
	var held *bolt.InUse
	switch {
	case errors.As(err, &held):
		return sendSettle(ctx, held, o, tell)
	case err != nil:
		return err
	}
	return errors.Join(settleAll(ctx, a, a.NewService(opened.Store, versionText()), o, tell), opened.Store.Close())
}

// order reads the flags and the file of candles.
func (f settleFlags) order(pairs []string, in io.Reader, now time.Time) (o settleOrder, err error) {
	o.DryRun, o.Source = f.dryRun, f.source
	for _, text := range pairs {
		pair, err := signal.ParsePair(text)
		if err != nil {
			return o, err
		}
		if !slices.Contains(o.Pairs, pair) {
			o.Pairs = append(o.Pairs, pair)
		}
	}
	if f.timeframe != "" {
		if o.Timeframe, err = signal.ParseTimeframe(f.timeframe); err != nil {
			return o, fmt.Errorf("--timeframe: %w", err)
		}
	}
	if o.From, o.To, err = f.times(); err != nil {
		return o, err
	}
	if f.venue != "" {
		o.Venues = strings.Split(f.venue, ",")
	}
	switch {
	case f.candles == "" && f.source != "":
		return o, errors.New("--source names where the candles of --candles are from: give the file too, or leave it out")
	case f.candles == "":
		return o, nil
	case f.venue != "":
		return o, errors.New("--candles and --venue both give the candles: leave one of them out")
	case len(o.Pairs) != 1:
		return o, fmt.Errorf("the candles of --candles are of one pair, and %d are named: name that one", len(o.Pairs))
	case f.source == "" || visible(f.source) != f.source || len(f.source) > maxSource:
		return o, fmt.Errorf("--source must say where the candles of --candles are from, in at most %d characters, such as my-exchange: each outcome tells it", maxSource)
	}
	if err := o.readCandles(f.candles, in, now); err != nil {
		return o, fmt.Errorf("--candles %s: %w; nothing was settled", f.candles, err)
	}
	return o, nil
}

// maxSource is the most bytes of the name of a source.
const maxSource = 64

// readCandles reads a CSV file whose rows come in any order, and checks its candles. It
// leaves out those that have not closed.
func (o *settleOrder) readCandles(path string, in io.Reader, now time.Time) error {
	file, err := openInput(path, in)
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := market.ReadRows(file)
	if err != nil {
		return err
	}
	if err := o.resolveTimeframe(rows); err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(row market.Row) bool { return row.Time.Add(o.Timeframe.Duration()).After(now) })
	if len(rows) == 0 {
		return errors.New("none of its candles has closed yet")
	}
	for i := range rows {
		if rows[i].Wrong != nil {
			return rows[i].Wrong
		}
		o.Candles = append(o.Candles, rows[i].Candle)
	}
	var bad *outcome.CandleError
	if _, err := outcome.NewCandles(o.Timeframe, o.Candles, now); !errors.As(err, &bad) {
		return err
	}
	reason := bad.Reason
	if bad.Other != bad.Index {
		reason = fmt.Sprintf("it differs from line %d, which is of the same time: give each candle once", rows[bad.Other].Line)
	}
	return fmt.Errorf("line %d, %s: %s", rows[bad.Index].Line, bad.Time.UTC().Format(time.RFC3339), reason)
}

// resolveTimeframe fills in the timeframe by the spacing of the candles, and refuses one
// that they contradict.
func (o *settleOrder) resolveTimeframe(rows []market.Row) error {
	candles := make([]signal.Candle, len(rows))
	for i := range rows {
		candles[i].Time = rows[i].Time
	}
	slices.SortFunc(candles, func(a, b signal.Candle) int { return a.Time.Compare(b.Time) })
	candles = slices.CompactFunc(candles, func(a, b signal.Candle) bool { return a.Time.Equal(b.Time) })
	if o.Timeframe == "" {
		var known bool
		if o.Timeframe, known = market.TimeframeOf(candles); !known {
			return errors.New("the times of its candles do not tell their timeframe: give --timeframe")
		}
	}
	if apart, contradicted := o.Timeframe.Contradicted(candles); contradicted {
		return fmt.Errorf("its candles are %s apart, and the timeframe is %s: give the candles' own timeframe, or other candles", apart, o.Timeframe)
	}
	return nil
}

// sendSettle has the server that has a file open settle. It answers a line of JSON for
// each step.
func sendSettle(ctx context.Context, held *bolt.InUse, o settleOrder, tell func(settleStep) error) error {
	order, err := json.Marshal(o)
	if err != nil {
		return err
	}
	response, err := askLocal(ctx, held, http.MethodPost, localSettle, bytes.NewReader(order))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	steps := json.NewDecoder(response.Body)
	for {
		var step settleStep
		switch err := steps.Decode(&step); {
		case err != nil:
			return fmt.Errorf("the answer of %s broke off: %w; what was told is settled", held.Address, err)
		case step.Error != "":
			return fmt.Errorf("the server at %s: %s", held.Address, step.Error)
		case step.Series == nil:
			return nil
		}
		if err := tell(step); err != nil {
			return err
		}
	}
}

// takeSettle settles for another process. The last line of its answer is an empty step, or
// one with an error.
func (l *localServer) takeSettle(w http.ResponseWriter, r *http.Request) error {
	var o settleOrder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxImport)).Decode(&o); err != nil {
		return err
	}
	answer := http.NewResponseController(w)
	_ = answer.SetReadDeadline(time.Time{}) // venues may take long
	_ = answer.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	steps := json.NewEncoder(w)
	tell := func(step settleStep) error { return errors.Join(steps.Encode(step), answer.Flush()) }
	var last settleStep
	if err := settleAll(r.Context(), l.app, l.service, o, tell); err != nil {
		last.Error = err.Error()
	}
	return tell(last)
}
