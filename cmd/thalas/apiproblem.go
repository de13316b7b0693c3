package main

// Error answers of the API, worded for the command line.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"thalas/internal/api"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// apiProblem is an answer of the API that is not 200.
type apiProblem struct {
	Type   string `json:"type"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
	Failures []signal.Failure `json:"failures"`

	advice string // what the user can do about it
}

// problem reads an answer that is not 200. If it is not a problem document, the problem
// tells the status.
func (s *source) problem(status int, body []byte) *apiProblem {
	p := &apiProblem{}
	if json.Unmarshal(body, p) != nil {
		p = &apiProblem{}
	}
	p.Status = status
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

// simulatedApart is printed if a file has no real results that were asked for.
const simulatedApart = "Simulated results are kept apart: --simulate true shows them."

// noResults gives the text for an empty list.
func noResults(s *source) string {
	if s.realOnly {
		return "No results. " + simulatedApart
	}
	return "No results."
}

func (p *apiProblem) Error() string {
	text := p.Detail
	if len(p.Errors) > 0 { // the detail only lists their places, by the names of the API
		text = ""
		for _, e := range p.Errors {
			text += "\n  " + placeOf(e.Location) + " " + e.Message
		}
		if text = strings.TrimPrefix(text, "\n  "); len(p.Errors) > 1 {
			text = fmt.Sprintf("%d mistakes:\n  %s", len(p.Errors), text)
		}
	}
	for _, f := range p.Failures {
		text += "\n  " + failureText(f)
	}
	if p.advice != "" {
		text += " " + p.advice
	}
	return text
}

// placeOf gives the command line's name for a parameter of the API.
func placeOf(location string) string {
	name, found := strings.CutPrefix(location, "query.")
	if !found {
		name, found = strings.CutPrefix(location, "body.")
	}
	weight, isWeight := strings.CutPrefix(name, "provider_weights.")
	switch {
	case !found, strings.HasPrefix(name, "market_data"), name == "current_price":
		return location
	case name == "pair":
		return "PAIR"
	case isWeight:
		return "--weights " + weight
	default:
		return "--" + strings.ReplaceAll(name, "_", "-")
	}
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

// unavailableState reports whether an error is the 503 of an unavailable health.
func unavailableState(err error) bool {
	var p *apiProblem
	return errors.As(err, &p) && p.Status == http.StatusServiceUnavailable && p.Type == ""
}
