package provider

// The one HTTP client of all providers, and where a key may go: over plain http only to
// this machine and to private networks.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"thalas/internal/endpoint"
)

// writeBuffer is large enough for a usual question, which then is sent by one write. It
// is no larger because every open connection has one.
const writeBuffer = 8 << 10

// NewClient makes the client for all providers: one for the process, so that connections
// are shared. It has no timeout of its own, since every call has a context with a
// deadline. It follows no redirect, because the key would be sent to the new address.
func NewClient() *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second, ControlContext: controlDial}
	transport := &http.Transport{
		Proxy:               proxyFor,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		// As many connections stay open as there may be runs at once, so that a burst
		// needs no new handshakes.
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     30 * time.Second,
		// Without this a transport with its own dialer does not use HTTP/2.
		ForceAttemptHTTP2: true,
		// A ping finds a connection that died while the process was frozen or the
		// network was away, so that a run does not have to wait for its deadline.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 3 * time.Second},
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        writeBuffer,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// parseBaseURL reads the address of a provider as [endpoint.ParseBase] does. It refuses
// plain http to an IP address outside this machine and private networks. A host name is
// checked by [controlDial] at every connection, since its address may change.
func parseBaseURL(base, version string) (string, error) {
	u, err := endpoint.ParseBase(base)
	if err != nil {
		return "", err
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && u.Scheme == "http" {
		if err := requireNear(address); err != nil {
			return "", err
		}
	}
	return endpoint.Base(u, version), nil
}

// CheckBaseURL says why [New] refuses the address of a provider; nil: it does not. Whether
// a host name may be called is known only when it is.
func CheckBaseURL(base string) error {
	_, err := parseBaseURL(base, "")
	return err
}

// sharedNetwork is that of carriers and overlay networks (RFC 6598).
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// requireNear refuses an address to which no key may go over plain http. Link-local
// addresses are refused too, because clouds have their metadata services there.
func requireNear(address netip.Addr) error {
	address = address.Unmap()
	if address.IsLoopback() || address.IsPrivate() || sharedNetwork.Contains(address) {
		return nil
	}
	return &farError{address}
}

// farError is an address to which no key may go over plain http.
type farError struct{ address netip.Addr }

func (e *farError) Error() string {
	return fmt.Sprintf("leads to %s over plain http, and the key would be readable on its way: use https, or an address of this machine or of a private network (localhost, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7)", e.address)
}

type plainKey struct{}

// withPlainKey marks the context of a call that sends its key over plain http.
func withPlainKey(ctx context.Context, base string) context.Context {
	if !strings.HasPrefix(base, "http:") {
		return ctx
	}
	return context.WithValue(ctx, plainKey{}, true)
}

func hasPlainKey(ctx context.Context) bool { return ctx.Value(plainKey{}) != nil }

// controlDial refuses the connection of a marked call to a far address. It is the
// ControlContext of a [net.Dialer].
func controlDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if !hasPlainKey(ctx) {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %q can't be checked: %w", address, err) // unreachable: net dials IP addresses only
	}
	return requireNear(to.Addr())
}

// proxyFor gives the proxy that the environment names, but none for a marked call, whose
// key the proxy could read. With https it can't.
func proxyFor(r *http.Request) (*url.URL, error) {
	if hasPlainKey(r.Context()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
