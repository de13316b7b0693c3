package browsertest

// Numbers and CSV as the page writes and reads them: its own modules, called in
// the browser.

import "testing"

func TestModules(t *testing.T) {
	t.Parallel()
	b := open(t, newServer(t, state{}), desk, "#/ask", ".ask")
	const format, csv = "import('./ui/format.js').then((m) => ", "import('./ui/csv.js').then((m) => "
	tests := []struct{ name, call, want string }{
		{"a small price keeps its digits", format + "m.price(0.00001234))", "0.00001234"},
		{"a price has no exponent", format + "m.price(1.5e-9))", "0.0000000015"},
		{"a large price is grouped", format + "m.price(1234567.5))", "1,234,567.5"},
		{"a missing price is not 0", format + "m.price(null))", "–"},
		{"just below a gate shows it", format + "m.share(0.49996, 0.5))", "0.49996"},
		{"at a gate", format + "m.share(0.5, 0.5))", "0.50"},
		{"just above a gate shows it", format + "m.share(0.501, 0.5))", "0.501"},
		{"far from a gate", format + "m.share(0.743684, 0.5))", "0.74"},
		{"a loss", format + "m.gain(-0.0117))", "−1.17\u00a0%"},
		{"a gain", format + "m.gain(0.0117))", "+1.17\u00a0%"},
		{"nothing", format + "m.gain(-0.000001))", "0.00\u00a0%"},
		{"cents", format + "m.usd(0.0041))", "$0.0041"},
		{"thousands", format + "m.usd(1234.5))", "$1,234.50"},
		{"an unknown cost is not $0", format + "m.usd(null))", "unknown"},
		{"a formula is no formula", csv + "m.toCSV([{pair: '=1+1', current_price: -1}]).split('\\r\\n')[1])", ",,,,'=1+1,,-1,,,,,,,,,,,,,,,,"},
		{"quotes and commas", csv + `m.toCSV([{pair: 'a,"b"'}]).split('\r\n')[1])`, `,,,,"a,""b""",,,,,,,,,,,,,,,,,,`},
		{"what was settled", csv + "m.toCSV([{id: 'x', outcome: {status: 'settled', right: true, move: 0.01, net_return: 0.007}}]).split('\\r\\n')[1])", "x,,,,,,,,,,,,,,,,,,settled,,true,0.01,0.007"},
		{"candles", csv + `JSON.stringify(m.readCandles('Date;Open;High;Low;Close\n2026-11-23;1;2;0.5;1.5\n')))`, `[{"time":"2026-11-23T00:00:00.000Z","open":1,"high":2,"low":0.5,"close":1.5}]`},
		{"candles by epoch, without a volume", csv + `JSON.stringify(m.readCandles('time,open,high,low,close,volume\n1795000000,1,2,1,2,\n')))`, `[{"time":1795000000,"open":1,"high":2,"low":1,"close":2,"volume":null}]`},
		{"candles as JSON", csv + `JSON.stringify(m.readCandles('{"recent_candles": [{"open": 1}]}')))`, `[{"open":1}]`},
		{"no number", csv + `m.readCandles('open,high,low,close\n1,2,NaN,1')).catch((e) => e.message)`, "Line 2: “NaN” is no number for low."},
		{"no column", csv + `m.readCandles('open,high,low\n1,2,1')).catch((e) => e.message)`, "The heading line has no column “close”: it needs open, high, low and close, and may have time and volume."},
		{"no time", csv + `m.readCandles('time,open,high,low,close\nyesterday,1,2,1,1')).catch((e) => e.message)`, "Line 2: “yesterday” is no time."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := eval[string](b, tt.call); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHistoryFilters(t *testing.T) {
	t.Parallel()
	b := open(t, newServer(t, state{}), desk, "#/history?pair=BTC%2FUSDT&timeframe=1h", ".history tbody tr:nth-child(50)")
	b.click("main > p:last-of-type button")
	b.wait(".history tbody tr:nth-child(100)")
	b.set("#h-outcome", "wrong")
	b.until("[...document.querySelectorAll('.history tbody tr')].every((r) => r.innerText.includes('✗ wrong'))")
	if got := eval[string](b, "location.hash"); got != "#/history?pair=BTC%2FUSDT&timeframe=1h&outcome=wrong" {
		t.Errorf("the address is %s, which can't be sent to a colleague", got)
	}
	b.set("#h-outcome", "")
	b.set("#h-from", usual(t).now.Format("2006-01-02"))
	b.until("document.querySelector('.bar-line')?.innerText.includes('that is all')")
	b.checkQuiet(0)
}
