package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
	"thalas/internal/provider"
	"thalas/internal/provider/openai"
)

// readable compares hidden objects by their members.
var readable = cmp.Options{compareKeys, cmp.Transformer("open", func(h openai.Hidden) map[string]any { return h })}

func TestFurtherProviders(t *testing.T) {
	local := openai.Presets["ollama"].Dialect
	custom := openai.Custom()
	custom.Output, custom.Thinking, custom.MaxTokensField, custom.Auth = "none", "strip", "max_output", openai.Auth{Header: "X-Key"}
	custom.Headers, custom.ExtraBody = openai.Hidden{"X-Team": "planted-team"}, openai.Hidden{"seed": "7", "top": map[string]any{"k": true}}
	deepseek := openai.Presets["deepseek"].Dialect
	deepseek.ExtraBody = openai.Hidden{"thinking": map[string]any{"type": "enabled"}, "user": "planted-user"}
	half := 0.5
	tests := []struct {
		name, entry string
		environ     []string
		want        config.Provider
	}{
		{"a local preset", `{"name": "local", "preset": "ollama", "model": "qwen3:32b"}`, nil, config.Provider{
			Enabled: true, Weight: 1, Model: "qwen3:32b", BaseURL: "http://127.0.0.1:11434/v1", Further: &config.Further{Preset: "ollama", Dialect: local, Price: &provider.Price{}},
		}},
		{
			"everything, without a preset",
			`{"name": "local", "base_url": "http://10.0.0.7:8080/v4", "model": "m", "api_key_env": "MINE_API_KEY", "auth": {"header": "X-Key"}, "structured_output": "none", "thinking": "strip",
			  "max_tokens_field": "max_output", "max_tokens": 99, "temperature": 0.5, "effort": "low", "headers": {"X-Team": "planted-team"}, "extra_body": {"seed": "7", "top": {"k": true}},
			  "weight": 0.25, "enabled": false, "timeout_seconds": 12.5, "price": {"input": 1, "output": 2.5}}`,
			[]string{"MINE_API_KEY=planted-mine"},
			config.Provider{
				Key: provider.NewKey("planted-mine"), Weight: 0.25, Model: "m", Effort: "low", MaxTokens: 99, Temperature: &half, BaseURL: "http://10.0.0.7:8080/v4", Timeout: 12500 * time.Millisecond,
				Further: &config.Further{KeyVariable: "MINE_API_KEY", Price: &provider.Price{Input: 1, Output: 2.5, Cached: 1}, Dialect: custom},
			},
		},
		{
			"the environment wins over the file",
			`{"name": "local", "preset": "deepseek", "model": "file", "weight": 1, "api_key_env": "OTHER_API_KEY", "extra_body": {"thinking": {"type": "enabled"}, "user": "planted-user"}}`,
			[]string{"LOCAL_MODEL=environment", "LOCAL_WEIGHT=0.1", "LOCAL_ENABLED=false", "LOCAL_API_KEY=planted-own", "OTHER_API_KEY=planted-other", "LOCAL_BASE_URL=https://proxy/v1"},
			config.Provider{Key: provider.NewKey("planted-own"), Weight: 0.1, Model: "environment", BaseURL: "https://proxy/v1", Further: &config.Further{Preset: "deepseek", KeyVariable: "LOCAL_API_KEY", Dialect: deepseek}},
		},
		{
			"a second model of a built-in provider has its key",
			`{"name": "local", "preset": "anthropic", "model": "claude-sonnet-5-5"}`,
			[]string{"ANTHROPIC_API_KEY=planted-anthropic"},
			config.Provider{Key: provider.NewKey("planted-anthropic"), Enabled: true, Weight: 1, Model: "claude-sonnet-5-5", Further: &config.Further{Preset: "anthropic", KeyVariable: "ANTHROPIC_API_KEY"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			document := `{"providers": [` + test.entry + `]}`
			file := filepath.Join(t.TempDir(), "providers.json")
			if err := os.WriteFile(file, []byte("\ufeff"+document), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{document, file} {
				got, err := config.Load(append([]string{"PROVIDERS_FILE=" + value, "MIN_PROVIDERS=5"}, test.environ...), known)
				if err != nil {
					t.Fatal(err)
				}
				test.want.Name, test.want.Further.Place = "local", "providers[0]"
				if diff := cmp.Diff(test.want, got.Providers[4], readable); diff != "" {
					t.Error(diff)
				}
				if len(got.Warnings) > 0 {
					t.Errorf("warnings: %q", got.Warnings)
				}
				if shown := fmt.Sprintf("%v %+v %#v", got, got, got.Providers[4].Further); strings.Contains(shown, "planted") {
					t.Errorf("shows a secret: %s", shown)
				}
			}
		})
	}
}

// One run of the program shows all that is wrong.
func TestTenMistakesInAFile(t *testing.T) {
	const document = `{"providers": [
		{"name": "Deep Seek", "preset": "deepsek", "model": "m"},
		{"name": "grok", "preset": "groq", "modle": "m"},
		{"name": "local", "base_url": "http://8.8.8.8/v1", "model": "m", "api_key_env": "sk-planted-1234567890", "headers": {"Host": "planted-host"}, "weight": 2,
		 "extra_body": {"stream": true}, "price": {"input": -1}},
		{"name": "local", "preset": "gemini", "model": "m", "thinking": "strip", "enabled": "yes"}
	]}`
	want := []string{
		`providers[0].name is not right: allowed is 1 to 31 lower case letters, digits and -, with a letter first`,
		`providers[0].preset is not known: did you mean "deepseek"?`,
		`providers[0].base_url is missing: give the server's address, such as https://host/v1, or a preset that has one`,
		`providers[1].modle is not known: did you mean "model"?`,
		`providers[1].name is grok, which is taken: choose another one`,
		`providers[1].model is missing: give the model's name as the server calls it`,
		`providers[2].weight is "2": allowed is a number from 0 to 1`,
		`providers[2].base_url leads to 8.8.8.8 over plain http, and the key would be readable on its way: use https, or an address of this machine or of a private network (localhost, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7)`,
		`providers[2].api_key_env is not right: allowed is the name of a variable that ends in _API_KEY, such as LOCAL_API_KEY, and not the key itself; or none`,
		`providers[2].headers.Host can't be set here: the program sets it`,
		`providers[2].extra_body.stream can't be set here: the program sets it, or depends on its default`,
		`providers[2].price.output is missing: give a price such as {"input": 0.5, "output": 1.5}, USD for a million tokens, or none at all`,
		`providers[2].price.input is "-1": allowed is a number from 0 to 10000`,
		`providers[3].name is local, which is taken: choose another one`,
		`providers[3].thinking does not go with the preset gemini, which has a wire format of its own: leave it out`,
		`providers[3].enabled is not true or false`,
	}
	_, err := config.Load([]string{"PROVIDERS_FILE=" + document, "MIN_PROVIDERS=99"}, known)
	got := strings.Split(fmt.Sprint(err), "\n")
	for i, line := range want {
		want[i] = "  PROVIDERS_FILE: " + line
	}
	want = append(append([]string{fmt.Sprintf("configuration: %d mistakes:", len(want)+1)}, want...), `  MIN_PROVIDERS is "99": allowed is a whole number from 1 to the number of providers, 8`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprint(err), "planted") {
		t.Errorf("shows a secret: %v", err)
	}
}

func TestFurtherProvidersThatAreRefused(t *testing.T) {
	thirteen := strings.TrimSuffix(strings.Repeat(`{"name": "%d", "preset": "ollama", "model": "m"},`, 13), ",")
	for i := range 13 {
		thirteen = strings.Replace(thirteen, "%d", fmt.Sprintf("n%d", i), 1)
	}
	const one = `{"name": "local", "preset": "ollama", "model": "m"`
	tests := []struct{ name, value, want string }{
		{"no such file", "no/such.json", `the file "no/such.json" can't be read: no such file or directory`},
		{"not JSON", `{"providers": [`, `it is not JSON such as {"providers": [{"name": "local", "preset": "ollama", "model": "qwen3:32b"}]}: unexpected end of JSON input (line 1, column 15)`},
		{"a list", `[]`, `providers is not a list of objects such as [{"name": "local", "preset": "ollama", "model": "qwen3:32b"}]`},
		{"not objects", `{"providers": [5]}`, `providers[0] is not an object such as {"name": "local", "preset": "ollama", "model": "qwen3:32b"}`},
		{"too many", `{"providers": [` + thirteen + `]}`, `there are 13 providers: at most 12 are allowed beside the built-in ones`},
		{"a venue's variables", `{"providers": [{"name": "okx", "preset": "ollama", "model": "m"}]}`, `providers[0].name is okx, but variables that begin with OKX_ exist already: choose another one`},
		{"our word", `{"providers": [{"name": "consensus", "preset": "ollama", "model": "m"}]}`, `providers[0].name is consensus, which is taken: choose another one`},
		{"link-local", `{"providers": [` + one + `, "base_url": "http://169.254.169.254/v1"}]}`, `providers[0].base_url leads to 169.254.169.254 over plain http`},
		{"twice", `{"providers": [` + one + `, "model": "n"}]}`, `providers[0].model is there twice: give each field once`},
		{"the key's header", `{"providers": [` + one + `, "headers": {"authorization": "planted"}}]}`, `providers[0].headers.authorization can't be set here: the program sets it`},
		{"a key in the place of a header's name", `{"providers": [` + one + `, "headers": {"sk-planted 1234567890": "x"}}]}`, `providers[0].headers[0] is not the name of a header`},
		{"a field of ours", `{"providers": [` + one + `, "extra_body": {"max_tokens": 1}}]}`, `providers[0].extra_body.max_tokens can't be set here`},
		{"a number for a text", `{"providers": [{"name": "local", "preset": "ollama", "model": 5}]}`, `providers[0].model is not a text`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := config.Load([]string{"PROVIDERS_FILE=" + test.value}, known)
			if want := "configuration: PROVIDERS_FILE: " + test.want; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	_, err := config.Load([]string{`PROVIDERS_FILE={"providers": [` + one + `}]}`, "LOCAL_WEIGHT=3", "SETTINGS=LOCAL_TEMPERATURE=7 PROVIDERS_FILE=x"}, known)
	want := "configuration: 3 mistakes:\n  SETTINGS: PROVIDERS_FILE can't be set here: the stack sets it for each function\n  LOCAL_WEIGHT is \"3\": allowed is a number from 0 to 1\n  SETTINGS: LOCAL_TEMPERATURE is \"7\": allowed is a number from 0 to 2"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
