package main

// thalas demo: start a server, ask one question through its API, and keep serving.

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

func newDemo(t terminal) *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "demo PAIR",
		Short: "Serve, ask one question through the API, and stay up",
		Long: `Serve the HTTP API, ask one question through it about the candles of a file, print the
decision and what to try next, and stay up until Ctrl-C. Without a decision it ends at once.

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
			return serve(cmd.Context(), t, a, func(ctx context.Context, url string, _ *service.Service) error {
				return demonstrate(ctx, t, url, len(a.Config.APIKeys) > 0, request)
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

// demonstrate asks the server as a bot would.
func demonstrate(ctx context.Context, t terminal, url string, keyed bool, request orchestrator.Request) error {
	candles := request.MarketData.Candles // the server computes the indicators
	request.MarketData.Candles = candles[max(0, len(candles)-signal.MaxCandles):]
	question := map[string]any{
		"pair": request.Pair, "timeframe": request.Timeframe, "current_price": request.CurrentPrice, "market_data": request.MarketData,
	}
	fmt.Fprintf(t.err, "\nAsking about %s %s through POST %s/v1/consensus …\n\n", request.Pair, request.Timeframe, url)
	s, err := remote(url, t.environ.Getenv("THALAS_API_KEY"), orchestrator.MaxTimeout+readTimeout)
	if err != nil {
		return err
	}
	defer s.close()
	var answer json.RawMessage
	if err := s.post(ctx, "/v1/consensus", question, &answer); err != nil {
		return err
	}
	c, err := decodeResult(answer)
	if err != nil {
		return err
	}
	if err := render(t.out, t.stylesFor(t.out), widthOf(t.out), c); err != nil {
		return err
	}
	header := ""
	if keyed {
		header = ` -H "x-api-key: $THALAS_API_KEY"`
	}
	_, err = fmt.Fprint(t.out, strings.NewReplacer("URL", url, "KEY", header, "QUERY", "pair="+c.Pair.String()+"&timeframe="+string(c.Timeframe)).Replace(`
The server stays up: URL
Ask it yourself:

  curl -s URL/v1/consensusKEY -H 'content-type: application/json' \
    -d '{"pair": "BTC/USDT", "current_price": 50000, "market_data": {"rsi": 28.5, "price_change_24h": -4.2}}'
  curl -s 'URL/v1/consensus/latest?QUERY'KEY

In a browser: URL/docs   End with Ctrl-C.
`))
	return err
}
