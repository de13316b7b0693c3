package orchestrator_test

import (
	"net/http"
	"slices"
	"testing"

	"thalas/internal/orchestrator"
	"thalas/internal/provider"
	"thalas/internal/provider/anthropic"
	"thalas/internal/provider/gemini"
	"thalas/internal/provider/openai"
	"thalas/internal/simulator"
)

// BenchmarkFanOut measures the orchestration alone: four providers answer immediately,
// without a network.
func BenchmarkFanOut(b *testing.B) {
	o := over(b, orchestrator.Options{}, plays("anthropic", buys(.85)), plays("gemini", holds(.75)), plays("grok", sells(.6)), plays("openai", buys(.8)))
	request := question(b)
	b.ReportAllocs()
	for b.Loop() {
		ask(b, o, request)
	}
}

// BenchmarkOverHTTP asks four providers over real HTTP on one machine. They answer
// immediately. overhead-µs is the median time of a run without the waiting; the rest is the
// four round trips.
func BenchmarkOverHTTP(b *testing.B) {
	server, err := simulator.Start(simulator.Options{})
	if err != nil {
		b.Fatal(err)
	}
	client := provider.NewClient()
	b.Cleanup(func() {
		client.CloseIdleConnections()
		_ = server.Close()
	})
	var registry provider.Registry
	for _, known := range []struct {
		name string
		new  func(provider.Settings, *provider.Catalog, *http.Client) (provider.Provider, error)
	}{{"anthropic", anthropic.New}, {"openai", openai.New}, {"gemini", gemini.New}, {"grok", openai.NewGrok}} {
		p, err := known.new(provider.Settings{Key: provider.NewKey("simulated-key"), BaseURL: server.BaseURL(known.name)}, provider.DefaultCatalog(), client)
		if err != nil {
			b.Fatal(err)
		}
		if err := registry.Register(provider.Entry{Provider: p}); err != nil {
			b.Fatal(err)
		}
	}
	o := orchestrator.New(&registry, orchestrator.Options{Simulated: true})
	request := question(b)
	var overheads []float64
	b.ReportAllocs()
	for b.Loop() {
		result := ask(b, o, request)
		if len(result.Failures) > 0 {
			b.Fatalf("%s failed: %s", result.Failures[0].Provider, result.Failures[0].Message)
		}
		overheads = append(overheads, result.OverheadMS*1000)
	}
	slices.Sort(overheads)
	b.ReportMetric(overheads[len(overheads)/2], "overhead-µs")
}
