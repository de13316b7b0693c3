package main

// thalas providers --check: one call to each provider, free or, with --paid, a tiny real
// question.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"thalas/internal/app"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// checkTime is the most time that a free call may take.
const checkTime = 15 * time.Second

// checkRow is what the call to one provider brought.
type checkRow struct {
	OK       bool             `json:"ok"`
	Message  string           `json:"message"`
	Seconds  float64          `json:"seconds"`
	Decision *signal.Decision `json:"decision,omitempty"` // of a paid question
	CostUSD  *float64         `json:"cost_usd,omitempty"` // likewise; absent: unknown, or nothing was asked
}

// checkProviders gives the rows of all providers, and calls all that can be asked at the
// same time.
func checkProviders(ctx context.Context, a *app.App, paid bool) ([]providerRow, error) {
	// The keys may be in a secret. Without it a provider says why it can't be asked.
	if err := a.Prepare(ctx); err != nil && ctx.Err() != nil {
		return nil, err
	}
	rows := rowsOf(a)
	var calls sync.WaitGroup
	for i, e := range a.Registry.Entries() {
		if e.Available() {
			calls.Go(func() { rows[i].Check = checkProvider(ctx, a, e, paid) })
		}
	}
	calls.Wait()
	return rows, ctx.Err()
}

func checkProvider(ctx context.Context, a *app.App, e provider.Entry, paid bool) *checkRow {
	limit := checkTime
	if paid {
		if limit = a.Config.Timeout; e.Timeout > 0 {
			limit = min(limit, e.Timeout)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started, row := time.Now(), &checkRow{}
	var err error
	if paid {
		var answer provider.Answer
		if answer, err = e.Provider.Ask(ctx, tinyQuestion()); err == nil {
			row.Decision, row.CostUSD = &answer.Decision, answer.Usage.CostUSD
			row.Message = fmt.Sprintf("voted %s; cost %s", answer.Decision, cost(answer.Usage.CostUSD))
		}
	} else if err = e.Provider.Check(ctx); err == nil {
		row.Message = "the list of models came, so address and key are right"
	}
	row.OK, row.Seconds = err == nil, time.Since(started).Seconds()
	if err != nil {
		failed := provider.AsError(err)
		row.Message, row.CostUSD = failed.Message, failed.Usage.CostUSD
		if failed.NoRoute {
			row.Message += ": --check --paid asks a question"
		}
	}
	return row
}

// tinyQuestion is the cheapest question that a model can answer.
func tinyQuestion() provider.Prompt {
	pair, err := signal.ParsePair("BTC/USDT")
	price, err2 := signal.ParseNumber("50000")
	data, err3 := signal.ParseMarketData([]byte(`{"rsi": 28.5}`), signal.MaxText)
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err) // unreachable: the texts are right
	}
	return provider.NewPrompt(pair, signal.DefaultTimeframe, price, data)
}

// checksText writes a line for each row, and gives an error if a call has failed.
func checksText(t terminal, rows []providerRow) (string, error) {
	style := t.stylesFor(t.out)
	var b strings.Builder
	failed := 0
	for _, r := range rows {
		if r.Check == nil {
			fmt.Fprintf(&b, "%s: not called, %s\n", r.Name, r.Reason)
			continue
		}
		look := style.good
		if !r.Check.OK {
			failed++
			look = style.bad
		}
		fmt.Fprintf(&b, "%s: %s (%.1f s)\n", r.Name, look.Render(visible(r.Check.Message)), r.Check.Seconds)
	}
	if failed > 0 {
		return b.String(), fmt.Errorf("%d of the providers that were called did not answer as they should", failed)
	}
	return b.String(), nil
}
