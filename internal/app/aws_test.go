package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/smithy-go/logging"
)

func TestTheSDKWritesIntoOurLog(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	var log bytes.Buffer
	c, err := (&App{Log: slog.New(slog.NewJSONHandler(&log, nil))}).awsConfig()
	if err != nil {
		t.Fatal(err)
	}
	c.Logger.Logf(logging.Debug, "planted detail")
	c.Logger.Logf(logging.Warn, "planted %d", 7)
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"level":"WARN","msg":"AWS SDK:","message":"planted 7"`) {
		t.Errorf("the log has %s", got)
	}
}
