package orchestrator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/strictjson"
)

// A server reads a policy with its registry, and a watch list without one.
func TestReadPolicy(t *testing.T) {
	registry := &provider.Registry{}
	for _, name := range []string{"openai", "grok"} {
		if err := registry.Register(provider.Entry{Provider: plays(name, buys(.9))}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		field, value string
		registry     *provider.Registry
		want         orchestrator.Policy
		mistakes     []string
	}{
		{"provider_weights", `{"OpenAI":0.5,"grok":null}`, registry, orchestrator.Policy{Weights: map[string]float64{"OpenAI": .5}}, nil},
		{"provider_weights", `{"any":2}`, nil, orchestrator.Policy{Weights: map[string]float64{"any": 2}}, nil}, // the range is checked later
		{"provider_weights", `{"opnai":1,"grok":"x","grok":1}`, registry, orchestrator.Policy{Weights: map[string]float64{}}, []string{
			`provider_weights.opnai: is no known provider: did you mean "openai"? Known are grok, openai`, "provider_weights.grok: is not a number: send a weight from 0 to 1", "provider_weights.grok: is there twice: send each name once"}},
		{"provider_weights", `[1]`, nil, orchestrator.Policy{}, []string{`provider_weights: is not an object: send one such as {"anthropic": 1.0}, or null`}},
		{"min_providers", `2.0`, registry, orchestrator.Policy{MinProviders: 2}, nil},
		{"min_providers", `3`, registry, orchestrator.Policy{}, []string{"min_providers: is outside 1…2, the number of known providers"}},
		{"min_providers", `0`, nil, orchestrator.Policy{}, []string{"min_providers: is not a whole number from 1"}},
		{"min_providers", `1e300`, nil, orchestrator.Policy{}, []string{"min_providers: is not a whole number from 1"}},
		{"min_providers", `1.5`, nil, orchestrator.Policy{}, []string{"min_providers: is not a whole number: send one from 1"}},
		{"min_confidence", `0.6`, nil, orchestrator.Policy{MinConfidence: new(.6)}, nil},
		{"min_agreement", `1e999`, nil, orchestrator.Policy{}, []string{"min_agreement: is out of range: send a number from 0 to 1"}},
		{"timeout_seconds", `20.5`, nil, orchestrator.Policy{Timeout: 20500 * time.Millisecond}, nil},
		{"timeout_seconds", `1e-300`, nil, orchestrator.Policy{Timeout: 1}, nil},
		{"timeout_seconds", `30.1`, nil, orchestrator.Policy{}, []string{"timeout_seconds: is not above 0 and at most 30"}},
		{"wait", `"decided"`, nil, orchestrator.Policy{Wait: orchestrator.WaitDecided}, nil},
		{"wait", `""`, nil, orchestrator.Policy{}, []string{"wait: is none of all, decided"}},
		{"wait", `1`, nil, orchestrator.Policy{}, []string{"wait: is not a text: send all or decided"}},
	} {
		t.Run(tt.field+" "+tt.value, func(t *testing.T) {
			v, err := strictjson.Parse(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			var got orchestrator.Policy
			var mistakes []string
			for _, m := range got.Read(tt.field, v, tt.registry) {
				mistakes = append(mistakes, m.Error())
			}
			if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.mistakes, mistakes); diff != "" {
				t.Error(diff)
			}
		})
	}
}
