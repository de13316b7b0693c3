package functions

// How large the functions are, built as they are deployed.

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// largestZip is what a function may be, zipped, in bytes: a larger one starts later.
// arm64 is what is deployed unless the stack says otherwise. The same program for
// amd64 is a ninth larger.
var largestZip = map[string]int{"arm64": 7_000_000, "amd64": 7_750_000}

// headers are what a zip with one file has beside the packed bytes, and more.
const headers = 1_000

// architecture is the processor to build for: this machine's, since the tests of
// the functions have compiled everything for it, or the one in the environment.
func architecture() string {
	if named := os.Getenv("THALAS_SIZE_GOARCH"); named != "" {
		return named
	}
	return runtime.GOARCH
}

// zipped gives a file's size as sam packs it. gzip packs as zip does, and takes
// a second; our own code takes forty under the race detector.
func zipped(t *testing.T, file string) int {
	t.Helper()
	packed, err := exec.CommandContext(t.Context(), "gzip", "-c", file).Output()
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	return len(packed) + headers
}

// The other two functions are built of the same folder as ConsensusFunction.
func TestFunctionsAreSmall(t *testing.T) {
	for _, tool := range []string{"make", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s", tool)
		}
	}
	limit, known := largestZip[architecture()]
	if !known {
		t.Skipf("no function runs on %s", architecture())
	}
	for _, function := range []string{"ConsensusFunction", "HealthFunction"} {
		folder := t.TempDir()
		command := exec.CommandContext(t.Context(), "make", "-C", "..", "build-"+function, "GOARCH="+architecture(), "ARTIFACTS_DIR="+folder, "VERSION=test")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("make build-%s: %v\n%s", function, err, output)
		}
		file := filepath.Join(folder, "bootstrap")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size := zipped(t, file)
		t.Logf("%s for %s: %.1f MB, zipped %.1f MB", function, architecture(), float64(info.Size())/1e6, float64(size)/1e6)
		if size > limit {
			t.Errorf("%s: zipped it has %d bytes, more than %d", function, size, limit)
		}
	}
}
