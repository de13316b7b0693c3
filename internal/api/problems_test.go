package api

// The problems of errors from the service.

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/strictjson"
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

// A page explains every answer that API Gateway gives by itself, under the same title.
func TestGatewayResponsesOfTheTemplateHaveAPage(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	answers := regexp.MustCompile(`"type": "/problems/([\w-]+)", "title": "([^"]+)"(?:, "status": (\d+))?,`).FindAllStringSubmatch(string(template), -1)
	if n := strings.Count(string(template), "/problems/"); n != len(answers) || n == 0 {
		t.Errorf("%d problems are named, %d in the form that is looked for", n, len(answers))
	}
	given := map[string]bool{}
	for _, answer := range answers {
		i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == answer[1] })
		if i < 0 {
			t.Errorf("no page explains %s", answer[1])
			continue
		}
		given[answer[1]] = true
		if k := kinds[i]; k.title != answer[2] || (answer[3] != "" && strconv.Itoa(k.status) != answer[3]) {
			t.Errorf("%s: title %q and status %s, on its page %q and %d", answer[1], answer[2], answer[3], k.title, k.status)
		}
	}
	for _, k := range gatewayKinds {
		if !given[k.name] {
			t.Errorf("%s: no answer of the template's is one", k.name)
		}
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
		_, hint, _ := strings.Cut(strictjson.Unknown("field", name, namesOf(questionFields)), `did you mean "`)
		if got, _, _ := strings.Cut(hint, `"`); got != want {
			t.Errorf("the hint at %.20q is %q, want %q", name, got, want)
		}
	}
}
