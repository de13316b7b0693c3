package main

// thalas ask: one question, one decision. What the models are shown comes from a JSON
// object, a CSV file of candles, or both.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/strictjson"
)

// askFlags are the flags of ask as they were given. Empty, or not changed,
// leaves a thing to the configuration.
type askFlags struct {
	settings
	price, data, candles, timeframe string
	weights, timeout, wait          string
	minProviders                    int
	minConfidence, minAgreement     float64
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
shown, with the indicators of all of them, unless --data has them: rsi, atr, ema_20,
ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio,
price_change_24h. A warning lists what was computed, what needs more candles, and what in
--data the candles contradict. The last close is the price unless --price says otherwise.

The result alone is written to standard output, and nothing if there is no decision. The
progress of the run, and why there is no decision, are written to standard error.`,
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
	timeframeFlag(cmd, &f.timeframe, "`length` of a candle, 1m to 1w (default: the spacing of the candles, else 5m)")
	flags.StringVar(&f.weights, "weights", "", "`weights` of this run, such as anthropic=1,openai=.9")
	flags.IntVar(&f.minProviders, "min-providers", 0, "`number` of answers that a decision needs (default: MIN_PROVIDERS)")
	flags.Float64Var(&f.minConfidence, "min-confidence", 0, "`confidence`, 0 to 1, below which a BUY or SELL becomes HOLD (default: MIN_CONFIDENCE)")
	flags.Float64Var(&f.minAgreement, "min-agreement", 0, "`agreement`, 0 to 1, below which a BUY or SELL becomes HOLD (default: MIN_AGREEMENT)")
	flags.StringVar(&f.timeout, "timeout", "", "`time` for all providers together, such as 20s or 20; at most 30s (default: TIMEOUT_SECONDS)")
	flags.StringVar(&f.wait, "wait", "", "`all`, or decided: stop when no answer that is still out can change the decision (default: all)")
	f.simulateFlag(cmd, simulateUsage)
	flags.BoolVar(&f.json, "json", false, "print the result as the API's JSON document")
	completeFlag(cmd, "wait", string(orchestrator.WaitAll), string(orchestrator.WaitDecided))
	return cmd
}

func ask(cmd *cobra.Command, t terminal, pair string, f askFlags) error {
	request, err := f.read(cmd, pair, t.in)
	if err != nil {
		return err
	}
	a, stop, err := f.newApp(t, askLogger)
	if err != nil {
		return err
	}
	defer stop()
	announce(t, a)
	if a.Config.DailyBudget > 0 && !a.Simulated {
		fmt.Fprintln(t.err, "ask does not enforce DAILY_BUDGET_USD, because it stores no record of what was spent: a server does.")
	}

	finish := func() {}
	if !f.json {
		live := newLive(t.err, t.stylesFor(t.err), t.screen(a.Log.Enabled(cmd.Context(), slog.LevelError)))
		request.Progress, finish = live.step, live.end
	}
	asker := service.New(service.Options{Orchestrator: a.Orchestrator, Registry: a.Registry, Store: discard{}, Simulated: a.Simulated, RequestBudgetUSD: a.Config.RequestBudget})
	answer, err := asker.Ask(cmd.Context(), service.Question{Request: request, Cancelable: true})
	finish()
	if err != nil {
		return undecided(err, a)
	}
	if f.json {
		return writeJSON(t.out, answer.Consensus)
	}
	_, err = io.WriteString(t.out, render(t.stylesFor(t.out), widthOf(t.out), answer.Consensus))
	return err
}

// discard is a store that stores nothing: the result is only shown.
type discard struct{ store.Store }

func (discard) Record(context.Context, *store.Result, store.Count) error { return nil }

// Sums reads no scores, so that the result has no probability. The error is one that is
// not logged.
func (discard) Sums(context.Context, string, string, string, string) (map[string]map[string]float64, error) {
	return nil, context.Canceled
}

// read gives the request of the flags and the files that they name. An input may never
// end, so read gives up on it when the command is interrupted; then the program ends.
func (f askFlags) read(cmd *cobra.Command, pair string, in io.Reader) (r orchestrator.Request, err error) {
	done := make(chan struct{})
	var request orchestrator.Request
	var mistake error
	go func() {
		defer close(done)
		request, mistake = f.request(pair, in, cmd.Flags().Changed)
	}()
	select {
	case <-cmd.Context().Done():
		return r, fmt.Errorf("interrupted before anybody was asked: %w", cmd.Context().Err())
	case <-done:
	}
	if mistake != nil {
		return r, usageError{mistake}
	}
	return request, nil
}

// screen gives the width of the screen for live lines; nil where the error output
// can't be drawn over: log lines in between would be.
func (t terminal) screen(logs bool) func() int {
	if logs || !t.canRedraw(t.err) {
		return nil
	}
	return func() int { return widthOf(t.err) }
}

// request reads the flags and the files that they name. Nobody is asked, and no
// configuration read, before the question itself makes sense.
func (f askFlags) request(pair string, in io.Reader, changed func(flag string) bool) (r orchestrator.Request, err error) {
	if r.Pair, err = signal.ParsePair(pair); err != nil {
		return r, err
	}
	if err := f.readMarket(&r, in); err != nil {
		return r, err
	}
	if changed("min-providers") && f.minProviders < 1 { // 0 would be the default
		return r, fmt.Errorf("--min-providers %d is below 1", f.minProviders)
	}
	r.MinProviders, r.Wait = f.minProviders, orchestrator.Wait(f.wait)
	if changed("min-confidence") {
		r.MinConfidence = &f.minConfidence
	}
	if changed("min-agreement") {
		r.MinAgreement = &f.minAgreement
	}
	if f.timeout != "" {
		if r.Timeout, err = parseTimeout(f.timeout); err != nil {
			return r, err
		}
	}
	r.Weights, err = parseWeights(f.weights)
	return r, err
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

const maxDataBytes = 256 << 10 // as the API takes them

// readMarket fills in the market data, the timeframe and the price.
func (f askFlags) readMarket(r *orchestrator.Request, in io.Reader) (err error) {
	if f.data == "" && f.candles == "" {
		return errors.New("no market data: give --data FILE (a JSON object), --candles FILE (a CSV), or both")
	}
	if f.data == "-" && f.candles == "-" {
		return errors.New("--data and --candles cannot both read standard input")
	}
	if f.data != "" {
		if r.MarketData, err = readData(f.data, in); err != nil {
			return err
		}
	}
	if f.candles != "" {
		if len(r.MarketData.Candles) > 0 {
			return errors.New("--data holds recent_candles and --candles gives others: give the candles once")
		}
		if r.MarketData.Candles, err = readCandles(f.candles, in); err != nil {
			return err
		}
	}
	candles := r.MarketData.Candles
	if r.Timeframe, err = f.resolveTimeframe(candles); err != nil {
		return err
	}
	switch {
	case f.price != "":
		if r.CurrentPrice, err = signal.ParseNumber(f.price); err != nil {
			return fmt.Errorf("--price: %w", err)
		}
		if !(r.CurrentPrice.Float64() > 0) {
			return fmt.Errorf("--price %s is not above 0", f.price)
		}
	case len(candles) > 0:
		r.CurrentPrice = candles[len(candles)-1].Close
	default:
		return errors.New("no price: give --price, or candles whose last close is the price")
	}
	return nil
}

// resolveTimeframe takes the flag, else the spacing of the candles, else, where no
// candle file was given, the API's default. A flag that the candles contradict is
// a mistake: the models would judge another market than the one that was meant.
func (f askFlags) resolveTimeframe(candles []signal.Candle) (signal.Timeframe, error) {
	spacing, known := market.TimeframeOf(candles)
	switch {
	case f.timeframe != "":
	case known:
		return spacing, nil
	case f.candles != "":
		return "", errors.New("the times of the candles do not tell their timeframe: give --timeframe")
	default:
		return signal.DefaultTimeframe, nil
	}
	timeframe, err := signal.ParseTimeframe(f.timeframe)
	if err != nil {
		return "", fmt.Errorf("--timeframe: %w", err)
	}
	if apart, contradicted := timeframe.Contradicted(candles); contradicted {
		return "", fmt.Errorf("--timeframe is %s, but the candles are %s apart: give the candles' own timeframe, or other candles", timeframe, apart)
	}
	return timeframe, nil
}

func readData(path string, in io.Reader) (signal.MarketData, error) {
	file, err := openInput(path, in)
	if err != nil {
		return signal.MarketData{}, fmt.Errorf("--data: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxDataBytes+1))
	switch {
	case err != nil:
		return signal.MarketData{}, fmt.Errorf("--data: %w", err)
	case len(content) > maxDataBytes:
		return signal.MarketData{}, fmt.Errorf("--data: %s is over %d KiB", path, maxDataBytes>>10)
	}
	content = strictjson.WithoutBOM(content)
	data, err := signal.ParseMarketData(content, signal.MaxText)
	var fields signal.FieldErrors
	var unread *strictjson.Error
	switch {
	case err == nil:
		return data, nil
	case len(bytes.TrimSpace(content)) == 0:
		return data, fmt.Errorf(`--data %s is empty: write a JSON object such as {"rsi": 65.5}`, path)
	case errors.As(err, &fields):
		return data, fmt.Errorf("--data %s: %w", path, err)
	}
	if errors.As(err, &unread) && unread.Kind == strictjson.NaN {
		return data, fmt.Errorf("--data %s: %s is no number: %w", path, strings.TrimPrefix(unread.Place, "."), err)
	}
	return data, fmt.Errorf(`--data %s is not a JSON object such as {"rsi": 65.5}: %w`, path, err)
}

func readCandles(path string, in io.Reader) ([]signal.Candle, error) {
	file, err := openInput(path, in)
	if err != nil {
		return nil, fmt.Errorf("--candles: %w", err)
	}
	defer file.Close()
	candles, err := market.ReadCSV(file)
	if err != nil {
		return nil, fmt.Errorf("--candles %s: %w", path, err)
	}
	if len(candles) == 0 {
		return nil, fmt.Errorf("--candles %s: holds no candle", path)
	}
	return candles, nil
}

// openInput opens a file, or standard input for -.
func openInput(path string, in io.Reader) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(in), nil
	}
	return os.Open(path)
}
