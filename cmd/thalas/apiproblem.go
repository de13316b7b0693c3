package main

// What the API answers instead of what was asked for, worded for the command line.

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

	advice string // what to do about it, from here
}

// problem reads an answer that is not 200. What is no problem document has its
// status to tell.
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

// simulatedApart is said where nothing is found among the real results of a file.
const simulatedApart = "Simulated results are kept apart: --simulate true shows them."

// noResults is said where a list is empty.
func noResults(s *source) string {
	if s.realOnly {
		return "No results. " + simulatedApart
	}
	return "No results."
}

func (p *apiProblem) Error() string {
	text := p.Detail
	if len(p.Errors) > 0 { // the detail counts up their places in the words of the API
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

// placeOf names a parameter of the API as the command line has it.
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

// undecided reports whether the problem is that there is no decision, or none
// that is new enough.
func (p *apiProblem) undecided() bool {
	return p.is(service.ErrNoSignal, service.ErrStale,
		orchestrator.ErrNoProviders, orchestrator.ErrInsufficientProviders, orchestrator.ErrInsufficientResponses, api.TooLate)
}

// unavailableState reports whether an error is the 503 by which health says that
// it is unavailable.
func unavailableState(err error) bool {
	var p *apiProblem
	return errors.As(err, &p) && p.Status == http.StatusServiceUnavailable && p.Type == ""
}
