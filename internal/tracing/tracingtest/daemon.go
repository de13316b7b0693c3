// Package tracingtest has an X-Ray daemon for tests: a UDP socket, and the documents that
// arrive there.
package tracingtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// Daemon keeps the documents by trace, so that each test sees only its own.
type Daemon struct {
	conn      *net.UDPConn
	documents map[string][]Document
}

// Document is a subsegment as the SDK sends it.
type Document struct {
	TraceID     string  `json:"trace_id"`
	ID          string  `json:"id"`
	ParentID    string  `json:"parent_id"`
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Namespace   string  `json:"namespace"`
	StartTime   float64 `json:"start_time"`
	EndTime     float64 `json:"end_time"`
	InProgress  bool    `json:"in_progress"`
	Fault       bool    `json:"fault"`
	Error       bool    `json:"error"`
	Throttle    bool    `json:"throttle"`
	Annotations map[string]any
	AWS         map[string]any
	HTTP        struct {
		Response struct{ Status int }
	}
	Raw string `json:"-"` // as it arrived
}

// Listen starts a daemon on a free port.
func Listen() (*Daemon, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return &Daemon{conn: conn, documents: map[string][]Document{}}, err
}

// Address is the value for AWS_XRAY_DAEMON_ADDRESS.
func (d *Daemon) Address() string { return d.conn.LocalAddr().String() }

// Close stops listening.
func (d *Daemon) Close() error { return d.conn.Close() }

// Of gives the documents of a trace. What was sent before the call is in the socket already,
// so Of sends a mark and reads until the mark arrives.
func (d *Daemon) Of(t testing.TB, trace string) []Document {
	t.Helper()
	mark := "mark " + rand.Text()
	if _, err := d.conn.WriteToUDP([]byte(mark), d.conn.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	if err := d.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for packet := make([]byte, 64<<10); ; {
		n, err := d.conn.Read(packet)
		if err != nil {
			t.Fatal(err)
		}
		text := string(packet[:n])
		if text == mark {
			return d.documents[trace]
		}
		if strings.HasPrefix(text, "mark ") {
			continue
		}
		head, body, _ := strings.Cut(text, "\n")
		if head != `{"format": "json", "version": 1}` {
			t.Fatalf("a packet with the header line %q", head)
		}
		doc := Document{Raw: body}
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatalf("not a document: %v\n%s", err, body)
		}
		d.documents[doc.TraceID] = append(d.documents[doc.TraceID], doc)
	}
}

// String gives the annotations and flags of a document for a table.
func (d Document) String() string {
	text := d.Name
	for _, key := range []string{"attempt", "outcome", "decision"} {
		if value, ok := d.Annotations[key]; ok {
			text += fmt.Sprint(" ", value)
		}
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"fault", d.Fault}, {"error", d.Error}, {"throttle", d.Throttle}} {
		if flag.set {
			text += " +" + flag.name
		}
	}
	return text
}

// Told gives the texts of documents, sorted.
func Told(documents []Document) []string {
	lines := make([]string, len(documents))
	for i, d := range documents {
		lines[i] = d.String()
	}
	slices.Sort(lines)
	return lines
}
