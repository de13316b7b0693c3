package main

// thalas ask: one question, one decision.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/app"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// askFlags are the flags of ask as they were given. Empty, or not changed,
// leaves a thing to the configuration.
type askFlags struct {
	price, data, candles, timeframe string
	weights, timeout, wait          string
	minProviders                    int
	minConfidence, minAgreement     float64
	simulate                        string
	json                            bool
}

func newAsk(t terminal) *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "ask PAIR",
		Short: "Ask the models about a pair and print the decision",
		Long: `Ask every available provider about a pair, at the same time, and print the decision.

What the models are shown comes from --data (a JSON object of indicators, the API's
market_data), from --candles (a CSV file), or from both. Of candles the newest 500 are
shown, and what all of them give, unless --data has it: rsi, atr, ema_20, ema_50, macd,
macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio, price_change_24h.
A warning lists what was computed, what needs more candles, and what in --data the
candles contradict. The last close is the price unless --price says otherwise.

The result alone is written to standard output, nothing where there is no decision; what
happens on the way, and why there is none, to standard error.

Exit codes: 0 a decision (HOLD is one), 2 wrong usage, configuration or input,
3 no decision, 1 anything else.`,
		Example: `  thalas ask BTC/USDT --price 50000 --data indicators.json
  thalas ask SPX/USD --timeframe 1d --candles examples/sp500-daily.csv --simulate auto
  echo '{"rsi": 65.5, "macd": 150}' | thalas ask btc-usdt --price 50000 --data - --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("ask needs one pair such as BTC/USDT, and got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return ask(cmd, t, args[0], f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.price, "price", "", "current `price` (default: the last close)")
	flags.StringVar(&f.data, "data", "", "`file` with the market data as a JSON object; - reads standard input")
	flags.StringVar(&f.candles, "candles", "", "CSV `file` with a header: time or date, open, high, low, close, volume; - reads standard input")
	flags.StringVar(&f.timeframe, "timeframe", "", "`length` of a candle, 1m to 1w (default: the spacing of the candles, else 5m)")
	flags.StringVar(&f.weights, "weights", "", "`weights` of this run, such as anthropic=1,openai=.9")
	flags.IntVar(&f.minProviders, "min-providers", 0, "`number` of answers that a decision needs (default: MIN_PROVIDERS)")
	flags.Float64Var(&f.minConfidence, "min-confidence", 0, "`confidence`, 0 to 1, below which a BUY or SELL becomes HOLD (default: MIN_CONFIDENCE)")
	flags.Float64Var(&f.minAgreement, "min-agreement", 0, "`agreement`, 0 to 1, below which a BUY or SELL becomes HOLD (default: MIN_AGREEMENT)")
	flags.StringVar(&f.timeout, "timeout", "", "`time` for all providers together, such as 20s or 20; at most 30s (default: TIMEOUT_SECONDS)")
	flags.StringVar(&f.wait, "wait", "", "`all`, or decided: stop when no answer that is still out can change the decision (default: all)")
	simulateFlag(cmd, &f.simulate)
	flags.BoolVar(&f.json, "json", false, "print the result as the API's JSON document")
	completeFlag(cmd, "timeframe", timeframeNames()...)
	completeFlag(cmd, "wait", string(orchestrator.WaitAll), string(orchestrator.WaitDecided))
	return cmd
}

func ask(cmd *cobra.Command, t terminal, pair string, f askFlags) error {
	if err := refuseEmpty(cmd); err != nil {
		return err
	}
	request, err := await(cmd.Context(), func() (orchestrator.Request, error) { return f.request(pair, t.in, cmd.Flags().Changed) })
	if err != nil {
		return err
	}
	c, err := load(t, f.simulate)
	if err != nil {
		return err
	}
	simulator := &simulators{}
	defer simulator.close()
	log := askLogger(t, c)
	a, err := app.New(c, log, simulator.start)
	if err != nil {
		return err
	}
	announce(t, a)
	if c.DailyBudget > 0 && !a.Simulated {
		fmt.Fprintln(t.err, "DAILY_BUDGET_USD is not held here, since ask keeps no record of what was spent: a server does.")
	}

	finish := func() {}
	if !f.json {
		live := newLive(t.err, t.stylesFor(t.err), t.screen(log != nil))
		request.Progress, finish = live.step, live.end
	}
	asker := service.New(service.Options{Orchestrator: a.Orchestrator, Registry: a.Registry, Store: unkept{}, Simulated: a.Simulated, RequestBudgetUSD: c.RequestBudget})
	answer, err := asker.Ask(cmd.Context(), service.Question{Request: request, Cancelable: true})
	finish()
	if err != nil {
		return undecided(err, a)
	}
	if f.json {
		return writeJSON(t.out, answer.Consensus)
	}
	return render(t.out, t.stylesFor(t.out), widthOf(t.out), answer.Consensus)
}

// unkept is a store for a result that is shown and not kept.
type unkept struct{ store.Store }

func (unkept) Record(context.Context, *store.Result, store.Count) error { return nil }

// await calls read, which may block for ever on an input that never ends, and
// gives up on it when ctx ends. The program ends then, and the reading with it.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := read()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("interrupted before anybody was asked: %w", ctx.Err())
	}
}

// screen gives the width of the screen for live lines; nil where the error output
// can't be drawn over: log lines in between would be.
func (t terminal) screen(logs bool) func() int {
	if logs || !t.canRedraw(t.err) {
		return nil
	}
	return func() int { return widthOf(t.err) }
}

func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// request reads the flags and the files that they name. Nobody is asked, and no
// configuration read, before the question itself makes sense.
func (f askFlags) request(pair string, in io.Reader, changed func(flag string) bool) (orchestrator.Request, error) {
	var r orchestrator.Request
	var err error
	if r.Pair, err = signal.ParsePair(pair); err != nil {
		return r, usageError{err}
	}
	if err := f.readMarket(&r, in); err != nil {
		return r, usageError{err}
	}
	if changed("min-providers") {
		if f.minProviders < 1 {
			return r, usagef("--min-providers %d is below 1", f.minProviders)
		}
		r.MinProviders = f.minProviders
	}
	if changed("min-confidence") {
		r.MinConfidence = &f.minConfidence
	}
	if changed("min-agreement") {
		r.MinAgreement = &f.minAgreement
	}
	if changed("timeout") {
		if r.Timeout, err = parseTimeout(f.timeout); err != nil {
			return r, usageError{err}
		}
	}
	if changed("wait") {
		if f.wait != string(orchestrator.WaitAll) && f.wait != string(orchestrator.WaitDecided) {
			return r, usagef("--wait %q is not known: allowed is all or decided", f.wait)
		}
		r.Wait = orchestrator.Wait(f.wait)
	}
	r.Weights, err = parseWeights(f.weights)
	if err != nil {
		return r, usageError{err}
	}
	return r, nil
}

// parseTimeout reads seconds, with or without a unit.
func parseTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d <= 0 || d > orchestrator.MaxTimeout {
		return 0, fmt.Errorf("--timeout %q is not a time above 0 and at most %s: give one such as 20s", text, orchestrator.MaxTimeout)
	}
	return d, nil
}

// parseWeights reads anthropic=1,openai=.9.
func parseWeights(text string) (map[string]float64, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	weights := map[string]float64{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if !found || name == "" || err != nil || !(weight >= 0 && weight <= 1) {
			return nil, fmt.Errorf("--weights %q: %q is not a provider and a weight from 0 to 1: give such as anthropic=1,openai=.9", text, part)
		}
		if _, twice := weights[name]; twice {
			return nil, fmt.Errorf("--weights %q: %s is there twice", text, name)
		}
		weights[name] = weight
	}
	return weights, nil
}

func timeframeNames() []string {
	var names []string
	for _, t := range signal.Timeframes() {
		names = append(names, string(t))
	}
	return names
}
