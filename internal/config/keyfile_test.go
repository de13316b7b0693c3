package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/config"
)

// writeKey writes a file, and gives its path.
func writeKey(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKeyFiles(t *testing.T) {
	const shared = "OPENAI_API_KEY_FILE names a file that other users may read: make it readable by the user of this program alone, mode 0400"
	tests := []struct {
		name, content string
		mode          os.FileMode
		want          string
		warnings      []string
	}{
		{"the key alone", "planted-test-key", 0o400, "planted-test-key", nil},
		{"white space around it", "\n planted-test-key\r\n\n", 0o600, "planted-test-key", nil},
		{"quotation marks", "\"planted-test-key\"\n", 0o600, "planted-test-key", nil},
		{"the group may read it", "planted-test-key", 0o640, "planted-test-key", []string{shared}},
		{"everybody may read it", "planted-test-key", 0o444, "planted-test-key", []string{shared}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.warnings != nil {
				t.Skip("Windows has no such rights")
			}
			c, err := config.Load([]string{"OPENAI_API_KEY_FILE=" + writeKey(t, test.content, test.mode)}, known)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Providers[1].Key.Reveal(); got != test.want {
				t.Errorf("got the key %q, want %q", got, test.want)
			}
			if diff := cmp.Diff(test.warnings, c.Warnings); diff != "" {
				t.Error(diff)
			}
			if !c.HasKey() {
				t.Error("a key in a file is not counted as one")
			}
		})
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	const secret = "sk-planted-7f3a9"
	good := writeKey(t, secret, 0o600)
	unreadable := func(cause error) string {
		return "OPENAI_API_KEY_FILE names a file that can't be read (" + cause.Error() + "): set it to the path of a file that holds the key alone"
	}
	tests := []struct {
		name    string
		environ []string
		want    string
	}{
		{"no such file", []string{"OPENAI_API_KEY_FILE=" + filepath.Join(t.TempDir(), secret)}, unreadable(syscall.ENOENT)},
		{"the key in the place of the path", []string{"OPENAI_API_KEY_FILE=" + secret}, unreadable(syscall.ENOENT)},
		{"a folder", []string{"OPENAI_API_KEY_FILE=" + t.TempDir()}, unreadable(syscall.EISDIR)},
		{"empty", []string{"OPENAI_API_KEY_FILE=" + writeKey(t, "", 0o600)}, "OPENAI_API_KEY_FILE names a file that is empty: write the key into it, or unset the variable"},
		{"white space only", []string{"OPENAI_API_KEY_FILE=" + writeKey(t, " \n", 0o600)}, "OPENAI_API_KEY_FILE names a file that is empty: write the key into it, or unset the variable"},
		{
			"more than the key",
			[]string{"OPENAI_API_KEY_FILE=" + writeKey(t, "OPENAI_API_KEY = "+secret, 0o600)},
			"OPENAI_API_KEY_FILE names a file whose content is not a key: it has a space, a line break, a quotation mark or another character that no key has: set it to the key alone",
		},
		{"the key too", []string{"OPENAI_API_KEY_FILE=" + good, "OPENAI_API_KEY=" + secret}, "OPENAI_API_KEY_FILE and OPENAI_API_KEY are both set: remove one of them"},
		{
			"pasted into another variable", []string{"OPENAI_API_KEY_FILE=" + good, "MODEL_PROFILE=" + secret},
			"MODEL_PROFILE is a value that is not shown: allowed is fast or flagship",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(test.want, syscall.EISDIR.Error()) {
				t.Skip("Windows says it in other words")
			}
			_, err := config.Load(test.environ, known)
			if err == nil || err.Error() != "configuration: "+test.want {
				t.Errorf("got  %v\nwant configuration: %s", err, test.want)
			}
			if mistakes, are := errors.AsType[config.Mistakes](err); !are || strings.Contains(mistakes.Error(), secret) {
				t.Errorf("the key shows, or it is no mistake: %v", err)
			}
		})
	}
}

func TestCredentialOfSystemd(t *testing.T) {
	path := writeKey(t, "planted-test-key", 0o440)
	c, err := config.Load([]string{"OPENAI_API_KEY_FILE=" + path, "CREDENTIALS_DIRECTORY=" + filepath.Dir(path)}, known)
	if err != nil || len(c.Warnings) > 0 {
		t.Errorf("got the warnings %q, %v", c.Warnings, err)
	}
}

// Programs around ours have such variables too. They are not ours to read.
func TestKeyFilesOfOthers(t *testing.T) {
	c, err := config.Load([]string{"MISTRAL_API_KEY_FILE=/no/such/file", "ANTROPIC_API_KEY_FILE=/no/such/file"}, known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ANTROPIC_API_KEY_FILE is not known: did you mean ANTHROPIC_API_KEY_FILE?"}, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestKeyFileOfAnyProvider(t *testing.T) {
	c, err := config.Load([]string{"MY_MODEL_API_KEY_FILE=" + writeKey(t, "k\n", 0o600), "MIN_PROVIDERS=1"}, []config.Known{{Name: "my-model"}})
	if err != nil || c.Providers[0].Key.Reveal() != "k" {
		t.Errorf("got %v, %v", c.Providers, err)
	}
}

func TestKeyFileOfFurtherProvider(t *testing.T) {
	tests := []struct{ name, entry, variable string }{
		{"its own", `{"name":"lab","base_url":"https://lab.example/v1","model":"m"}`, "LAB_API_KEY_FILE"},
		{"the one of api_key_env", `{"name":"lab","base_url":"https://lab.example/v1","model":"m","api_key_env":"TEAM_API_KEY"}`, "TEAM_API_KEY_FILE"},
		{"of a built-in provider", `{"name":"lab","preset":"openai","model":"m"}`, "OPENAI_API_KEY_FILE"},
		{"a local server behind a proxy", `{"name":"lab","preset":"ollama","model":"m"}`, "LAB_API_KEY_FILE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environ := []string{`PROVIDERS_FILE={"providers":[` + test.entry + `]}`, test.variable + "=" + writeKey(t, "planted-test-key\n", 0o400)}
			c, err := config.Load(environ, known)
			if err != nil || len(c.Warnings) > 0 {
				t.Fatalf("got the warnings %q, %v", c.Warnings, err)
			}
			if got := c.Providers[len(c.Providers)-1]; got.Name != "lab" || got.Key.Reveal() != "planted-test-key" {
				t.Errorf("%s has the key %q", got.Name, got.Key.Reveal())
			}
		})
	}
}

// Many keys are longer than the part of a name that a mistake shows.
func TestKeyInThePlaceOfAName(t *testing.T) {
	const short = "sk-planted-7f3a9-4c1d8"
	const long = short + "-which-is-longer-than-what-is-shown-of-a-name"
	tests := []struct{ variable, key, document string }{
		{"OPENAI_API_KEY_FILE", long, `{"` + long + `":1}`},
		{"LAB_API_KEY_FILE", long, `{"providers":[{"name":"lab","base_url":"https://lab.example/v1","model":"m ` + long + `","` + long + `":1}]}`},
		{"TEAM_API_KEY_FILE", short, `{"providers":[{"api_key_env":"TEAM_API_KEY","headers":{"` + short + `":5},"price":{"` + short + `":1}}]}`},
	}
	for _, test := range tests {
		t.Run(test.variable, func(t *testing.T) {
			_, err := config.Load([]string{test.variable + "=" + writeKey(t, test.key, 0o400), "PROVIDERS_FILE=" + test.document}, known)
			if err == nil || strings.Contains(err.Error(), "planted") {
				t.Errorf("got %v", err)
			}
		})
	}
}
