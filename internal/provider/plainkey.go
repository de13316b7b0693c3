package provider

// The address of a provider. Over plain http a key goes only to this machine and to
// private networks.

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"thalas/internal/endpoint"
)

// nearby are the networks in which a key may go over plain http. Link-local
// addresses, where clouds have their metadata, are none of them.
var nearby = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// farError is a plain http address to which no key is sent.
type farError struct{ address netip.Addr }

func (e *farError) Error() string {
	return fmt.Sprintf("leads to %s over plain http, and the key would be readable on its way: use https, or an address of this machine or of a private network (localhost, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7)", e.address)
}

func checkNear(address netip.Addr) error {
	address = address.Unmap()
	if slices.ContainsFunc(nearby, func(network netip.Prefix) bool { return network.Contains(address) }) {
		return nil
	}
	return &farError{address}
}

// checkPlain refuses an http URL whose host is the address of a far machine. A name
// is judged when it is dialled, each time, since it may lead elsewhere by then.
func checkPlain(u *url.URL) error {
	if u.Scheme != "http" {
		return nil
	}
	address, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return nil
	}
	return checkNear(address)
}

// parseBaseURL reads the address of a provider as [endpoint.ParseBase] does, and
// refuses one to which a key would go readable.
func parseBaseURL(base, version string) (string, error) {
	u, err := endpoint.ParseBase(base)
	if err == nil {
		err = checkPlain(u)
	}
	if err != nil {
		return "", err
	}
	return endpoint.Base(u, version), nil
}

// versionOf gives the first segment of a path, with its slash.
func versionOf(path string) string {
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[:i+1]
	}
	return path
}

type plainKey struct{}

// withPlainKey marks a call to base that sends its key over plain http.
func withPlainKey(ctx context.Context, base string) context.Context {
	if !strings.HasPrefix(base, "http:") {
		return ctx
	}
	return context.WithValue(ctx, plainKey{}, true)
}

func hasPlainKey(ctx context.Context) bool { return ctx.Value(plainKey{}) != nil }

// controlDial refuses the connection for a marked call where the address that the
// name led to is far. It is a net.Dialer's ControlContext.
func controlDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if !hasPlainKey(ctx) {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %q can't be judged: %w", address, err) // not reached
	}
	return checkNear(to.Addr())
}

// proxyFor gives the proxy of the environment, but none for a marked call: the
// proxy would read the key, and where it sends it nobody here can judge. With
// https it reads nothing.
func proxyFor(r *http.Request) (*url.URL, error) {
	if hasPlainKey(r.Context()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
