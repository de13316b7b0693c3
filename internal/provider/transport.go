package provider

// The one HTTP client that all providers share.

import (
	"net"
	"net/http"
	"time"
)

// writeBuffer holds a usual question, which goes out by one write. Every open connection
// has one, and the collector allows several times what is held.
const writeBuffer = 8 << 10

// NewClient makes the client that every provider is asked with: one for the
// process, so that connections are shared. It has no timeout of its own, since
// every call comes with a context that has one, and it follows no redirect: the
// key would go along to wherever the redirect points.
func NewClient() *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		// As many connections stay open as there may be runs at once, so that a
		// burst doesn't pay for its handshakes again.
		MaxIdleConnsPerHost: 256,
		MaxIdleConns:        4 * 256,
		IdleConnTimeout:     30 * time.Second,
		// A transport with a dialer of its own would not speak HTTP/2 by itself.
		ForceAttemptHTTP2: true,
		// A connection that died while the process was frozen or the network was
		// away is found by a ping, not by the end of the run.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 3 * time.Second},
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        writeBuffer,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
