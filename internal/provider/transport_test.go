package provider

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A host name is checked by its address at every connection.
func TestControlDial(t *testing.T) {
	for _, tt := range []struct {
		name, base, address string
		far                 bool
	}{
		{"this machine", "http://name", "127.0.0.1:80", false},
		{"this machine by IPv6", "http://name", "[::1]:80", false},
		{"private", "http://name", "10.0.0.1:80", false},
		{"far", "http://name", "203.0.113.7:80", true},
		{"far by IPv6", "http://name", "[2001:db8::1]:80", true},
		{"link-local", "http://name", "[fe80::1%eth0]:80", true},
		{"metadata", "http://name", "169.254.169.254:80", true},
		{"far with https", "https://name", "203.0.113.7:443", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := controlDial(withPlainKey(t.Context(), tt.base), "tcp", tt.address, nil)
			var far *farError
			if errors.As(err, &far) != tt.far || (err != nil) != tt.far {
				t.Errorf("error = %v, want one: %t", err, tt.far)
			}
		})
	}
}

// The error of a refused connection names the variable to change, and is not retryable. The
// address is that of no machine.
func TestFarName(t *testing.T) {
	client := NewClient()
	defer client.CloseIdleConnections()
	dialer := net.Dialer{ControlContext: controlDial}
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, "203.0.113.7:80")
	}
	p, err := New("tiny-one", tinyWire{}, Settings{Key: NewKey(plantedKey), Model: "m", BaseURL: "http://gateway.example"}, DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Ask(t.Context(), Prompt{User: "?"})
	e := AsError(err)
	if e == nil || !errors.Is(e, ErrProvider) || e.Retryable || e.BillUnknown || !strings.Contains(e.Message, "TINY_ONE_BASE_URL leads to 203.0.113.7 over plain http") {
		t.Errorf("error = %+v, want a final one that names the variable", e)
	}
}

func TestNearName(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	client := NewClient()
	defer client.CloseIdleConnections()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New("tiny-one", tinyWire{}, Settings{Key: NewKey(plantedKey), Model: "m", BaseURL: "http://localhost:" + u.Port()}, DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A call with a key over plain http uses no proxy, which could read the key.
func TestNoProxyForPlainKey(t *testing.T) {
	for base, marked := range map[string]bool{"http://gateway.example": true, "https://gateway.example": false} {
		if hasPlainKey(withPlainKey(t.Context(), base)) != marked {
			t.Errorf("a call to %s is marked: %t", base, !marked)
		}
	}
	request := httptest.NewRequest(http.MethodPost, "http://gateway.example", nil)
	if proxy, err := proxyFor(request.WithContext(withPlainKey(t.Context(), "http://gateway.example"))); proxy != nil || err != nil {
		t.Errorf("proxy %v, %v", proxy, err)
	}
}
