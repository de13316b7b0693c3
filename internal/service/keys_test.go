package service_test

// Keys that are fetched before each run, and processes without keys.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/service"
)

func TestKeysThatCannotBeReadAskNobody(t *testing.T) {
	broken := errors.New("the secret has no value")
	v := &voter{name: "openai"}
	s := newService(t, service.Options{DailyBudgetUSD: 1, Prepare: func(context.Context) error { return broken }}, v)
	_, err := s.Ask(t.Context(), keyed("k"))
	var refused *service.Error
	if !errors.Is(err, service.ErrKeys) || !errors.As(err, &refused) || !strings.Contains(err.Error(), "the secret has no value") || refused.RetryAfter < time.Second {
		t.Fatalf("error %v", err)
	}
	broken = nil
	if answer := ask(t, s, keyed("k")); answer.Replayed {
		t.Error("the refusal was kept for the key")
	}
	broken = errors.New("down again")
	if answer := ask(t, s, keyed("k")); !answer.Replayed {
		t.Error("an answer that is there needs no keys, but is not replayed")
	}
}

func TestHealthWithoutKeysIsWhatRunsHaveShown(t *testing.T) {
	s := newService(t, service.Options{}, &voter{name: "openai"}, &voter{name: "gemini"})
	s.Registry.SetUnavailable("gemini", "no API key")
	ask(t, s, question())

	reader := serviceOver(t, service.Options{Keyless: true}, s.store, &voter{name: "openai"}, &voter{name: "gemini"}, &voter{name: "new"})
	h := reader.Health(t.Context(), false)
	got := map[string]bool{}
	for _, p := range h.Providers {
		got[p.Name] = p.Configured
	}
	if !got["openai"] || got["gemini"] || !got["new"] || h.ProviderHealth["gemini"] {
		t.Errorf("configured %v, health %v", got, h.ProviderHealth)
	}
	if err := reader.MayProbe(); !errors.Is(err, service.ErrProbe) {
		t.Errorf("probing: %v", err)
	}
	if err := s.MayProbe(); err != nil {
		t.Errorf("probing: %v", err)
	}
}

// A process that may read the keys reads them for health too, before any run.
func TestHealthReadsTheKeys(t *testing.T) {
	v := &voter{name: "openai"}
	var s fixture
	s = newService(t, service.Options{Prepare: func(context.Context) error {
		s.Registry.SetUnavailable("openai", "the secret has no value") // as app does
		return errors.New("the secret has no value")
	}}, v)
	h := s.Health(t.Context(), false)
	if h.Status != service.Unavailable || h.AvailableProviders != 0 || h.Providers[0].Reason != "the secret has no value" {
		t.Errorf("%s, %d available, %+v", h.Status, h.AvailableProviders, h.Providers)
	}
	if v.checked.Load() != 0 {
		t.Error("a provider was called")
	}
}

func TestHealthWithoutKeysKnowsOfRunsThatHadNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the secret has no value")
		v := &voter{name: "openai"}
		s := newService(t, service.Options{Prepare: func(context.Context) error { return broken }}, v)
		s.Registry.SetUnavailable("openai", broken.Error()) // as app does
		if _, err := s.Ask(t.Context(), question()); !errors.Is(err, service.ErrKeys) {
			t.Fatalf("error %v", err)
		}
		reader := serviceOver(t, service.Options{Keyless: true}, s.store, &voter{name: "openai"})
		tell := func(what string, status service.HealthStatus, available int) {
			t.Helper()
			h := reader.Health(t.Context(), false)
			m, err := reader.Metrics(t.Context(), service.WindowDay, time.Time{}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if h.Status != status || h.AvailableProviders != available || m.RegistryStatus.AvailableProviders != available {
				t.Errorf("%s: %s, %d available, %d in the metrics", what, h.Status, h.AvailableProviders, m.RegistryStatus.AvailableProviders)
			}
			if m.FailedRequests != 1 {
				t.Errorf("%s: %d failed runs", what, m.FailedRequests)
			}
		}
		tell("after a run without keys", service.Unavailable, 0)
		time.Sleep(2 * time.Hour) // they may have been put since, and a bot that waits for health would wait for ever
		tell("two hours later", service.Healthy, 1)
		if err := s.store.Close(); err != nil { // its goroutines are of the bubble
			t.Error(err)
		}
	})
}
