package functions

// How large the functions are, built as they are deployed.

import (
	"archive/zip"
	"compress/flate"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// largestZip is what a function may be, zipped, in bytes: a larger one starts later.
const largestZip = 7_000_000

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
	for _, function := range []string{"ConsensusFunction", "HealthFunction"} {
		folder := t.TempDir()
		command := exec.CommandContext(t.Context(), "make", "-C", "..", "build-"+function, "GOARCH=arm64", "ARTIFACTS_DIR="+folder, "VERSION=test")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("make build-%s: %v\n%s", function, err, output)
		}
		file := filepath.Join(folder, "bootstrap")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size := zipped(t, file)
		t.Logf("%s for arm64: %.1f MB, zipped %.1f MB", function, float64(info.Size())/1e6, float64(size)/1e6)
		if size > largestZip {
			t.Errorf("%s: zipped it has %d bytes, more than %d", function, size, largestZip)
		}
	}
}
