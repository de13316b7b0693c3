package api

// What errors of the packages below become.

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
)

func TestErrorsBecomeProblems(t *testing.T) {
	for _, tt := range []struct {
		err    error
		kind   *kind
		detail string // a part; empty: the kind's own
	}{
		{errors.New("planted: dial tcp db.internal"), internalError, ""},
		{fmt.Errorf("planted: %w", service.ErrNoBudget), budgetUnknown, "planted"},
		{fmt.Errorf("planted: %w", service.ErrKeys), keysUnavailable, "planted"},
		{fmt.Errorf("%w", service.ErrProbe), probeForbidden, "probe"},
		{fmt.Errorf("%w", orchestrator.ErrAggregation), aggregationFailed, "aggregation failed"},
		{fmt.Errorf("%w", orchestrator.ErrCanceled), runCanceled, "canceled"},
	} {
		t.Run(tt.kind.name, func(t *testing.T) {
			p := problemOf(tt.err)
			if p.kind != tt.kind || p.Status != tt.kind.status || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("problem %+v", p)
			}
			if p.Status == http.StatusInternalServerError && strings.Contains(p.Detail+compatErrorOf(p).Message+compatErrorOf(p).Detail, "db.internal") {
				t.Errorf("internal text shows: %q", p.Detail)
			}
		})
	}
}

func TestFailedAggregation(t *testing.T) {
	p := undecidedProblem(aggregationFailed, &orchestrator.Error{})
	if p.Status != 500 || p.Retryable || p.Detail != "Failed to aggregate consensus" {
		t.Errorf("status %d, retryable %v, detail %q", p.Status, p.Retryable, p.Detail)
	}
	if e := compatErrorOf(p); e.status != 500 || e.Message != "Failed to aggregate consensus" {
		t.Errorf("compatibility route: status %d, error %q", e.status, e.Message)
	}
}

func TestNearestName(t *testing.T) {
	for name, want := range map[string]string{
		"timefram": "timeframe", "Pair": "pair", "price": "", "current_prise": "current_price", "weights": "", "min_provider": "min_providers", "zzzzzzzz": "", strings.Repeat("x", 1000): "",
	} {
		if got := nearest(name, questionNames); got != want {
			t.Errorf("nearest(%.20q) = %q, want %q", name, got, want)
		}
	}
}
