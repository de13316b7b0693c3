package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func TestResponses(t *testing.T) {
	tests := []struct {
		name   string
		method string // empty: GET
		write  http.HandlerFunc
		want   events.APIGatewayProxyResponse
	}{
		{"nothing written", "", func(http.ResponseWriter, *http.Request) {}, events.APIGatewayProxyResponse{StatusCode: 200}},
		{"text", "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("content-type", "application/json")
			_, _ = io.WriteString(w, `{"a":`)
			w.Header().Set("X-Late", "not sent")
			_, _ = io.WriteString(w, `"€"}`)
		}, events.APIGatewayProxyResponse{StatusCode: 200, Body: `{"a":"€"}`, MultiValueHeaders: map[string][]string{"Content-Type": {"application/json"}}}},
		{"binary", "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte{0x1f, 0x8b, 0x08, 0xff})
		}, events.APIGatewayProxyResponse{StatusCode: 200, Body: "H4sI/w==", IsBase64Encoded: true, MultiValueHeaders: map[string][]string{"Content-Type": {"application/x-gzip"}}}},
		{"type is guessed as net/http does", "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, events.APIGatewayProxyResponse{StatusCode: 200, Body: "<html>", MultiValueHeaders: map[string][]string{"Content-Type": {"text/html; charset=utf-8"}}}},
		{"type is not guessed where the handler wants none", "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		}, events.APIGatewayProxyResponse{StatusCode: 200, Body: "<html>"}},
		{"headers of one name", "", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.WriteHeader(http.StatusUnauthorized)
		}, events.APIGatewayProxyResponse{StatusCode: 401, MultiValueHeaders: map[string][]string{"Set-Cookie": {"a=1", "b=2"}}}},
		{"headers of the connection, and none at all", "", func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range []string{"Connection", "Transfer-Encoding", "Content-Length", "Trailer", "Trailer:X", "X Space", "X-Twice\r\nX-Split"} {
				w.Header()[name] = []string{"1"}
			}
			w.Header().Set("X-Lines", " a\r\nb\n")
			w.WriteHeader(http.StatusAccepted)
		}, events.APIGatewayProxyResponse{StatusCode: 202, MultiValueHeaders: map[string][]string{"X-Lines": {"a  b"}}}},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `"a"`)
			_, _ = io.WriteString(w, "{}")
		}, events.APIGatewayProxyResponse{StatusCode: 200, MultiValueHeaders: map[string][]string{"Etag": {`"a"`}, "Content-Type": {"text/plain; charset=utf-8"}}}},
		{"no body allowed", "", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
			if _, err := io.WriteString(w, "{}"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("error %v", err)
			}
		}, events.APIGatewayProxyResponse{StatusCode: 304}},
		{"first status counts, 1xx does not", "", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK)
		}, events.APIGatewayProxyResponse{StatusCode: 418}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			event := readEvent(t, "custom_domain")
			if tt.method != "" {
				event.HTTPMethod = tt.method
			}
			got, _ := invoke(t, tt.write, nil, event)
			if tt.want.MultiValueHeaders == nil {
				tt.want.MultiValueHeaders = map[string][]string{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvalidStatusIsAPanic(t *testing.T) {
	response, _ := invoke(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(42) }, nil, readEvent(t, "ask"))
	if problemOf(t, response); response.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestAnswersThatAreTooLarge(t *testing.T) {
	const limit = 6 << 20
	tests := []struct {
		name  string
		text  string // repeated
		bytes int
		fits  bool
	}{
		{"just fits", "a", limit - 1000, true},
		{"too long", "a", limit + 1, false},
		{"too long with its escapes", `"`, limit/2 + 1, false},
		{"fits with its escapes", `"`, limit/2 - 1000, true},
		{"fits where nothing needs HTML's escapes", "<", limit - 1000, true},
		{"too long in base64", "\xff", limit/4*3 + 1, false},
		{"fits in base64", "\xff", limit/4*3 - 1000, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			chunk := strings.Repeat(tt.text, 1000)
			h := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				for rest := tt.bytes; rest > 0; rest -= len(chunk) {
					if _, err := io.WriteString(w, chunk[:min(rest, len(chunk))]); err != nil {
						return
					}
				}
			}
			response, body := invoke(t, h, slog.New(slog.NewTextHandler(&log, nil)), readEvent(t, "latest_of_several"))
			var sent bytes.Buffer
			encoder := json.NewEncoder(&sent) // as Lambda's runtime does it
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(response); err != nil || sent.Len() > limit {
				t.Errorf("%d bytes would be sent, error %v", sent.Len(), err)
			}
			if tt.fits {
				if response.StatusCode != http.StatusOK || body != strings.Repeat(tt.text, tt.bytes) {
					t.Errorf("status %d, %d bytes", response.StatusCode, len(body))
				}
				return
			}
			if p := problemOf(t, response); response.StatusCode != http.StatusInternalServerError || p["type"] != "/problems/answer-too-large" || !strings.Contains(log.String(), "Answer too large:") {
				t.Errorf("answer %v, log %s", p, log.String())
			}
		})
	}
}
