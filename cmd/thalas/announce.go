package main

// What is said before the models are asked: whether they are simulated, and who
// can't be asked although somebody wants it.

import (
	"fmt"

	"thalas/internal/app"
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
}
