package api

// The pages for people: one to try the API, and one that explains each problem.

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"net/http"
	"strconv"
	"strings"
)

//go:embed docs.html
var docsHTML []byte

// docsPolicy allows the page only its own inline script and style, by their hashes, and
// requests to this server.
var docsPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data:; " +
	"script-src '" + hashOf(docsHTML, "script") + "'; style-src '" + hashOf(docsHTML, "style") + "'"

// hashOf gives the hash of the only element of that name, in the form of a policy.
func hashOf(page []byte, element string) string {
	_, rest, _ := bytes.Cut(page, []byte("<"+element+">"))
	text, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	hash := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(hash[:])
}

const (
	simulatedPlace  = "<!-- simulated -->"
	simulatedBanner = `<p role="alert"><strong>SIMULATED: no language model is asked here. Every vote comes from the built-in simulator.</strong></p>`
)

// docsPage is the page to try the API. It says if the votes are simulated.
func (s *server) docsPage(w http.ResponseWriter, _ *http.Request) {
	banner := ""
	if s.service.Simulated {
		banner = simulatedBanner
	}
	writePage(w, docsPolicy, bytes.Replace(docsHTML, []byte(simulatedPlace), []byte(banner), 1))
}

func writePage(w http.ResponseWriter, policy string, page []byte) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	writeStatic(w, "text/html; charset=utf-8", page)
}

// problemPage explains one kind of problem.
func (s *server) problemPage(w http.ResponseWriter, r *http.Request) {
	k := kindNamed(r.PathValue("name"))
	if k == nil {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.name
		}
		exchangeOf(r.Context()).write(unknownRoute.problem("There is no problem of that name: " + strings.Join(names, ", ") + "."))
		return
	}
	retry := "The same request fails again until something is changed."
	if k.retryable || k.retryAfter > 0 {
		retry = "The same request may succeed later: see retryable and Retry-After in the answer."
	}
	page := strings.NewReplacer("{name}", k.name, "{status}", strconv.Itoa(k.status), "{title}", html.EscapeString(k.title),
		"{meaning}", html.EscapeString(k.meaning), "{remedy}", html.EscapeString(k.remedy), "{retry}", retry).Replace(problemHTML)
	writePage(w, problemPolicy, []byte(page))
}

const problemHTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; }
</style></head><body>
<p><code>{status} {name}</code></p>
<h1>{title}</h1>
<p>{meaning}</p>
<p><strong>What to do:</strong> {remedy}</p>
<p>{retry}</p>
<p><a href="/docs">All operations</a></p>
</body></html>
`

var problemPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src '" + hashOf([]byte(problemHTML), "style") + "'"
