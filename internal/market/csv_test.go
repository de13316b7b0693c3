package market_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// asJSON shows candles as they are sent on, digits included.
func asJSON(t *testing.T, candles []signal.Candle) []string {
	t.Helper()
	lines := make([]string, len(candles))
	for i, c := range candles {
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = string(data)
	}
	return lines
}

func TestReadCSV(t *testing.T) {
	timed := func(at string) string {
		return `{"time":"` + at + `","open":1,"high":3,"low":1,"close":2,"volume":5}`
	}
	tests := []struct {
		name, csv string
		want      []string
	}{
		{
			"digits are kept, other columns ignored",
			"date,open,high,low,close,adjclose,volume\n2000-01-03,1469.250000,1478.000000,1438.359985,1455.219971,1455.2,931800000\n",
			[]string{`{"time":"2000-01-03T00:00:00Z","open":1469.250000,"high":1478.000000,"low":1438.359985,"close":1455.219971,"volume":931800000}`},
		},
		{
			"tiny prices with exponents",
			"open,high,low,close\n1.20e-05,1.3E-5,0.00001100,1.25e-05",
			[]string{`{"open":1.20e-05,"high":1.3E-5,"low":0.00001100,"close":1.25e-05,"volume":null}`},
		},
		{
			"columns in any order and case, spaces, BOM, CRLF, quotes, blank lines",
			"\ufeff\"Volume\", Close ,LOW,High,Open,TIME\r\n5, 2 ,1,3,\"1\",2026-11-23T05:00:00+01:00\r\n\r\n",
			[]string{timed("2026-11-23T04:00:00Z")},
		},
		{
			"newest first is reversed",
			"time,open,high,low,close,volume\n2026-11-25,1,3,1,2,5\n2026-11-24,1,3,1,2,5\n2026-11-23,1,3,1,2,5\n",
			[]string{timed("2026-11-23T00:00:00Z"), timed("2026-11-24T00:00:00Z"), timed("2026-11-25T00:00:00Z")},
		},
		{
			"without times the order of the file is kept",
			"open,high,low,close\n1,1,1,1\n2,2,2,2\n",
			[]string{`{"open":1,"high":1,"low":1,"close":1,"volume":null}`, `{"open":2,"high":2,"low":2,"close":2,"volume":null}`},
		},
		{
			"unknown volumes",
			"open,high,low,close,volume\n1,1,1,1,\n1,1,1,1,null\n1,1,1,1,NaN\n1,1,1,1,0\n",
			[]string{
				`{"open":1,"high":1,"low":1,"close":1,"volume":null}`, `{"open":1,"high":1,"low":1,"close":1,"volume":null}`,
				`{"open":1,"high":1,"low":1,"close":1,"volume":null}`, `{"open":1,"high":1,"low":1,"close":1,"volume":0}`,
			},
		},
		{
			"timestamp goes before date",
			"date,timestamp,open,high,low,close,volume\nMonday,1795410000,1,3,1,2,5\n",
			[]string{timed("2026-11-23T05:00:00Z")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := market.ReadCSV(strings.NewReader(test.csv))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, asJSON(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadCSVTimes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2026-11-23T04:55:00Z", "2026-11-23T04:55:00Z"},
		{"2026-11-23T04:55:00.250-05:00", "2026-11-23T09:55:00.25Z"},
		{"2026-11-23", "2026-11-23T00:00:00Z"},
		{"20261123", "2026-11-23T00:00:00Z"},
		{"2026-11-23 04:55:00", "2026-11-23T04:55:00Z"},
		{"2026-11-23 04:55", "2026-11-23T04:55:00Z"},
		{"2026-11-23T04:55:00", "2026-11-23T04:55:00Z"},
		{"2026-11-23 04:55:00+00:00", "2026-11-23T04:55:00Z"},
		{"1795410000", "2026-11-23T05:00:00Z"},
		{"1795410000000", "2026-11-23T05:00:00Z"},
		{"0", "1970-01-01T00:00:00Z"},
		{"", ""},
		{"04:55:00", ""},
		{"23/11/2026", ""},
		{"1795410000000000", ""}, // microseconds
		{"-1", ""},
		{"NaN", ""},
		{"1969-12-31", ""},
		{"2200-01-01", ""},
		{"0001-01-01T00:00:00Z", ""},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			for _, column := range []string{"time", "date", "timestamp", "open_time"} {
				candles, err := market.ReadCSV(strings.NewReader(column + ",open,high,low,close\n" + test.text + ",1,1,1,1\n"))
				if test.want == "" {
					want := "line 2, column " + column + ": "
					if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "is not a time") {
						t.Errorf("got %v, want an error that begins with %s", err, want)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := candles[0].Time.Format(time.RFC3339Nano); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			}
		})
	}
}

func TestReadCSVRefuses(t *testing.T) {
	const header = "time,open,high,low,close,volume\n"
	const row = "2026-11-23,1,3,1,2,5\n"
	tests := []struct{ name, csv, want string }{
		{"empty", "", "the CSV is empty: the first line names the columns: time or date, open, high, low, close, volume"},
		{"header only", header, "the CSV has no rows below its header: add at least one candle"},
		{
			"columns missing", "date;open,High,price\n1,2,3\n",
			`the CSV has no column open, low, close, it has "date;open", "high", "price": the first line names the columns: time or date, open, high, low, close, volume`,
		},
		{
			"no header", strings.Repeat("1,", 20) + "1\n",
			`the CSV has no column open, high, low, close, it has "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "1", …: the first line names the columns: time or date, open, high, low, close, volume`,
		},
		{"a column twice", "open,high,low,close,Close\n1,1,1,1,2\n", "the CSV has the column close twice: keep one of them"},
		{"price missing", header + row + "2026-11-24,1,3,,2,5\n", `line 3, column low: "" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"price null", header + "2026-11-24,null,3,1,2,5\n", `line 2, column open: "null" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"price zero", header + "2026-11-24,1,3,1,0,5\n", `line 2, column close: "0" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"price below zero", header + "2026-11-24,1,-3,1,2,5\n", `line 2, column high: "-3" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"price NaN", header + "2026-11-24,NaN,3,1,2,5\n", `line 2, column open: "NaN" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"price too large", header + "2026-11-24,1e400,3,1,2,5\n", `line 2, column open: "1e400" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"thousands separator", header + "2026-11-24,\"1,469.25\",3,1,2,5\n", `line 2, column open: "1,469.25" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"hostile cell", header + "2026-11-24,\"" + strings.Repeat("x", 50) + "\x1b[2J\",3,1,2,5\n", `line 2, column open: "` + strings.Repeat("x", 40) + `…" is not a price: write a number above 0 such as 50000.5, or drop the row`},
		{"volume below zero", header + "2026-11-24,1,3,1,2,-5\n", `line 2, column volume: "-5" is not a volume: write a number of 0 or more, or leave it empty`},
		{"volume text", header + "2026-11-24,1,3,1,2,1.2M\n", `line 2, column volume: "1.2M" is not a volume: write a number of 0 or more, or leave it empty`},
		{"cells missing", header + row + "2026-11-24,1,3\n", "line 3 has 3 cells but the header 6: give every row the header's columns"},
		{"cells over", header + "2026-11-24,1,3,1,2,5,7\n", "line 2 has 7 cells but the header 6: give every row the header's columns"},
		{"duplicate times", header + row + row, "the CSV is not in order: two candles have the time 2026-11-23T00:00:00Z: send each candle once"},
		{
			"no order", header + "2026-11-20,1,3,1,2,5\n2026-11-22,1,3,1,2,5\n2026-11-21,1,3,1,2,5\n2026-11-24,1,3,1,2,5\n",
			"the CSV is not in order: candles are in no order at 2026-11-21T00:00:00Z: send them oldest first",
		},
		{"open quote", header + "2026-11-24,\"1,3,1,2,5\n", `line 2 is not CSV (extraneous or missing " in quoted-field): check its quotes`},
		{"endless line", header + strings.Repeat("1", 1<<20), "cannot read the CSV: a row is longer than 64 KiB: is this a CSV file of candles?"},
		{"endless quoted cell", header + "\"" + strings.Repeat("1\n", 1<<20), "cannot read the CSV: a row is longer than 64 KiB: is this a CSV file of candles?"},
		{"too many rows", "open,high,low,close\n" + strings.Repeat("1,1,1,1\n", 100_001), "the CSV has more than 100000 rows: keep the newest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := market.ReadCSV(strings.NewReader(test.csv))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if got != nil {
				t.Errorf("%d candles came with the error", len(got))
			}
		})
	}
}

func TestReadCSVTakesTheMostRows(t *testing.T) {
	got, err := market.ReadCSV(strings.NewReader("open,high,low,close\n" + strings.Repeat("1,1,1,1\n", 100_000)))
	if err != nil || len(got) != 100_000 {
		t.Errorf("got %d candles, %v", len(got), err)
	}
}

func TestReadCSVKeepsTheReadersError(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := market.ReadCSV(io.MultiReader(strings.NewReader("open,high,low,close\n1,1,1,1\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want one that wraps %v", err, broken)
	}
}

// Whatever is accepted keeps the promises of a candle and reads back the same.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"time,open,high,low,close,volume\n2026-11-23,1,3,1,2,5\n2026-11-24,1.50,3e-5,1,2,\n",
		"\ufeffDate,Open,High,Low,Close\r\n1795410000,1,1,1,1\r\n1795410000000,1,1,1,1\r\n",
		"open,high,low,close\n\"1\",1,1,1\n",
		"timestamp,open,high,low,close,volume\n20261124,1,1,1,1,nan\n20261123,1,1,1,1,null\n",
		"a;b\n\"", "open,open", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		candles, err := market.ReadCSV(strings.NewReader(text))
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		var again strings.Builder
		timed := !candles[0].Time.IsZero()
		again.WriteString("open,high,low,close,volume")
		if timed {
			again.WriteString(",time")
		}
		again.WriteString("\n")
		for i, c := range candles {
			for _, price := range []signal.Number{c.Open, c.High, c.Low, c.Close} {
				if !(price.Float64() > 0) {
					t.Fatalf("candle %d has the price %s", i, price)
				}
			}
			if c.Volume.IsKnown() && !(c.Volume.Float64() >= 0) {
				t.Fatalf("candle %d has the volume %s", i, c.Volume)
			}
			if timed && i > 0 && !c.Time.After(candles[i-1].Time) {
				t.Fatalf("candle %d is not after the one before", i)
			}
			volume := ""
			if c.Volume.IsKnown() {
				volume = c.Volume.String()
			}
			fmt.Fprintf(&again, "%s,%s,%s,%s,%s", c.Open, c.High, c.Low, c.Close, volume)
			if timed {
				again.WriteString("," + c.Time.Format(time.RFC3339Nano))
			}
			again.WriteString("\n")
		}
		back, err := market.ReadCSV(strings.NewReader(again.String()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asJSON(t, candles), asJSON(t, back)); diff != "" {
			t.Error(diff)
		}
	})
}
