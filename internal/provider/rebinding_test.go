package provider

// A host name that leads elsewhere after the start, by a DNS server of the test.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// resolveTo answers every question for an address of version 4 with the one that is stored.
func resolveTo(t *testing.T, address *atomic.Pointer[netip.Addr]) {
	t.Helper()
	dns, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	done := make(chan struct{})
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = dns.Close()
		<-done
	})
	go func() {
		defer close(done)
		for buffer := make([]byte, 512); ; {
			n, from, err := dns.ReadFrom(buffer)
			if err != nil {
				return
			}
			end := 12 // the header
			for end < n && buffer[end] != 0 {
				end += int(buffer[end]) + 1 // a label
			}
			isA := buffer[end+2] == 1
			end += 5 // the end of the name, type and class
			reply := append([]byte{buffer[0], buffer[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, buffer[12:end]...)
			if isA {
				reply[7] = 1
				reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				reply = append(reply, address.Load().AsSlice()...)
			}
			_, _ = dns.WriteTo(reply, from)
		}
	}()
}

func TestNameThatChanges(t *testing.T) {
	var address atomic.Pointer[netip.Addr]
	resolveTo(t, &address)
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Connection", "close") // so that the next call asks for the address again
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient()
	defer client.CloseIdleConnections()
	p, err := New("tiny-one", tinyWire{}, Settings{Key: NewKey(plantedKey), Model: "m", BaseURL: "http://changing.example:" + u.Port()}, DefaultCatalog(), client)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		address string
		near    bool
	}{{"127.0.0.1", true}, {"203.0.113.7", false}, {"169.254.169.254", false}, {"127.0.0.1", true}} {
		at := netip.MustParseAddr(step.address)
		address.Store(&at)
		before := calls.Load()
		err := p.Check(t.Context())
		switch reached := calls.Load() > before; {
		case step.near && (err != nil || !reached):
			t.Errorf("%s: %v", step.address, err)
		case !step.near && (!errors.Is(err, ErrProvider) || reached || !strings.Contains(err.Error(), "TINY_ONE_BASE_URL leads to "+step.address+" over plain http")):
			t.Errorf("%s: %v, want one that names the variable", step.address, err)
		}
	}
}
