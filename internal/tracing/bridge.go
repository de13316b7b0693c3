package tracing

// The SDK's own log, which it would write to standard output.

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
)

// bridge passes the SDK's warnings and errors on at DEBUG: that a daemon does not
// listen is nothing that a request has to do with. The rest, every document that
// it sends among it, is dropped.
type bridge struct{ log *slog.Logger }

// Log implements xraylog.Logger.
func (b bridge) Log(level xraylog.LogLevel, message fmt.Stringer) {
	if level >= xraylog.LogLevelWarn && b.log.Enabled(context.Background(), slog.LevelDebug) {
		b.log.Debug("X-Ray SDK:", "message", message.String())
	}
}
