package api

// Which type a caller prefers by its Accept header, and which cells a spreadsheet would run.

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWantsCSV(t *testing.T) {
	for _, tt := range []struct {
		accept string // lines of the header, with | between
		want   bool
	}{
		{"", false},
		{"text/csv", true},
		{"TEXT/CSV", true},
		{"Text/Csv; Charset=UTF-8; Header=present", true},
		{"text/csv;q=0", false},
		{"text/csv; Q=0.0", false},
		{"text/csv;q=0.001", true},
		{"text/csv ; q=0.5", true},
		{"text/csv;", true},
		{"text/csv;q=0, */*", false},
		{"*/*, text/csv;q=0", false},
		{"*/*", false},
		{"text/*", true},
		{"text/*, text/csv;q=0", false},
		{"application/json", false},
		{"application/json, text/csv", false},
		{"text/csv, application/json", false},
		{"text/csv, application/json;q=0.9", true},
		{"text/csv;q=0.5, application/json", false},
		{"application/*;q=0.5, text/csv;q=0.6", true},
		{"text/csv, */*", true},
		{"text/csv, */*;q=0.1", true},
		{"text/csv;q=0.5, */*", false},
		{"*/*;q=0.5, application/json;q=0", true},
		{"text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", false},
		{"application/json, text/plain, */*", false},
		{"text/plain|text/csv", true},
		{"text/csv|application/json;q=0.1", true},
		{"application/json;q=0.1|TEXT/CSV;q=0.2", true},
		{"text/csv;q=high", false},
		{"text/csv;q=2", false},
		{"text/csv;q=NaN", false},
		{"text/csvx", false},
		{"csv", false},
		{", ,;,text/csv", true},
	} {
		t.Run(tt.accept, func(t *testing.T) {
			if got := wantsCSV(strings.Split(tt.accept, "|")); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

func TestCells(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{`"BTC/USDT"`, "BTC/USDT"},
		{`"Will it rain? = + - @"`, "Will it rain? = + - @"},
		{`"日本"`, "日本"},
		{`"'=1"`, "'=1"},
		{`""`, ""},
		{`" "`, " "},
		{`null`, ""},
		{``, ""},
		{`-1.50`, "-1.50"}, // numbers stay numbers
		{`+1`, "+1"},
		{`true`, "true"},
		{`"=1+1"`, "'=1+1"},
		{`"+1"`, "'+1"},
		{`"-1"`, "'-1"},
		{`"@A1"`, "'@A1"},
		{`"\t1"`, "'1"},
		{`"\r1"`, "'1"},
		{`"\n1"`, "'1"},
		{`"BTC\u001b[2J\u009b\u007f\u202e/USDT"`, "BTC[2J/USDT"}, // what steers a terminal
		{`"＝1"`, "'＝1"}, // full width
		{`"＋1"`, "'＋1"},
		{`"－1"`, "'－1"},
		{`"＠A1"`, "'＠A1"},
		{`"﹦1"`, "'﹦1"}, // small
		{`"−1"`, "'−1"}, // a minus that is no hyphen
		{`" =1"`, "' =1"},
		{`"\u00a0=1"`, "'\u00a0=1"}, // a space that does not break
		{`"\u200b=1"`, "'\u200b=1"}, // no width
		{`"\u200b\u200d ＝1"`, "'\u200b\u200d ＝1"},
		{`"\ufeff=1"`, "'\ufeff=1"},   // byte order mark
		{`"\u2060@A1"`, "'\u2060@A1"}, // word joiner
		{`"\u00ad-1"`, "'\u00ad-1"},   // hyphen that is not shown
		{`"\u0000=1"`, "'=1"},         // control character
		{`"\u3164=1"`, "'\u3164=1"},   // Hangul filler
		{`"\u2800=1"`, "'\u2800=1"},   // Braille blank
		{`"\ufe0f=1"`, "'\ufe0f=1"},   // variation selector
		{`"\u202e=1"`, "'=1"},         // turns the direction
		{`"\u200bBTC"`, "\u200bBTC"},
	} {
		t.Run(tt.value, func(t *testing.T) {
			got, err := cellOf(json.RawMessage(tt.value))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
