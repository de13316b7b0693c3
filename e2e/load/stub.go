package main

// The stub of the four providers. Each answers a fixed vote, at once or after a constant
// time.

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

//go:embed testdata/*.json
var votes embed.FS

// providerNames are also the first segments of the stub's paths.
var providerNames = []string{"anthropic", "openai", "gemini", "grok"}

func newStub(delay time.Duration) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, name := range providerNames {
		text, err := votes.ReadFile("testdata/" + name + ".json")
		if err != nil {
			return nil, err
		}
		var body bytes.Buffer
		if err := json.Compact(&body, text); err != nil {
			return nil, fmt.Errorf("testdata/%s.json: %w", name, err)
		}
		mux.HandleFunc("POST /"+name+"/", func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return // the caller has gone
			}
			time.Sleep(delay)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Request-Id", "req_load")
			w.Header().Set("X-Request-Id", "req_load")
			_, _ = w.Write(body.Bytes())
		})
	}
	return mux, nil
}
