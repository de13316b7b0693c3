package provider

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestWatchBody(t *testing.T) {
	read := func(t *testing.T, body io.Reader, n int64) {
		t.Helper()
		if _, err := io.CopyN(io.Discard, body, n); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1", strings.NewReader("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	sent := watchBody(request)
	if read(t, request.Body, 9); sent.Load() {
		t.Error("nine of ten bytes count as sent")
	}
	again, err := request.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if read(t, again, 9); sent.Load() {
		t.Error("nine bytes a second time count as sent")
	}
	if read(t, again, 1); !sent.Load() {
		t.Error("the whole body does not count as sent")
	}
	bare, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if watchBody(bare).Load() || bare.Body != nil {
		t.Error("a request without a body counts as sent")
	}
}
