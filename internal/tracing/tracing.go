package tracing

// Whether there is tracing at all, and the configuration and the log of the SDK.

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"

	"thalas/internal/tracing/shield"
)

// The variables that Lambda sets, and two of the SDK's own.
const (
	functionName   = "AWS_LAMBDA_FUNCTION_NAME"
	daemonAddress  = "AWS_XRAY_DAEMON_ADDRESS"
	contextMissing = "AWS_XRAY_CONTEXT_MISSING"
)

func init() { shield.Lower() } // the SDK, which this package imports, is initialized by now

// Tracer sends subsegments to the X-Ray daemon. It is safe for concurrent use. A nil
// Tracer does nothing.
type Tracer struct{}

// sdk is the SDK's configuration, which the whole process shares.
var sdk struct {
	sync.Mutex
	configured bool
}

// New gives the Tracer of a Lambda function. It gives nil outside Lambda, without a
// daemon, and if AWS_XRAY_SDK_DISABLED is true. Warnings and errors of the SDK are logged
// to log at DEBUG.
//
// An error says that the daemon's address is malformed. The program can start without
// tracing: the Tracer is nil then.
//
// The first call that gives a Tracer configures the SDK for the whole process. Call New
// before anything is traced.
func New(log *slog.Logger) (*Tracer, error) {
	address := os.Getenv(daemonAddress)
	if os.Getenv(functionName) == "" || address == "" || xray.SdkDisabled() {
		return nil, nil
	}
	sdk.Lock()
	defer sdk.Unlock()
	if sdk.configured {
		return &Tracer{}, nil
	}
	if err := configure(address, log); err != nil {
		return nil, fmt.Errorf("%s: %w: nothing is traced; want an address like 169.254.100.1:2000", daemonAddress, err)
	}
	sdk.configured = true
	return &Tracer{}, nil
}

func configure(address string, log *slog.Logger) error {
	if err := numeric(address); err != nil {
		return err
	}
	xray.SetLogger(bridge{log})
	// The variable would override the strategy below. It could make the SDK panic when
	// something is traced outside an invocation.
	if err := os.Unsetenv(contextMissing); err != nil {
		return err
	}
	return xray.Configure(xray.Config{
		DaemonAddr:             address,
		ContextMissingStrategy: ctxmissing.NewDefaultIgnoreErrorStrategy(),
	})
}

// numeric refuses a daemon's address with a host name, because the SDK would look it up
// without a time limit. The forms are ip:port and "udp:ip:port tcp:ip:port".
func numeric(address string) error {
	for field := range strings.FieldsSeq(address) {
		ipPort := strings.TrimPrefix(strings.TrimPrefix(field, "udp:"), "tcp:")
		if _, err := netip.ParseAddrPort(ipPort); err != nil {
			return fmt.Errorf("%q is no IP address and port", ipPort)
		}
	}
	return nil
}

// bridge passes the SDK's warnings and errors to our log, instead of the standard output.
// Their level is DEBUG, since no request is affected if the daemon does not listen. Other
// messages, such as each document that is sent, are dropped.
type bridge struct{ log *slog.Logger }

// Log implements xraylog.Logger.
func (b bridge) Log(level xraylog.LogLevel, message fmt.Stringer) {
	if level >= xraylog.LogLevelWarn && b.log.Enabled(context.Background(), slog.LevelDebug) {
		b.log.Debug("X-Ray SDK:", "message", message.String())
	}
}
