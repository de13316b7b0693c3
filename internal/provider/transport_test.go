package provider

// Base URLs, and where a key may go over plain http.

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

func TestParseBaseURL(t *testing.T) {
	for _, tt := range []struct{ name, base, version, want, fails string }{
		{"bare", "https://api.x.ai", "/v1", "https://api.x.ai", ""},
		{"version", "https://api.x.ai/v1", "/v1", "https://api.x.ai", ""},
		{"version and slashes", " https://api.x.ai/v1// ", "/v1", "https://api.x.ai", ""},
		{"slash before the version", "https://api.x.ai//v1", "/v1", "https://api.x.ai", ""},
		{"another version is a path", "https://host/v1", "/v1beta", "https://host/v1", ""},
		{"end of a word", "https://host/av1", "/v1", "https://host/av1", ""},
		{"path", "http://host:80/grok/", "/v1", "http://host:80/grok", ""},
		{"scheme in upper case", "HTTPS://host", "/v1", "https://host", ""},
		{"IPv6", "http://[::1]:8080/v1", "/v1", "http://[::1]:8080", ""},
		{"http to this machine", "http://127.9.9.9:80", "/v1", "http://127.9.9.9:80", ""},
		{"http to its name", "http://localhost:80", "/v1", "http://localhost:80", ""},
		{"http to a private network", "http://10.1.2.3", "/v1", "http://10.1.2.3", ""},
		{"http to another", "http://172.31.255.255", "/v1", "http://172.31.255.255", ""},
		{"http to a third", "http://192.168.0.1", "/v1", "http://192.168.0.1", ""},
		{"http to a carrier's network", "http://100.64.0.1", "/v1", "http://100.64.0.1", ""},
		{"http to a unique local address", "http://[fd12::1]", "/v1", "http://[fd12::1]", ""},
		{"http to a mapped address", "http://[::ffff:10.0.0.1]", "/v1", "http://[::ffff:10.0.0.1]", ""},
		{"https to a far address", "https://203.0.113.7", "/v1", "https://203.0.113.7", ""},
		{"http to a far address", "http://203.0.113.7/v1", "/v1", "", "use https"},
		{"http to a far address beside a private one", "http://172.32.0.1", "/v1", "", "use https"},
		{"http to a far IPv6 address", "http://[2001:db8::1]:80", "/v1", "", "use https"},
		{"http to a mapped far address", "http://[::ffff:203.0.113.7]", "/v1", "", "use https"},
		{"http to a link-local address", "http://169.254.169.254", "/v1", "", "use https"},
		{"http to a link-local IPv6 address", "http://[fe80::1%25eth0]", "/v1", "", "use https"},
		{"http to no address", "http://0.0.0.0", "/v1", "", "use https"},
		{"empty", "", "/v1", "", "absolute"},
		{"no scheme", "api.x.ai", "/v1", "", "absolute"},
		{"host as a scheme", "localhost:80", "/v1", "", "absolute"},
		{"port only", "http://:80", "/v1", "", "absolute"},
		{"file", "file:///etc/passwd", "/v1", "", "absolute"},
		{"user", "https://u@host", "/v1", "", "user name"},
		{"query", "https://host?", "/v1", "", "query"},
		{"fragment", "https://host#x", "/v1", "", "fragment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseBaseURL(tt.base, tt.version)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error = %v, want one that says %q", err, tt.fails)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzBaseURL(f *testing.F) {
	f.Add("https://host/a/v1/")
	f.Add("http://u:p@host?q#f")
	f.Fuzz(func(t *testing.T, base string) {
		got, err := parseBaseURL(base, "/v1")
		if err != nil {
			return
		}
		u, err := url.Parse(got + "/v1/models")
		if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "http" && u.Scheme != "https") {
			t.Fatalf("%q became %q: %v", base, got, err)
		}
		again, err := parseBaseURL(got+"/v1", "/v1")
		if err != nil || again != got {
			t.Fatalf("%q and with its version: %q, %v", got, again, err)
		}
	})
}
