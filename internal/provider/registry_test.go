package provider_test

// Which providers can be registered, and how they are found.

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
)

func register(t *testing.T, names ...string) *provider.Registry {
	t.Helper()
	registry := &provider.Registry{}
	for _, name := range names {
		if err := registry.Register(provider.Entry{Provider: &scripted{name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	return registry
}

func TestRegister(t *testing.T) {
	tests := []struct {
		name  string
		entry provider.Entry
		want  string // part of the error; empty: none
	}{
		{"plain", provider.Entry{Provider: &scripted{name: "mistral"}}, ""},
		{"every character a name may have", provider.Entry{Provider: &scripted{name: "my-own_model2"}}, ""},
		{"40 characters", provider.Entry{Provider: &scripted{name: strings.Repeat("a", 40)}}, ""},
		{"weight 0", provider.Entry{Provider: &scripted{name: "zero"}, Weight: new(0.0)}, ""},
		{"no provider", provider.Entry{}, "no provider given"},
		{"no name", provider.Entry{Provider: &scripted{}}, "a name has 1 to 40"},
		{"upper case", provider.Entry{Provider: &scripted{name: "Mistral"}}, `"Mistral": a name has`},
		{"a space", provider.Entry{Provider: &scripted{name: "my model"}}, "a name has"},
		{"41 characters", provider.Entry{Provider: &scripted{name: strings.Repeat("a", 41)}}, "a name has"},
		{"a letter of another alphabet", provider.Entry{Provider: &scripted{name: "mistrаl"}}, "a name has"},
		{"taken", provider.Entry{Provider: &scripted{name: "grok"}}, `"grok": the name is taken`},
		{"weight above 1", provider.Entry{Provider: &scripted{name: "m"}, Weight: new(1.1)}, "weight 1.1 is outside 0…1"},
		{"weight below 0", provider.Entry{Provider: &scripted{name: "m"}, Weight: new(-.1)}, "weight -0.1 is outside 0…1"},
		{"weight no number", provider.Entry{Provider: &scripted{name: "m"}, Weight: new(math.NaN())}, "weight NaN is outside 0…1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			registry := register(t, "grok")
			err := registry.Register(test.entry)
			if test.want == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if _, found := registry.Find(test.entry.Provider.Name()); !found {
					t.Error("registered and not found")
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want …%s…", err, test.want)
			}
			if got := registry.Names(); !slices.Equal(got, []string{"grok"}) {
				t.Errorf("registered are %q after a refusal, want grok alone", got)
			}
		})
	}
}

func TestRegistryOrderAndFind(t *testing.T) {
	registry := register(t, "openai", "grok", "anthropic", "gemini")
	if err := registry.Register(provider.Entry{Provider: &scripted{name: "off"}, Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if err := registry.Register(provider.Entry{Provider: &scripted{name: "keyless"}, Unavailable: "no key"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"anthropic", "gemini", "grok", "keyless", "off", "openai"}, registry.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	var available []string
	for _, e := range registry.Available() {
		available = append(available, e.Provider.Name())
	}
	if diff := cmp.Diff([]string{"anthropic", "gemini", "grok", "openai"}, available); diff != "" {
		t.Errorf("available (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{"grok": "grok", "GROK": "grok", " Anthropic ": "anthropic", "off": "off", "gro": "", "": "", "ſ": ""} {
		entry, found := registry.Find(text)
		if found != (want != "") || (found && entry.Provider.Name() != want) {
			t.Errorf("Find(%q) is %v, %v; want %q", text, entry.Provider, found, want)
		}
	}
}

func TestVoteWeight(t *testing.T) {
	if got := (provider.Entry{}).VoteWeight(); got != 1 {
		t.Errorf("weight %v where none is set, want 1", got)
	}
	weight := 0.0
	registry := &provider.Registry{}
	if err := registry.Register(provider.Entry{Provider: &scripted{name: "zero"}, Weight: &weight}); err != nil {
		t.Fatal(err)
	}
	weight = 1
	if entry, _ := registry.Find("zero"); entry.VoteWeight() != 0 {
		t.Errorf("weight %v, want the 0 that was registered", entry.VoteWeight())
	}
}

// Entries that somebody holds do not change when others register.
func TestRegistryConcurrency(t *testing.T) {
	registry := register(t, "first")
	before := registry.Entries()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := registry.Register(provider.Entry{Provider: &scripted{name: fmt.Sprintf("p%02d", i)}}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			names := registry.Names()
			if !slices.IsSorted(names) {
				t.Errorf("not in order: %q", names)
			}
			registry.Available()
			registry.Find("first")
		})
	}
	wg.Wait()
	if len(before) != 1 || len(registry.Entries()) != 51 {
		t.Errorf("%d before and %d after, want 1 and 51", len(before), len(registry.Entries()))
	}
}
