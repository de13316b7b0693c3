package api_test

// The cost of reading a result back: the store, the document and HTTP on loopback.

import (
	"encoding/binary"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"thalas/internal/signal"
	"thalas/internal/store"
)

func BenchmarkReadingBack(b *testing.B) {
	f := newServer(b, setup{})
	var c signal.Consensus
	f.post(b, "/v1/consensus", goodBody).want(b, 200).into(b, &c)
	pairs := url.Values{}
	for i := range 1000 {
		at := c.Timestamp.Add(time.Duration(i-1000) * 5 * time.Minute)
		c.ID, c.Timestamp, c.CandleTime = idAt(at, i), at, c.Timeframe.LastClosed(at)
		name := "BTC/USDT"
		if i >= 980 {
			name = string(rune('A'+i-980)) + "X/USDT"
			pairs.Add("pair", name)
		}
		body, err := json.Marshal(c)
		if err != nil {
			b.Fatal(err)
		}
		r := store.Result{ID: c.ID, Schema: 1, Body: body, Series: store.SeriesKey(name, "5m", true), Position: store.PositionKey(c.CandleTime, c.ID),
			Day: store.DayKey(at, true), Decision: string(c.Decision), Status: string(c.Status), CreatedAt: at}
		if err := f.store.Record(b.Context(), &r, store.Count{At: at}); err != nil {
			b.Fatal(err)
		}
	}
	for _, read := range []struct{ name, method, path, body, accept string }{
		{"latest", "GET", "/v1/consensus/latest?pair=BTC/USDT", "", ""},
		{"latest_of_20", "GET", "/v1/consensus/latest?" + pairs.Encode(), "", ""},
		{"50_as_JSON", "GET", "/v1/consensus?pair=BTC/USDT&limit=50", "", ""},
		{"500_as_JSON", "GET", "/v1/consensus?pair=BTC/USDT&limit=500", "", ""},
		{"500_as_CSV", "GET", "/v1/consensus?pair=BTC/USDT&limit=500", "", "text/csv"},
		{"replay_of_500", "POST", "/v1/replay", `{"pair":"BTC/USDT","min_confidence":0.7}`, ""},
	} {
		b.Run(read.name, func(b *testing.B) {
			for b.Loop() {
				b.SetBytes(int64(len(f.send(b, read.method, read.path, read.body, "Accept", read.accept).want(b, 200).body)))
			}
		})
	}
}

// idAt makes an id with that time.
func idAt(at time.Time, number int) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], 1<<63|uint64(number))
	return id.String()
}
