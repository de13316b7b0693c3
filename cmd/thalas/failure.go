package main

// Failed providers, and runs without a decision, worded for the command line.

import (
	"errors"
	"fmt"
	"strings"

	"thalas/internal/app"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/signal"
)

// failureText says who failed, how, and what to do.
func failureText(f signal.Failure) string {
	message := strings.TrimPrefix(f.Message, f.Provider+" ")
	if f.Error == signal.FailureLeftOut {
		return f.Provider + ": " + message
	}
	text := fmt.Sprintf("%s: %s after %s%s: %s", f.Provider, f.Error, latency(f.LatencyMS), attempts(f.Attempts), message)
	if advice := advice(f); advice != "" {
		text += "; " + advice
	}
	return text
}

// advice says what to do about a failure if its message does not.
func advice(f signal.Failure) string {
	if f.Error == signal.FailureTimeout && strings.HasPrefix(f.Message, "no answer within") {
		return fmt.Sprintf("give it more time with --timeout or %s, or ask a faster model with %s",
			provider.Variable(f.Provider, "TIMEOUT_SECONDS"), provider.Variable(f.Provider, "MODEL"))
	}
	return ""
}

// flagOf replaces the names of a request's fields by those of the flags.
var flagOf = strings.NewReplacer(
	"provider_weights.", "--weights ", "min_providers", "--min-providers", "min_confidence", "--min-confidence",
	"min_agreement", "--min-agreement", "timeout_seconds", "--timeout")

// textError is an error with another text.
type textError struct {
	text string
	err  error
}

func (e textError) Error() string { return e.text }
func (e textError) Unwrap() error { return e.err }

// undecided words an error of a run. It names mistakes by their flags, and lists why each
// provider failed.
func undecided(err error, a *app.App) error {
	var fields signal.FieldErrors
	if errors.As(err, &fields) {
		var lines []string
		for _, f := range fields {
			lines = append(lines, flagOf.Replace(f.Field)+" "+f.Message)
		}
		if len(lines) > 1 {
			lines = append([]string{fmt.Sprintf("%d mistakes:", len(lines))}, lines...)
		}
		return textError{strings.Join(lines, "\n  "), usageError{err}}
	}
	var e *orchestrator.Error
	if !errors.As(err, &e) {
		return err
	}
	lines := []string{e.Error()}
	if !errors.Is(err, orchestrator.ErrCanceled) { // after a cancellation all of them failed for the same reason
		for _, f := range e.Failures {
			lines = append(lines, "  "+failureText(f))
		}
	}
	switch {
	case errors.Is(err, orchestrator.ErrNoProviders):
		lines = append(lines, "Set at least one of:")
		lines = append(lines, unavailable(a)...)
		lines = append(lines, "Or try it without a key: --simulate true.")
	case errors.Is(err, orchestrator.ErrInsufficientProviders):
		lines = append(lines, "Set up more providers, or lower --min-providers:")
		lines = append(lines, unavailable(a)...)
	case errors.Is(err, orchestrator.ErrInsufficientResponses) && !e.Retryable():
		lines = append(lines, "Asking again will not help before that is mended.")
	}
	return textError{strings.Join(lines, "\n"), err}
}

// unavailable lists the providers that can't be asked, and what to set for each.
func unavailable(a *app.App) []string {
	var lines []string
	for _, e := range a.Registry.Entries() {
		if !e.Available() {
			lines = append(lines, "  "+e.Provider.Name()+": "+remedy(e))
		}
	}
	return lines
}

// remedy says why a provider can't be asked and what to set.
func remedy(e provider.Entry) string {
	name := e.Provider.Name()
	switch enable := provider.Variable(name, "ENABLED") + "=true"; {
	case e.Disabled && e.Unavailable != "":
		return fmt.Sprintf("disabled, and %s and %s", e.Unavailable, enable)
	case e.Disabled:
		return "disabled: set " + enable
	}
	return e.Unavailable
}
