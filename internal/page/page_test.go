package page

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// get asks the handler, with headers as pairs of name and value.
func get(t *testing.T, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

// library is a line of libraries.txt.
type library struct{ file, sum string }

func libraries(t *testing.T) (all []library) {
	t.Helper()
	text, err := os.ReadFile("libraries.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 7 && !strings.HasPrefix(line, "#") {
			all = append(all, library{fields[0], fields[6]})
		}
	}
	if len(all) != 4 {
		t.Fatalf("libraries.txt lists %d files, want 4", len(all))
	}
	return all
}

func isLibrary(t *testing.T, name string) bool {
	for _, l := range libraries(t) {
		if l.file == name {
			return true
		}
	}
	return false
}

func TestHeaders(t *testing.T) {
	tests := []struct {
		path, contentType string
	}{
		{"/", "text/html; charset=utf-8"},
		{"/ui/app.js", "text/javascript; charset=utf-8"},
		{"/ui/style.css", "text/css; charset=utf-8"},
		{"/ui/icon.svg", "image/svg+xml"},
		{"/ui/licences.txt", "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			response := get(t, tt.path)
			want := map[string]string{
				"Content-Type": tt.contentType, "Content-Security-Policy": Policy, "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-cache", "Vary": "Accept-Encoding",
			}
			for name, value := range want {
				if got := response.Header.Get(name); got != value {
					t.Errorf("%s: got %q, want %q", name, got, value)
				}
			}
			if response.StatusCode != http.StatusOK {
				t.Errorf("got status %d, want 200", response.StatusCode)
			}
		})
	}
}

func TestUnknownFiles(t *testing.T) {
	for _, path := range []string{"/ui/", "/ui/nothing.js", "/ui/..%2fpage.go", "/other"} {
		if got := get(t, path).StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: got status %d, want 404", path, got)
		}
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /: got status %d, want 405", w.Code)
	}
}

func TestCompression(t *testing.T) {
	plain, err := io.ReadAll(get(t, "/ui/app.js").Body)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		accept     string
		compressed bool
	}{
		{"gzip, deflate, br", true}, {"br;q=1, GZIP;q=0.5", true}, {"gzip;q=0", false}, {"br", false}, {"", false},
	}
	for _, tt := range tests {
		response := get(t, "/ui/app.js", "Accept-Encoding", tt.accept)
		body := io.Reader(response.Body)
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != tt.compressed {
			t.Errorf("%q: compressed is %v, want %v", tt.accept, got, tt.compressed)
			continue
		}
		if tt.compressed {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%q: another body (%v)", tt.accept, err)
		}
	}
}

func TestUnchanged(t *testing.T) {
	tag := get(t, "/").Header.Get("ETag")
	tests := []struct {
		name, held string
		status     int
	}{
		{"the same", tag, 304}, {"strong", strings.TrimPrefix(tag, "W/"), 304}, {"one of several", `"x", ` + tag, 304}, {"any", "*", 304}, {"another", `W/"x"`, 200},
	}
	for _, tt := range tests {
		response := get(t, "/", "If-None-Match", tt.held)
		if response.StatusCode != tt.status || response.Header.Get("ETag") != tag || response.Header.Get("Content-Security-Policy") != Policy {
			t.Errorf("%s: got status %d and headers %v, want %d with ETag and policy", tt.name, response.StatusCode, response.Header, tt.status)
		}
	}
}

// The licences are text that no view loads: they are left out of the sum.
func TestWeight(t *testing.T) {
	total := 0
	for name, f := range files() {
		if name != "licences.txt" {
			total += len(f.compressed())
		}
	}
	t.Logf("%d bytes compressed", total)
	if total > 120_000 {
		t.Errorf("the page weighs %d bytes compressed, want at most 120,000", total)
	}
}

func TestLibraries(t *testing.T) {
	for _, l := range libraries(t) {
		f := files()[l.file]
		if f == nil {
			t.Errorf("%s is missing: run make page-libraries", l.file)
			continue
		}
		if sum := sha256.Sum256(f.body); hex.EncodeToString(sum[:]) != l.sum {
			t.Errorf("%s is another file than libraries.txt says: run make page-libraries", l.file)
		}
	}
}

var (
	// The one link that leaves this host, a click of the reader: the attribution that the chart library's licence wants.
	attribution = `href="https://www.tradingview.com/" rel="noopener noreferrer"`
	// A namespace is a name, which nobody fetches.
	namespace = `xmlns="http://www.w3.org/2000/svg"`

	forbidden = []struct {
		what string
		form *regexp.Regexp
	}{
		{"an address of a host", regexp.MustCompile(`(?i)https?://|["'(]//\w`)},
		{"markup from text", regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc`)},
		{"code from text", regexp.MustCompile(`\beval\(|new Function|javascript:`)},
		{"an address from the root, which does not work under a path", regexp.MustCompile(`(?:href|src)="/|(?:get|fetch|useGet)\(['"` + "`" + `]/|url\(['"]?/`)},
	}
	inline = regexp.MustCompile(`(?i)<style|\sstyle="|\son\w+="|<script(?:[^>]*)>[^<]`)
)

func TestOwnFiles(t *testing.T) {
	for name, f := range files() {
		if isLibrary(t, name) || name == "licences.txt" {
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(f.body))
		for n := 1; lines.Scan(); n++ {
			line := strings.NewReplacer(attribution, "", namespace, "").Replace(lines.Text())
			for _, no := range forbidden {
				if no.form.MatchString(line) {
					t.Errorf("%s:%d: holds %s", name, n, no.what)
				}
			}
		}
	}
	if found := inline.Find(files()["index.html"].body); found != nil {
		t.Errorf("index.html has something inline, which the policy blocks: %s", found)
	}
}

// Every module that is imported is there, under a relative address.
func TestImports(t *testing.T) {
	imports := regexp.MustCompile(`(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([\w@./-]+)['"]`)
	for name, f := range files() {
		if !strings.HasSuffix(name, ".js") || name == "charts.js" {
			continue
		}
		for _, found := range imports.FindAllStringSubmatch(string(f.body), -1) {
			if file, relative := strings.CutPrefix(found[1], "./"); !relative || files()[file] == nil {
				t.Errorf("%s imports %q, which is no file of the page", name, found[1])
			}
		}
	}
}
