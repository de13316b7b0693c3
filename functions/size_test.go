package functions

// How large the functions are, built as they are deployed.

import (
	"archive/zip"
	"compress/flate"
	"io"
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

// architecture is the processor to build for: this machine's, since the tests of
// the functions have compiled everything for it, or the one in the environment.
func architecture() string {
	if named := os.Getenv("THALAS_SIZE_GOARCH"); named != "" {
		return named
	}
	return runtime.GOARCH
}

// counter counts what is written.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func zipped(t *testing.T, file string) int {
	t.Helper()
	source, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression) // some 2 % larger than by sam's zlib
	})
	entry, err := archive.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(entry, source); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return int(size)
}

// The other two functions are built of the same folder as ConsensusFunction.
func TestFunctionsAreSmall(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make, which sam build needs too")
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
