package contract

// The requests: the SDK knows every field, and would send the same.

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/provider"
)

// schema is what the adapters send, as the SDKs' types want it.
func schema() map[string]any {
	var v map[string]any
	if err := json.Unmarshal(provider.Schema, &v); err != nil {
		panic(err)
	}
	return v
}

// TestRequests decodes the request of an adapter into the types of the SDK, which drop
// unknown fields, and lets the SDK send it again.
func TestRequests(t *testing.T) {
	warm := 0.5
	each(t, func(t *testing.T, v vendor) {
		for _, tt := range []struct {
			name     string
			settings provider.Settings
		}{
			{"fast", provider.Settings{}},
			{"flagship", provider.Settings{Profile: provider.ProfileFlagship}},
			{"unknown model", provider.Settings{Model: "unheard-of"}},
			{"all set", provider.Settings{Model: "unheard-of", Effort: "medium", MaxTokens: 77, Temperature: &warm}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				ours := v.question(t, tt.settings)
				base, theirs := serve(t, v.fixture(t, "answer.json"))
				if _, err := v.sdk.resend(t.Context(), client(t), base, ours); err != nil {
					t.Fatal(err)
				}
				compare(t, v, ours, *theirs)
			})
		}
	})
}

// TestProfiles compares the requests of the two profiles with the same requests written with the
// types, constants and model names of the SDK.
func TestProfiles(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		for _, profile := range []string{provider.ProfileFast, provider.ProfileFlagship} {
			t.Run(profile, func(t *testing.T) {
				ours := v.question(t, provider.Settings{Profile: profile})
				base, theirs := serve(t, v.fixture(t, "answer.json"))
				if err := v.sdk.compose(t.Context(), client(t), base, profile, prompt(t)); err != nil {
					t.Fatal(err)
				}
				compare(t, v, ours, *theirs)
			})
		}
	})
}

func compare(t *testing.T, v vendor, ours, theirs exchange) {
	t.Helper()
	if ours.method != theirs.method || ours.path != theirs.path {
		t.Errorf("the adapter sends %s %s, the SDK %s %s", ours.method, ours.path, theirs.method, theirs.path)
	}
	if diff := cmp.Diff(important(theirs.header), important(ours.header)); diff != "" {
		t.Errorf("headers (-SDK +adapter):\n%s", diff)
	}
	if diff := cmp.Diff(document(t, theirs.body), v.sdk.sameAs(document(t, ours.body))); diff != "" {
		t.Errorf("body (-SDK +adapter):\n%s", diff)
	}
}

// TestRequestsCanFail misspells or misplaces each field. If the types of the SDK kept unknown
// fields, the tests above would prove nothing.
func TestRequestsCanFail(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		ours := v.question(t, provider.Settings{Profile: provider.ProfileFlagship})
		for name := range fields(document(t, ours.body)) {
			t.Run(name, func(t *testing.T) {
				wrong, body := ours, document(t, ours.body)
				for _, object := range fields(body)[name] {
					object["x_"+name] = object[name]
					delete(object, name)
				}
				var err error
				if wrong.body, err = json.Marshal(body); err != nil {
					t.Fatal(err)
				}
				base, theirs := serve(t, v.fixture(t, "answer.json"))
				switch _, err := v.sdk.resend(t.Context(), client(t), base, wrong); {
				case err != nil && theirs.method == "": // refused before it was sent
				case err != nil:
					t.Fatal(err)
				case cmp.Equal(document(t, theirs.body), v.sdk.sameAs(document(t, wrong.body))):
					t.Errorf("the SDK takes the field x_%s", name)
				}
			})
		}
	})
}

// fields gives the objects of a request by the names of their fields, without those inside the
// JSON schema.
func fields(v any) map[string][]map[string]any {
	found := map[string][]map[string]any{}
	add := func(value any) {
		for name, objects := range fields(value) {
			found[name] = append(found[name], objects...)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			found[name] = append(found[name], v)
			if name != "schema" && name != "responseJsonSchema" {
				add(value)
			}
		}
	case []any:
		for _, value := range v {
			add(value)
		}
	}
	return found
}

// TestChecks compares the free call that proves a key.
func TestChecks(t *testing.T) {
	each(t, func(t *testing.T, v vendor) {
		empty := []byte(`{"data":[],"models":[]}`)
		base, ours := serve(t, empty)
		p, err := v.adapter(provider.Settings{Key: provider.NewKey(key), BaseURL: base}, provider.DefaultCatalog(), client(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		base, theirs := serve(t, empty)
		if _, err := v.sdk.models(t.Context(), client(t), base); err != nil {
			t.Fatal(err)
		}
		if ours.method != theirs.method || ours.path != theirs.path {
			t.Errorf("the adapter sends %s %s, the SDK %s %s", ours.method, ours.path, theirs.method, theirs.path)
		}
		theirs.header.Del("Content-Type") // a GET has no content, but the SDK of Google sends a type
		if diff := cmp.Diff(important(theirs.header), important(ours.header)); diff != "" {
			t.Errorf("headers (-SDK +adapter):\n%s", diff)
		}
	})
}

// TestEfforts checks that the SDK knows every effort of the model table.
func TestEfforts(t *testing.T) {
	text, err := os.ReadFile("../provider/models.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Providers map[string]struct {
			Models map[string]struct {
				Effort  string
				Efforts []string
			}
		}
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, v vendor) {
		known := strings.ToLower(strings.Join(v.efforts, " "))
		models := table.Providers[v.name].Models
		if len(models) == 0 {
			t.Fatal("the table has no models")
		}
		for name, model := range models {
			for _, effort := range append(model.Efforts, model.Effort) {
				if effort != "" && !slices.Contains(strings.Fields(known), effort) {
					t.Errorf("%s: effort %q is none of the SDK's: %s", name, effort, known)
				}
			}
		}
	})
}
