package emf

// The rules of the specification. CloudWatch ignores a line that breaks one, without an error:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// units has the units of CloudWatch that we use.
var units = []string{"Count", "Milliseconds", "None"}

// written is a line as CloudWatch reads it.
type written struct {
	dimension, value string
	metrics          map[string]float64
	members          map[string]any
}

// parse reads the lines, and fails if one breaks a rule.
func parse(t *testing.T, log string) []written {
	t.Helper()
	var lines []written
	for text := range strings.Lines(log) {
		line, err := takeApart(strings.TrimSuffix(text, "\n"))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

func takeApart(text string) (written, error) {
	var root map[string]any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return written{}, err
	}
	// These are for Lambda, which filters lines by their level.
	if at, err := time.Parse(time.RFC3339, fmt.Sprint(root["timestamp"])); err != nil || root["level"] != "INFO" {
		return written{}, fmt.Errorf("level %v, timestamp %v: %v", root["level"], at, err)
	}
	if len(text) >= 4096 {
		return written{}, fmt.Errorf("%d bytes are more than a pipe takes at once", len(text))
	}
	var meta struct {
		AWS struct {
			Timestamp         *int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&meta); err != nil {
		return written{}, err
	}
	known, _ := json.Marshal(meta.AWS)
	if raw, _ := json.Marshal(root["_aws"]); !sameMembers(raw, known) {
		return written{}, fmt.Errorf("members that the specification does not know, or lacks: %s", raw)
	}
	if now := time.Now().UnixMilli(); meta.AWS.Timestamp == nil || now-*meta.AWS.Timestamp > time.Hour.Milliseconds() || *meta.AWS.Timestamp > now {
		return written{}, fmt.Errorf("the timestamp is not now in milliseconds")
	}
	if len(meta.AWS.CloudWatchMetrics) != 1 {
		return written{}, fmt.Errorf("%d directives", len(meta.AWS.CloudWatchMetrics))
	}
	d := meta.AWS.CloudWatchMetrics[0]
	switch {
	case len(d.Namespace) < 1 || len(d.Namespace) > 255:
		return written{}, fmt.Errorf("namespace %q", d.Namespace)
	case len(d.Metrics) < 1 || len(d.Metrics) > 100:
		return written{}, fmt.Errorf("%d metrics", len(d.Metrics))
	case len(d.Dimensions) != 1 || len(d.Dimensions[0]) != 1: // CloudWatch accepts up to 30; we have one
		return written{}, fmt.Errorf("dimensions %v", d.Dimensions)
	}
	line := written{dimension: d.Dimensions[0][0], metrics: map[string]float64{}, members: root}
	value, is := root[line.dimension].(string)
	if !is || value == "" || len(value) > 1024 {
		return written{}, fmt.Errorf("the value of dimension %s is %v", line.dimension, root[line.dimension])
	}
	line.value = value
	for _, m := range d.Metrics {
		number, is := root[m.Name].(float64)
		if _, twice := line.metrics[m.Name]; !is || twice || !slices.Contains(units, m.Unit) {
			return written{}, fmt.Errorf("metric %s: value %v, unit %q", m.Name, root[m.Name], m.Unit)
		}
		line.metrics[m.Name] = number
	}
	return line, nil
}

// sameMembers compares two JSON texts without the order of their members.
func sameMembers(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	a, _ = json.Marshal(x)
	b, _ = json.Marshal(y)
	return bytes.Equal(a, b)
}
