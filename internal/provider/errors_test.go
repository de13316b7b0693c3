package provider_test

// The kinds of errors of any type.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

var kinds = map[signal.FailureKind]error{
	signal.FailureAuthentication: provider.ErrAuthentication, signal.FailureRateLimit: provider.ErrRateLimit,
	signal.FailureTimeout: provider.ErrTimeout, signal.FailureProvider: provider.ErrProvider,
	signal.FailureInvalidResponse: provider.ErrInvalidResponse, signal.FailureRefusal: provider.ErrRefusal,
	signal.FailureTruncated: provider.ErrTruncated, signal.FailureNotNeeded: provider.ErrNotNeeded,
}

func TestErrorKinds(t *testing.T) {
	for kind, want := range kinds {
		err := fmt.Errorf("asking: %w", &provider.Error{Kind: kind, Message: "m"})
		for other, sentinel := range kinds {
			if errors.Is(err, sentinel) != (other == kind) {
				t.Errorf("a %s error is %s: %v", kind, other, errors.Is(err, sentinel))
			}
		}
		if want.Error() != string(kind) {
			t.Errorf("the sentinel of %s reads %q", kind, want)
		}
	}
}

func TestAsError(t *testing.T) {
	own := &provider.Error{Kind: signal.FailureRefusal, Message: "no"}
	var none *provider.Error
	foreign := errors.New("the file is gone")
	tests := []struct {
		name      string
		err       error
		kind      signal.FailureKind
		message   string
		retryable bool
		is        error // also
	}{
		{"ours", own, signal.FailureRefusal, "no", false, provider.ErrRefusal},
		{"ours, wrapped", fmt.Errorf("asking: %w", own), signal.FailureRefusal, "no", false, provider.ErrRefusal},
		{"ours without a kind", &provider.Error{Message: "odd", Retryable: true}, signal.FailureProvider, "odd", true, provider.ErrProvider},
		{"ours of a kind that is none", &provider.Error{Kind: "strange", Message: "odd"}, signal.FailureProvider, "odd", false, provider.ErrProvider},
		{"a nil of ours", none, signal.FailureProvider, "failed without saying why", false, provider.ErrProvider},
		{"deadline", fmt.Errorf("get: %w", context.DeadlineExceeded), signal.FailureTimeout, "no answer within the time", true, context.DeadlineExceeded},
		{"cancelled", fmt.Errorf("get: %w", context.Canceled), signal.FailureNotNeeded, "cancelled before it answered", true, context.Canceled},
		{"of another type", foreign, signal.FailureProvider, "the file is gone", false, foreign},
		{"with a key and control characters", errors.New("Get \"https://x.example/?k=sk-0123456789abcdef\": \x1b[2Jeof\nagain"), signal.FailureProvider,
			`Get "https://x.example/?k=[redacted]": [2Jeof again`, false, nil},
		{"long", errors.New(strings.Repeat("ä", 500)), signal.FailureProvider, strings.Repeat("ä", 200), false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := provider.AsError(test.err)
			if got.Kind != test.kind || got.Error() != test.message || got.Retryable != test.retryable {
				t.Errorf("got %s %q, retryable %v; want %s %q, %v", got.Kind, got.Message, got.Retryable, test.kind, test.message, test.retryable)
			}
			if !errors.Is(got, kinds[test.kind]) || (test.is != nil && !errors.Is(got, test.is)) {
				t.Errorf("errors.Is holds for %v: %v, for %v: %v; want both", kinds[test.kind], errors.Is(got, kinds[test.kind]), test.is, errors.Is(got, test.is))
			}
		})
	}
	if got := provider.AsError(nil); got != nil {
		t.Errorf("no error gives %v", got)
	}
	if own.Kind != signal.FailureRefusal {
		t.Error("the provider's own error was changed")
	}
}
