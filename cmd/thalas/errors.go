package main

// How an error becomes an exit code and a text: mistakes of the user, answers of the API
// that are errors, and runs without a decision.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"thalas/internal/api"
	"thalas/internal/app"
	"thalas/internal/config"
	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// Exit codes.
const (
	exitDecision   = 0 // a decision was reached, which may be HOLD
	exitError      = 1 // any other error
	exitUsage      = 2 // the command line, the configuration or the input is wrong
	exitNoDecision = 3 // the run came to no decision, or no decision is stored
)

// noDecision is the error of a command without a decision.
type noDecision struct{ error }

// usageError is a mistake of the user. No model was asked.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var usage usageError
	var mistakes config.Mistakes
	var fields signal.FieldErrors
	var problem *apiProblem
	var none noDecision
	switch {
	case errors.As(err, &usage), errors.As(err, &mistakes), errors.As(err, &fields):
		return exitUsage
	case errors.As(err, &none), errors.As(err, &problem) && problem.undecided():
		return exitNoDecision
	}
	return exitError
}

// complain prints an error. Several mistakes get a line each.
func complain(t terminal, err error) {
	text := err.Error()
	var fields signal.FieldErrors
	if errors.As(err, &fields) && len(fields) > 1 {
		lines := make([]string, len(fields))
		for i, f := range fields {
			lines[i] = f.Error()
		}
		text = strings.ReplaceAll(text, fields.Error(), mistakeList(lines))
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	if isTerminal(t.err) { // in a file a mistake stays on one line, so that it can be searched for
		lines = hang(lines, max(widthOf(t.err), minWidth)-len("Error: "))
	}
	fmt.Fprintf(t.err, "%s %s\n", t.stylesFor(t.err).bad.Bold(true).Render("Error:"), strings.Join(lines, "\n"))
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(t.err, "'thalas --help' and 'thalas COMMAND --help' say what can be given.")
	}
}

// mistakeList puts several mistakes on a line each.
func mistakeList(mistakes []string) string {
	if len(mistakes) == 1 {
		return mistakes[0]
	}
	return fmt.Sprintf("%d mistakes:\n  %s", len(mistakes), strings.Join(mistakes, "\n  "))
}

// flagOf gives the command line's name for a field of a request.
func flagOf(field string) string {
	weight, isWeight := strings.CutPrefix(field, "provider_weights.")
	switch {
	case strings.HasPrefix(field, "market_data"), field == "current_price":
		return field
	case field == "pair":
		return "PAIR"
	case field == "timeout_seconds":
		return "--timeout"
	case isWeight:
		return "--weights " + weight
	}
	return "--" + strings.ReplaceAll(field, "_", "-")
}

// apiProblem is an answer of the API that is not 200.
type apiProblem struct {
	api.Problem
	body   []byte
	advice string // what the user can do about it
}

// problem reads an answer that is not 200. If it is not a problem document, the problem
// gives the status.
func (s *source) problem(status int, body []byte) *apiProblem {
	p := &apiProblem{}
	if json.Unmarshal(body, &p.Problem) != nil {
		p = &apiProblem{}
	}
	p.Status, p.body = status, body
	if p.Detail == "" {
		p.Detail = fmt.Sprintf("%s answers %d %s", s.name, status, http.StatusText(status))
	}
	switch {
	case status == http.StatusUnauthorized && s.key == "":
		p.advice = "Set THALAS_API_KEY to the key."
	case status == http.StatusUnauthorized:
		p.advice = "It is what THALAS_API_KEY says."
	case p.is(service.ErrNoSignal) && s.realOnly:
		p.advice = simulatedApart
	}
	return p
}

func (p *apiProblem) Error() string {
	text := p.Detail
	if len(p.Errors) > 0 { // the detail only lists their places, by the names of the API
		lines := make([]string, len(p.Errors))
		for i, e := range p.Errors {
			place := e.Location
			if _, field, found := strings.Cut(place, "."); found { // behind query or body
				place = flagOf(field)
			}
			lines[i] = place + " " + e.Message
		}
		text = mistakeList(lines)
	}
	for _, f := range p.Failures {
		text += "\n  " + failureText(f)
	}
	if p.advice != "" {
		text += " " + p.advice
	}
	return text
}

// is reports whether the problem is of one of the kinds.
func (p *apiProblem) is(kinds ...signal.ErrorCode) bool {
	return slices.ContainsFunc(kinds, func(code signal.ErrorCode) bool {
		return strings.HasSuffix(p.Type, "/problems/"+api.ProblemName(code))
	})
}

// undecided reports whether the problem is that there is no decision, or no recent one.
func (p *apiProblem) undecided() bool {
	return p.is(service.ErrNoSignal, service.ErrStale,
		orchestrator.ErrNoProviders, orchestrator.ErrInsufficientProviders, orchestrator.ErrInsufficientResponses, api.TooLate)
}

// undecided words an error of a run. It names mistakes by their flags, and lists why each
// provider failed.
func undecided(err error, a *app.App) error {
	var fields signal.FieldErrors
	if errors.As(err, &fields) {
		lines := make([]string, len(fields))
		for i, f := range fields {
			lines[i] = flagOf(f.Field) + " " + f.Message
		}
		return usagef("%s", mistakeList(lines))
	}
	var e *orchestrator.Error
	if !errors.As(err, &e) || errors.Is(err, orchestrator.ErrCanceled) { // then all providers failed for the same reason
		return err
	}
	lines := []string{e.Error()}
	for _, f := range e.Failures {
		lines = append(lines, "  "+failureText(f))
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
	worded := errors.New(strings.Join(lines, "\n"))
	if errors.Is(err, orchestrator.ErrAggregation) {
		return worded
	}
	return noDecision{worded}
}

// failureText says who failed, how, and what to do.
func failureText(f signal.Failure) string {
	message := strings.TrimPrefix(f.Message, f.Provider+" ")
	if f.Error == signal.FailureLeftOut {
		return f.Provider + ": " + message
	}
	text := fmt.Sprintf("%s: %s after %s%s: %s", f.Provider, f.Error, latency(f.LatencyMS), attempts(f.Attempts), message)
	if f.Error == signal.FailureTimeout && strings.HasPrefix(f.Message, "no answer within") {
		text += fmt.Sprintf("; give it more time with --timeout or %s, or ask a faster model with %s",
			provider.Variable(f.Provider, "TIMEOUT_SECONDS"), provider.Variable(f.Provider, "MODEL"))
	}
	return text
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
	enable := provider.Variable(e.Provider.Name(), "ENABLED") + "=true"
	switch {
	case e.Disabled && e.Unavailable != "":
		return fmt.Sprintf("disabled, and %s and %s", e.Unavailable, enable)
	case e.Disabled:
		return "disabled: set " + enable
	}
	return e.Unavailable
}
