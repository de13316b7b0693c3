package main

// What is said before the models are asked: whether they are simulated, and who
// can't be asked although somebody wants it.

import (
	"fmt"

	"thalas/internal/app"
	"thalas/internal/provider"
)

func announce(t terminal, a *app.App) {
	if a.Simulated {
		style := t.stylesFor(t.err)
		fmt.Fprintln(t.err, style.warn.Render("Simulated: no language model is asked. Set a provider's API key for real votes."))
	}
	if len(a.Registry.Available()) == 0 {
		return // the error that follows names them all
	}
	for _, e := range a.Registry.Entries() {
		if !e.Disabled && e.Unavailable != "" {
			fmt.Fprintf(t.err, "Not asked: %s, %s\n", e.Provider.Name(), e.Unavailable)
		}
	}
	if a.Config.DailyBudget > 0 || a.Config.RequestBudget > 0 {
		for _, e := range a.Registry.Available() {
			if !isPriced(e.Provider) {
				fmt.Fprintf(t.err, "No budget holds %s: no price is known for its model %s. PRICES_FILE adds one.\n", e.Provider.Name(), e.Provider.Model())
			}
		}
	}
}

func isPriced(p provider.Provider) bool {
	priced, ok := p.(provider.Priced)
	if !ok {
		return false
	}
	_, known := priced.WorstCaseUSD(provider.Prompt{})
	return known
}
