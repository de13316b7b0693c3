package page

// How the files are served: policy, ETag, compression.

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Policy is the Content-Security-Policy of every answer.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// file is one embedded file.
type file struct {
	contentType string
	etag        string // weak, since it is of both encodings
	body        []byte
	compressed  func() []byte // gzip, made at its first use
}

// files holds the embedded files by name.
var files = sync.OnceValue(func() map[string]*file {
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // unreachable: the folder is embedded
	}
	all := make(map[string]*file, len(entries))
	for _, entry := range entries {
		body, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			panic(err) // unreachable: ReadDir has listed it
		}
		hash := sha256.Sum256(body)
		all[entry.Name()] = &file{
			contentType: contentType(entry.Name()),
			etag:        `W/"` + hex.EncodeToString(hash[:12]) + `"`,
			body:        body,
			compressed:  sync.OnceValue(func() []byte { return compress(body) }),
		}
	}
	return all
})

// contentType is fixed for what the page has: the machine's own table may say
// something else.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // unreachable: the level is a constant
	}
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// Handler serves the page at / and its files at /ui/{file}, for GET and HEAD.
// Everything else is a 404 or a 405. Who may ask, and under which name of this
// host, is for the caller to check, as for the API.
//
// Browsers ask each time whether a file has changed (no-cache, ETag): after an
// update no old module meets a new one.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, "index.html") })
	mux.HandleFunc("GET /ui/{file}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, r.PathValue("file")) })
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, name string) {
	header := w.Header()
	header.Set("Content-Security-Policy", Policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	f := files()[name]
	if f == nil {
		http.Error(w, "The page has no file of that name: it begins at / of this server.", http.StatusNotFound)
		return
	}
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f.etag)
	header.Set("Vary", "Accept-Encoding")
	if holds(r.Header.Values("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		body = f.compressed()
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a browser that has gone away needs nothing
	}
}

// holds reports whether an If-None-Match names the tag, weak or strong.
func holds(lines []string, tag string) bool {
	strong := strings.TrimPrefix(tag, "W/")
	for candidate := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == strong || candidate == "*" {
			return true
		}
	}
	return false
}

// takesGzip reports whether an Accept-Encoding names gzip and does not refuse it
// with q=0.
func takesGzip(lines []string) bool {
	for candidate := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		coding, parameters, err := mime.ParseMediaType(strings.TrimSpace(candidate))
		if err != nil || coding != "gzip" {
			continue
		}
		q, err := strconv.ParseFloat(parameters["q"], 64)
		return err != nil || q > 0
	}
	return false
}
