package api_test

// The examples in docs/api.md run without changes.

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"thalas/internal/api"
)

var runnable = regexp.MustCompile("(?s)<!-- run -->\n```(\\w+)\n(.*?)\n```")

// interpreters run the examples of a language, from a file of the given name.
var interpreters = map[string]struct{ program, file string }{
	"sh": {"sh", "example.sh"}, "python": {"python3", "example.py"}, "typescript": {"node", "example.mjs"}, // its types are all inferred
}

func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("%d examples, want at least 6", len(blocks))
	}
	wants := []string{`"decision":"BUY"`, "anthropic SELL", "until 20", "id,timestamp,candle_time", `"prompt_version":`, `"changed":`, `"consensus_metadata"`}
	f := newServer(t, setup{api: api.Options{APIKeys: []string{sha("secret")}}})
	f.post(t, "/v1/consensus", goodBody, "x-api-key", "secret").want(t, 200)
	for i, block := range blocks {
		with := interpreters[block[1]]
		t.Run(block[1], func(t *testing.T) {
			program, err := exec.LookPath(with.program)
			if err != nil {
				t.Skipf("not checked: there is no %s here", with.program)
			}
			if with.program == "sh" {
				if _, err := exec.LookPath("curl"); err != nil {
					t.Skip("not checked: there is no curl here")
				}
			}
			file := filepath.Join(t.TempDir(), with.file)
			if err := os.WriteFile(file, []byte(block[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, file)
			cmd.Env = append(os.Environ(), "THALAS_URL="+f.URL, "THALAS_API_KEY=secret")
			output, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(output), wants[min(i, len(wants)-1)]) {
				t.Errorf("%v, want %s in the output:\n%s", err, wants[min(i, len(wants)-1)], output)
			}
		})
	}
}
