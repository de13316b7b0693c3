//go:build unix

package e2e

// The size of the program, built as it is deployed.

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// largestZip is the largest zipped size that passes, in bytes, by processor. A larger
// function starts later. The template deploys arm64 by default. The same program for
// amd64 is a ninth larger.
var largestZip = map[string]int{"arm64": 7_000_000, "amd64": 7_780_000}

// headers is more than a zip with one file adds to the compressed bytes.
const headers = 1_000

// architecture is the processor to build for: THALAS_SIZE_GOARCH, else this machine's,
// for which the other tests have compiled everything already.
func architecture() string {
	if named := os.Getenv("THALAS_SIZE_GOARCH"); named != "" {
		return named
	}
	return runtime.GOARCH
}

// zipped returns the size of a file in a zip. It runs gzip, which compresses as zip does.
// compress/gzip would take 40 s under the race detector.
func zipped(t *testing.T, file string) int {
	t.Helper()
	packed, err := exec.CommandContext(t.Context(), "gzip", "-c", file).Output()
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	return len(packed) + headers
}

func TestFunctionsAreSmall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gzip"); err != nil {
		t.Skip("there is no gzip")
	}
	limit, known := largestZip[architecture()]
	if !known {
		t.Skipf("no function runs on %s", architecture())
	}
	build := bootstrap
	if architecture() != runtime.GOARCH {
		build = func() (string, error) { return buildFunction(t.TempDir(), architecture()) }
	}
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	size := zipped(t, file)
	t.Logf("a function for %s: %.1f MB, zipped %.1f MB", architecture(), float64(info.Size())/1e6, float64(size)/1e6)
	if size > limit {
		t.Errorf("zipped, the program has %d bytes, want at most %d", size, limit)
	}
}
