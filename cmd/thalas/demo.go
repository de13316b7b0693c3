package main

// thalas demo: the server, one question asked as a bot would, and, with simulated votes, a
// past to look back at: the same question about earlier candles, settled by the candles
// that came after them. No bot can do that: results of the past come in only by import.

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"thalas/internal/app"
	"thalas/internal/orchestrator"
	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/simulator"
	"thalas/internal/store"
)

func newDemo(t terminal) *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "demo PAIR",
		Short: "Serve, ask one question through the API, and stay up",
		Long: `Serve the HTTP API, ask one question through it about the candles of a file, print the
decision and what to try next, and stay up until Ctrl-C. Without a decision it ends at once.

Where the votes are simulated, the candles are dated anew so that the last one has just
closed. Up to 300 earlier candles are asked about too, each as if it had just closed. These
results are settled by the candles that follow, stored as imported ones, and scored.

LISTEN_ADDR is the address of the server. If API_KEYS is set, THALAS_API_KEY is sent.`,
		Example: "  thalas demo SPX/USD --candles examples/sp500-daily.csv --simulate auto --data-file .demo/thalas.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := f.read(cmd, args[0], t.in)
			if err != nil {
				return err
			}
			a, stop, err := f.newApp(t, askLogger)
			if err != nil {
				return err
			}
			defer stop()
			return serve(cmd.Context(), t, a, func(ctx context.Context, url string, s *service.Service) error {
				d := demo{terminal: t, app: a, service: s, url: url, request: request}
				return d.run(ctx, filepath.Base(f.candles))
			})
		},
	}
	cmd.Flags().StringVar(&f.candles, "candles", "", "CSV `file` of candles, as for ask")
	cmd.Flags().StringVar(&f.data, "data", "", "`file` with the market data as a JSON object, as for ask")
	cmd.Flags().StringVar(&f.price, "price", "", "current `price`, as for ask")
	timeframeFlag(cmd, &f.timeframe, "`length` of a candle, as for ask")
	f.dataFileFlag(cmd)
	f.simulateFlag(cmd, simulateUsage)
	return cmd
}

type demo struct {
	terminal
	app     *app.App
	service *service.Service
	url     string
	request orchestrator.Request
}

const (
	pastCandles = 300 // the most candles of the past that are asked about
	pastNeeds   = 50  // candles before each of them, for its indicators
	pastWindow  = 3   // candles after each of them, by which it is settled
	pastAtOnce  = 8   // questions
)

func (d *demo) run(ctx context.Context, source string) error {
	// Only the user's own file takes the past: tables may be shared.
	hasPast := d.app.Simulated && !d.app.Config.OnTables() && len(d.request.MarketData.Candles) > pastNeeds+pastWindow
	if hasPast {
		d.redate(time.Now())
	}
	if err := d.ask(ctx); err != nil {
		return err
	}
	if hasPast {
		if err := d.lookBack(ctx, source, time.Now()); err != nil {
			return err
		}
	}
	return d.sayMore()
}

// redate dates the candles one after the other, so that the last one has just closed.
func (d *demo) redate(now time.Time) {
	candles := slices.Clone(d.request.MarketData.Candles)
	last := d.request.Timeframe.LastClosed(now)
	was := candles[len(candles)-1].Time
	for i := range candles {
		candles[len(candles)-1-i].Time = last.Add(-time.Duration(i) * d.request.Timeframe.Duration())
	}
	d.request.MarketData.Candles = candles
	if was.Equal(last) {
		return
	}
	text := fmt.Sprintf("The %d candles of the file are dated anew here, one %s after the other, so that the last one opened at %s UTC", len(candles), d.request.Timeframe, last.Format(time.DateTime))
	if !was.IsZero() {
		text += ". In the file it opened at " + was.Format(time.DateTime)
	}
	fmt.Fprintf(d.err, "\n%s.\n", strings.Join(wrap(text, textWidth), "\n"))
}

// ask asks the server as a bot would, and prints the decision.
func (d *demo) ask(ctx context.Context) error {
	r := d.request
	question := r.MarketData // the server computes the indicators
	question.Candles = question.Candles[max(0, len(question.Candles)-signal.MaxCandles):]
	fmt.Fprintf(d.err, "\nAsking about %s %s through POST %s/v1/consensus …\n\n", r.Pair, r.Timeframe, d.url)
	s, err := remote(d.url, d.environ.Getenv("THALAS_API_KEY"), orchestrator.MaxTimeout+readTimeout)
	if err != nil {
		return err
	}
	defer s.close()
	var answer json.RawMessage
	body := map[string]any{"pair": r.Pair, "timeframe": r.Timeframe, "current_price": r.CurrentPrice, "market_data": question}
	if err := s.post(ctx, "/v1/consensus", body, &answer); err != nil {
		return err
	}
	c, err := decodeResult(answer)
	if err != nil {
		return err
	}
	_, err = io.WriteString(d.out, render(d.stylesFor(d.out), widthOf(d.out), c))
	return err
}

// lookBack asks simulated models about earlier candles, stores what they said with what
// became of it, and prints the scoreboard.
func (d *demo) lookBack(ctx context.Context, source string, now time.Time) error {
	r := d.request
	candles, err := outcome.NewCandles(r.Timeframe, r.MarketData.Candles, now)
	if err != nil { // the decision above stands, with its warnings about these candles
		fmt.Fprintf(d.err, "\nThe past is not asked about: %v.\n", err)
		return nil
	}
	// A simulator of its own answers at once, and nothing is logged.
	running, err := simulator.Start(simulator.Options{})
	if err != nil {
		return err
	}
	defer running.Close()
	quick, err := app.New(d.app.Config, nil, func() (func(string) string, error) { return running.BaseURL, nil })
	if err != nil {
		return err
	}
	all := r.MarketData.Candles
	first := max(pastNeeds, len(all)-pastWindow-pastCandles)
	lines := make([][]byte, len(all)-pastWindow-first)
	terms := outcome.Terms{Cost: d.app.Config.RoundTripCost, Source: source, Now: now}
	var asking errgroup.Group
	asking.SetLimit(pastAtOnce)
	for i := range lines {
		asking.Go(func() (err error) {
			lines[i], err = past(ctx, quick.Orchestrator, r, all[:first+i+1], candles, terms)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return fmt.Errorf("the past can't be asked about: %w", err)
	}
	for batch := range slices.Chunk(lines, batchResults) {
		if _, err := d.service.Import(ctx, batch); err != nil {
			return withCause(err)
		}
	}
	board, err := d.service.Scoreboard(ctx, service.ScoreQuery{Pair: r.Pair, Timeframe: r.Timeframe})
	if err != nil {
		return withCause(err)
	}
	style := d.stylesFor(d.out)
	_, err = fmt.Fprintf(d.out, "\n%s\n\n%s", strings.Join(wrap(fmt.Sprintf("And was it any good? The same question was asked about %d earlier candles, "+
		"and each answer was settled by the %d candles that followed.", len(lines), pastWindow), textWidth), "\n"), scoreboardText(style, board))
	return err
}

// past asks about a series that ends with an earlier candle, as of a moment after that
// candle has closed, and settles the result. It gives both as export writes them.
func past(ctx context.Context, o *orchestrator.Orchestrator, r orchestrator.Request, shown []signal.Candle, candles outcome.Candles, terms outcome.Terms) ([]byte, error) {
	last := &shown[len(shown)-1]
	at := last.Time.Add(r.Timeframe.Duration() + time.Second)
	r.ID, r.CurrentPrice = pastID(r, at), last.Close
	r.MarketData = signal.MarketData{Candles: shown}
	r.Warnings = service.AddIndicators(&r.MarketData, r.Timeframe)
	r.Probability = func(raw signal.Decision, _ float64) *signal.Probability { return outcome.NoProbability(raw) }
	c, err := o.GenerateConsensusSignal(ctx, r)
	if err != nil {
		return nil, err
	}
	c.Timestamp, c.VotesAt = at, at
	c.Warnings = slices.DeleteFunc(c.Warnings, func(w signal.Warning) bool { return w.Code == signal.WarnStaleCandles }) // they were new then
	settled, err := json.Marshal(outcome.Settle(c, true, candles, terms))
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return service.WithOutcome(&store.Result{Body: body, Outcome: settled})
}

// pastID gives the UUIDv7 of that moment whose random part is a hash of the question, so
// that a demo that is run again stores nothing twice.
func pastID(r orchestrator.Request, at time.Time) string {
	id := uuid.NewHash(sha256.New(), uuid.Nil, fmt.Appendf(nil, "demo %s %s %s", r.Pair, r.Timeframe, at.Format(time.RFC3339)), 7)
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	return id.String()
}

// sayMore prints what to try next.
func (d *demo) sayMore() error {
	header := ""
	if len(d.app.Config.APIKeys) > 0 {
		header = ` -H "x-api-key: $THALAS_API_KEY"`
	}
	query := "pair=" + d.request.Pair.String() + "&timeframe=" + string(d.request.Timeframe)
	_, err := fmt.Fprint(d.out, strings.NewReplacer("URL", d.url, "KEY", header, "QUERY", query).Replace(`
The server stays up: URL
Ask it yourself:

  curl -s URL/v1/consensusKEY -H 'content-type: application/json' \
    -d '{"pair": "BTC/USDT", "current_price": 50000, "market_data": {"rsi": 28.5, "price_change_24h": -4.2}}'
  curl -s 'URL/v1/consensus/latest?QUERY'KEY

The page, in a browser: URL/   End with Ctrl-C.
`))
	return err
}
