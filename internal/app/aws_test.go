package app

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/logging"

	"thalas/internal/store"
)

// tables stands in for DynamoDB: it keeps what is sent to it, and answers that there is nothing.
func tables(t *testing.T) *bytes.Buffer {
	var written bytes.Buffer // the requests come one after the other
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&written, r.Body)
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": server.URL,
	} {
		t.Setenv(name, value)
	}
	return &written
}

// The function that reads is told which series the schedule asks about, and lists them
// before they have a result.
func TestReadFunctionKnowsTheWatchList(t *testing.T) {
	tables(t)
	environ := func(list string) []string {
		return []string{"AWS_LAMBDA_FUNCTION_NAME=read", "FUNCTION_ROLE=http", "METRICS_NAMESPACE=test", "RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c", "WATCHLIST=" + list}
	}
	keep := Gateway{Handler: func(h http.Handler) any { return h }}
	for list, want := range map[string]string{
		"": `[]`,
		`{"pairs":["BTC/USDT"],"timeframes":["15m"]}`: `[{"pair":"BTC/USDT","timeframe":"15m","simulated":false,"candle_time":null,"id":null,"watched":true,"last_error":null}]`,
	} {
		function, err := Function(environ(list), "test", slog.New(slog.DiscardHandler), keep)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		function.(http.Handler).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/series", nil))
		if got := strings.TrimSpace(answer.Body.String()); got != want {
			t.Errorf("WATCHLIST=%s: got %s, want %s", list, got, want)
		}
	}
	if _, err := Function(environ(`{"pairs":["BTC"]}`), "test", slog.New(slog.DiscardHandler), keep); err == nil || !strings.Contains(err.Error(), "WATCHLIST: pairs[0]") {
		t.Errorf("a wrong list: %v, want the place of the mistake", err)
	}
}

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

// With 64 items a writer chooses the first one 20 times in a row once in 10³⁶ times.
func TestMetricsShardsReachTheStore(t *testing.T) {
	for items, spread := range map[string]bool{"1": false, "64": true} {
		written := tables(t)
		a, err := New(load(t, "RESULTS_TABLE=r", "METRICS_TABLE=m", "COORDINATION_TABLE=c", "METRICS_SHARDS="+items), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		tables, err := a.OpenTables()
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := tables.Record(t.Context(), nil, store.Count{At: time.Unix(0, 0), Add: map[string]int64{"requests": 1}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Contains(written.String(), `"00#`); got != spread {
			t.Errorf("METRICS_SHARDS=%s: several items are written: %v, want %v", items, got, spread)
		}
	}
}
