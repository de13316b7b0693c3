package signal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/signal"
)

var compareNumbers = cmp.Comparer(func(a, b signal.Number) bool { return a == b })

func number(t *testing.T, text string) signal.Number {
	t.Helper()
	n, err := signal.ParseNumber(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// object writes n keys k0… with the value.
func object(n int, value string) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":%s`, i, value)
	}
	return "{" + strings.Join(keys, ",") + "}"
}

// candles writes market data with these candles, which are given without braces.
func candles(bars ...string) string {
	return `{"recent_candles":[{` + strings.Join(bars, "},{") + `}]}`
}

const ohlc = `"open":1,"high":3,"low":1,"close":2`

func TestMarketData(t *testing.T) {
	var got signal.MarketData
	input := `{"volume":1000000,"rsi":65.50,"macd":null,"trend":"up <&>","above_ema":true,"ema":[1.0,null,3e-5],
		"recent_candles":[{"close":50000.0,"open":49900,"high":50100,"low":49800,"time":"2026-11-23T05:55:00+01:00","volume":12.50},
		{"time":1795410000,"open":1,"high":1,"low":1,"close":1,"volume":null}]}`
	if err := json.Unmarshal([]byte(input), &got); err != nil {
		t.Fatal(err)
	}
	one := number(t, "1")
	want := signal.MarketData{
		Indicators: []signal.Indicator{
			{Name: "above_ema", Value: true},
			{Name: "ema", Value: []signal.Number{number(t, "1.0"), {}, number(t, "3e-5")}},
			{Name: "macd", Value: signal.Number{}},
			{Name: "rsi", Value: number(t, "65.50")},
			{Name: "trend", Value: "up <&>"},
			{Name: "volume", Value: number(t, "1000000")},
		},
		Candles: []signal.Candle{
			{
				Time: time.Date(2026, 11, 23, 4, 55, 0, 0, time.UTC),
				Open: number(t, "49900"), High: number(t, "50100"), Low: number(t, "49800"), Close: number(t, "50000.0"), Volume: number(t, "12.50"),
			},
			{Time: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), Open: one, High: one, Low: one, Close: one},
		},
	}
	if diff := cmp.Diff(want, got, compareNumbers); diff != "" {
		t.Error(diff)
	}
	checkRoundTrip(t, got)
}

// checkRoundTrip checks that market data is the same after it was written and read.
func checkRoundTrip(t *testing.T, m signal.MarketData) {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := signal.ParseMarketData(data, signal.MaxCompatText)
	if err != nil {
		t.Fatalf("%s is refused: %v", data, err)
	}
	if diff := cmp.Diff(m, again, compareNumbers, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestMarketDataAccepts(t *testing.T) {
	bars := func(n int) string { return candles(strings.Split(strings.Repeat(ohlc+";", n-1)+ohlc, ";")...) }
	tests := []struct{ name, input string }{
		{"null alone", `{"rsi":null}`},
		{"64 keys", object(64, "1")},
		{"200 characters", `{"note":"` + strings.Repeat("é", 200) + `"}`},
		{"500 numbers", `{"ema":[` + strings.Repeat("1,", 499) + `null]}`},
		{"500 candles", bars(500)},
		{"candles alone", bars(1)},
		{"no candles beside an indicator", `{"rsi":1,"recent_candles":[]}`},
		{"null candles beside an indicator", `{"rsi":1,"recent_candles":null}`},
		{"empty list", `{"ema":[]}`},
		{"a name of 100 characters", `{"` + strings.Repeat("é", 100) + `":1}`},
		{"zero volume", candles(ohlc + `,"volume":0`)},
		{"zeros with huge exponents", `{"a":0e9223372036854775807,"b":-0.00e4000000000,"c":0e99999999999999999999}`},
		{"spaces around", " \n" + `{"rsi" : 1 }` + "\t\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := signal.ParseMarketData([]byte(test.input), signal.MaxText)
			if err != nil {
				t.Fatal(err)
			}
			checkRoundTrip(t, m)
		})
	}
}

func TestMarketDataRefuses(t *testing.T) {
	const badPrice = "is not a number: send a price above 0"
	const notTime = "is not a time from 1970 to 2199: send RFC 3339 such as 2026-11-23T04:55:00Z, or seconds or milliseconds since 1970"
	wrong := func(field, message, value string) []signal.FieldError {
		return []signal.FieldError{{field, message, value}}
	}
	tests := []struct {
		name, input string
		want        []signal.FieldError
	}{
		{"no object", `[1]`, wrong("", `market data is not a JSON object: send one such as {"rsi": 65.5}`, "")},
		{"null", `null`, wrong("", `market data is not a JSON object: send one such as {"rsi": 65.5}`, "")},
		{"empty", `{}`, wrong("", "market data is empty: send at least one indicator or candle", "")},
		{"empty list of candles alone", `{"recent_candles":[]}`, wrong("", "market data is empty: send at least one indicator or candle", "")},
		{"null candles alone", `{"recent_candles":null}`, wrong("", "market data is empty: send at least one indicator or candle", "")},
		{"65 keys", object(65, "1"), wrong("", "market data has 65 keys: send at most 64", "")},
		{"64 keys and candles", strings.TrimSuffix(object(64, "1"), "}") + `,"recent_candles":[]}`, wrong("", "market data has 65 keys: send at most 64", "")},
		{"empty name", `{"":1}`, wrong("", "a name has 1 to 100 characters", "")},
		{"long name", `{"` + strings.Repeat("é", 101) + `":1}`, wrong(strings.Repeat("é", 100)+"…", "a name has 1 to 100 characters", "")},
		{"the same name twice", `{"rsi":1,"rsi":1}`, wrong("rsi", "is there twice: send each name once", "")},
		{"candles twice", `{"recent_candles":[],"recent_candles":[{` + ohlc + `}]}`, wrong("recent_candles", "is there twice: send each name once", "")},
		{"object", `{"macd":{"line":{"x":[1]}}}`, wrong("macd", "is an object: send a number, true, false, null, a text or a list of numbers", "")},
		{"201 characters", `{"note":"` + strings.Repeat("é", 201) + `"}`, wrong("note", "text has 201 characters: send at most 200", `"`+strings.Repeat("é", 90)+`…"`)},
		{"too large", `{"rsi":1e400}`, wrong("rsi", "is out of range: send a number that a float64 holds, or null", "1e400")},
		{"too small", `{"rsi":1e-400}`, wrong("rsi", "is out of range: send a number that a float64 holds, or null", "1e-400")},
		{"501 numbers", `{"ema":[` + strings.Repeat("1,", 500) + `1]}`, wrong("ema", "list has 501 numbers: send at most 500", "")},
		{
			"lists of other things", `{"ema":[1,"2",true,{"a":[1]},[2],1e999]}`, []signal.FieldError{
				{"ema[1]", "is not a number: a list holds numbers and nulls", `"2"`},
				{"ema[2]", "is not a number: a list holds numbers and nulls", "true"},
				{"ema[3]", "is not a number: a list holds numbers and nulls", ""},
				{"ema[4]", "is not a number: a list holds numbers and nulls", ""},
				{"ema[5]", "is out of range: send a number that a float64 holds, or null", "1e999"},
			},
		},
		{
			"numbers that are long when written out", strings.Replace(object(2, "["+strings.Repeat("1e308,", 499)+"1]"), "1]", "1e308]", 1),
			wrong("", "the numbers are over 256 KiB when written without exponents: send fewer", ""),
		},
		{"candles that are no list", `{"recent_candles":{"a":[]}}`, wrong("recent_candles", "is not a list: send a list of objects with open, high, low, close, volume and time", "")},
		{"candles that are text", `{"recent_candles":"none"}`, wrong("recent_candles", "is not a list: send a list of objects with open, high, low, close, volume and time", `"none"`)},
		{"501 candles", candles(strings.Split(strings.Repeat(ohlc+";", 500)+ohlc, ";")...), wrong("recent_candles", "has 501 candles: send at most 500, the newest", "")},
		{
			"candles that are no objects", `{"recent_candles":[[1,2],5]}`, []signal.FieldError{
				{"recent_candles[0]", `is not an object: a candle is {"time", "open", "high", "low", "close", "volume"}`, ""},
				{"recent_candles[1]", `is not an object: a candle is {"time", "open", "high", "low", "close", "volume"}`, "5"},
			},
		},
		{"a price missing", candles(ohlc, `"open":1,"high":1,"low":1`), wrong("recent_candles[1].close", "is missing", "")},
		{"a price null", candles(`"open":null,"high":1,"low":1,"close":1`), wrong("recent_candles[0].open", badPrice, "null")},
		{"a price in quotes", candles(`"open":"1","high":1,"low":1,"close":1`), wrong("recent_candles[0].open", badPrice, `"1"`)},
		{"a price of 0", candles(`"open":1,"high":1,"low":0.0,"close":1`), wrong("recent_candles[0].low", "is not above 0: send a price above 0", "0.0")},
		{"a price below 0", candles(`"open":1,"high":-1,"low":1,"close":1`), wrong("recent_candles[0].high", "is not above 0: send a price above 0", "-1")},
		{"a price out of range", candles(`"open":1,"high":1e400,"low":1,"close":1`), wrong("recent_candles[0].high", "is out of range: send a number that a float64 holds, or null", "1e400")},
		{"a price that is an object", candles(`"open":{"usd":[1]},"high":1,"low":1,"close":1`), wrong("recent_candles[0].open", "is not a number or a time", "")},
		{"a volume below 0", candles(ohlc + `,"volume":-0.1`), wrong("recent_candles[0].volume", "is below 0: send a volume of 0 or more, or null", "-0.1")},
		{"a volume in quotes", candles(ohlc + `,"volume":"1"`), wrong("recent_candles[0].volume", "is not a number: send a volume of 0 or more, or null", `"1"`)},
		{"an unknown key", candles(ohlc + `,"vol":1`), wrong("recent_candles[0].vol", "is not a key of a candle: known are time, open, high, low, close, volume", "1")},
		{"a key twice", candles(ohlc + `,"open":1`), wrong("recent_candles[0].open", "is there twice: send each key once", "")},
		{"a time without its zone", candles(ohlc + `,"time":"2026-11-23T04:55:00"`), wrong("recent_candles[0].time", notTime, `"2026-11-23T04:55:00"`)},
		{"a time that is null", candles(ohlc + `,"time":null`), wrong("recent_candles[0].time", notTime, "null")},
		{"a time that is a boolean", candles(ohlc + `,"time":true`), wrong("recent_candles[0].time", notTime, "true")},
		{"a time before 1970", candles(ohlc + `,"time":"1969-12-31T23:59:59Z"`), wrong("recent_candles[0].time", notTime, `"1969-12-31T23:59:59Z"`)},
		{"a time after 2199", candles(ohlc + `,"time":"2200-01-01T00:00:00Z"`), wrong("recent_candles[0].time", notTime, `"2200-01-01T00:00:00Z"`)},
		{"a negative time", candles(ohlc + `,"time":-1`), wrong("recent_candles[0].time", notTime, "-1")},
		{"microseconds", candles(ohlc + `,"time":1795410000000000`), wrong("recent_candles[0].time", notTime, "1795410000000000")},
		{"times on some", candles(ohlc+`,"time":1`, ohlc), wrong("recent_candles[1].time", "times are on some candles only: send a time with all or with none", "")},
		{"times on some, the first without", candles(ohlc, ohlc, ohlc+`,"time":1`), wrong("recent_candles[2].time", "times are on some candles only: send a time with all or with none", "")},
		{
			"duplicate times", candles(ohlc+`,"time":1795410000`, ohlc+`,"time":"2026-11-23T06:00:00+01:00"`),
			wrong("recent_candles", "two candles have the time 2026-11-23T05:00:00Z: send each candle once", ""),
		},
		{
			"no order", candles(ohlc+`,"time":100`, ohlc+`,"time":300`, ohlc+`,"time":200`, ohlc+`,"time":400`),
			wrong("recent_candles", "candles are in no order at 1970-01-01T00:03:20Z: send them oldest first", ""),
		},
		{
			"several at once, in their order", `{"rsi":1e999,"recent_candles":[{"open":0,"high":1,"low":1,"x":2}],"note":{"a":1},"rsi":2}`, []signal.FieldError{
				{"rsi", "is out of range: send a number that a float64 holds, or null", "1e999"},
				{"recent_candles[0].open", "is not above 0: send a price above 0", "0"},
				{"recent_candles[0].x", "is not a key of a candle: known are time, open, high, low, close, volume", "2"},
				{"recent_candles[0].close", "is missing", ""},
				{"note", "is an object: send a number, true, false, null, a text or a list of numbers", ""},
				{"rsi", "is there twice: send each name once", ""},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := signal.ParseMarketData([]byte(test.input), signal.MaxText)
			var mistakes signal.FieldErrors
			if !errors.As(err, &mistakes) {
				t.Fatalf("got %v, want field errors", err)
			}
			got := make([]signal.FieldError, len(mistakes))
			for i, mistake := range mistakes {
				got[i] = *mistake
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if !reflect.DeepEqual(m, signal.MarketData{}) {
				t.Errorf("the error came with %+v", m)
			}
		})
	}
}

func TestMarketDataThatIsNoJSON(t *testing.T) {
	for _, input := range []string{
		"", " ", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":[1`, `{"a":[1}`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":NaN}`, `{"a":+1}`, `{"a":01}`, `{"a":[1,]}`,
		`{"a":{"b":`, `{"recent_candles":`, `{"recent_candles":[`, `{"recent_candles":[{`, `{"recent_candles":[{"open"`, `{"recent_candles":[{"open":`, `{"recent_candles":[[`,
		`{"recent_candles":[{"open":1`, `{"recent_candles":[{"open":[`, `{"recent_candles":{`, `{"a":1} {"b":2}`, `{"a":1}]`, `{"a":[[`,
	} {
		t.Run(input, func(t *testing.T) {
			m, err := signal.ParseMarketData([]byte(input), signal.MaxText)
			var mistakes signal.FieldErrors
			if err == nil || errors.As(err, &mistakes) {
				t.Errorf("got %v, want an error that names no field", err)
			}
			if !reflect.DeepEqual(m, signal.MarketData{}) {
				t.Errorf("the error came with %+v", m)
			}
		})
	}
	m := signal.MarketData{Indicators: []signal.Indicator{{Name: "rsi", Value: true}}}
	if err := json.Unmarshal([]byte(`{"rsi":{}}`), &m); err == nil || m.Indicators[0].Value != true {
		t.Errorf("a refused value replaced the old one: %+v, %v", m, err)
	}
}

// Deep nesting is skipped, without recursion.
func TestNestingBombs(t *testing.T) {
	const depth = 9_000
	lists := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	objects := strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
	for name, test := range map[string]struct{ input, field string }{
		"a list":     {`{"x":` + lists + `}`, "x[0]"},
		"an object":  {`{"x":` + objects + `}`, "x"},
		"candles":    {`{"recent_candles":` + lists + `}`, "recent_candles[0]"},
		"candles {}": {`{"recent_candles":` + objects + `}`, "recent_candles"},
		"a candle":   {candles(ohlc + `,"volume":` + lists), "recent_candles[0].volume"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := signal.ParseMarketData([]byte(test.input), signal.MaxText)
			var mistakes signal.FieldErrors
			if !errors.As(err, &mistakes) || len(mistakes) != 1 || mistakes[0].Field != test.field {
				t.Errorf("got %v, want a mistake at %s", err, test.field)
			}
			if _, err := signal.ParseMarketData([]byte(test.input[:len(test.input)/2]), signal.MaxText); err == nil {
				t.Error("half of it is accepted")
			}
		})
	}
}

func TestManyMistakesAreCut(t *testing.T) {
	_, err := signal.ParseMarketData([]byte(`{"x":[`+strings.Repeat(`"a",`, 5000)+`1]}`), signal.MaxText)
	var mistakes signal.FieldErrors
	if !errors.As(err, &mistakes) || len(mistakes) != 100 {
		t.Errorf("got %d mistakes, want 100", len(mistakes))
	}
}

func TestCandleOrderAndTimes(t *testing.T) {
	tests := []struct {
		name, input string
		want        []string
	}{
		{"newest first is reversed", candles(ohlc+`,"time":300`, ohlc+`,"time":200`, ohlc+`,"time":100`), []string{"1970-01-01T00:01:40Z", "1970-01-01T00:03:20Z", "1970-01-01T00:05:00Z"}},
		{"seconds", candles(ohlc + `,"time":1795410000`), []string{"2026-11-23T05:00:00Z"}},
		{"milliseconds", candles(ohlc + `,"time":1795410000250`), []string{"2026-11-23T05:00:00.25Z"}},
		{"seconds with a fraction", candles(ohlc + `,"time":1795410000.25`), []string{"2026-11-23T05:00:00.25Z"}},
		{"an exponent", candles(ohlc + `,"time":1.79541e9`), []string{"2026-11-23T05:00:00Z"}},
		{"RFC 3339 with offset", candles(ohlc + `,"time":"2026-11-22T21:00:00-08:00"`), []string{"2026-11-23T05:00:00Z"}},
		{"the epoch", candles(ohlc + `,"time":0`), []string{"1970-01-01T00:00:00Z"}},
		{"the last second of 2199", candles(ohlc + `,"time":7258118399`), []string{"2199-12-31T23:59:59Z"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := signal.ParseMarketData([]byte(test.input), signal.MaxText)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range m.Candles {
				got = append(got, c.Time.Format(time.RFC3339Nano))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			checkRoundTrip(t, m)
		})
	}
	if err := signal.OldestFirst(nil); err != nil {
		t.Error(err)
	}
	if _, err := signal.EpochTime("soon"); err == nil {
		t.Error("soon is a time")
	}
}

func TestSetKeepsTheOrder(t *testing.T) {
	var m signal.MarketData
	for _, name := range []string{"rsi", "atr", "volume", "macd"} {
		m.Set(name, "old")
	}
	m.Set("rsi", number(t, "65.5"))
	want := signal.MarketData{Indicators: []signal.Indicator{{"atr", "old"}, {"macd", "old"}, {"rsi", number(t, "65.5")}, {"volume", "old"}}}
	if diff := cmp.Diff(want, m, compareNumbers); diff != "" {
		t.Error(diff)
	}
	if !m.Has("macd") || m.Has("ma") || m.Has("recent_candles") {
		t.Error("Has knows other names than Set")
	}
}

func TestFieldErrors(t *testing.T) {
	err := signal.FieldErrors{{Message: "is empty"}, {Field: "rsi", Message: "is out of range", Value: "1e400"}}
	if got, want := err.Error(), "is empty; rsi: is out of range"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is accepted is valid JSON, is within the limits, and is the same when it is read again.
func FuzzParseMarketData(f *testing.F) {
	for _, seed := range []string{
		`{"rsi":65.5,"macd":null,"up":true,"note":"<x>","ema":[1,null,3e-5]}`,
		candles(ohlc+`,"time":300,"volume":null`, ohlc+`,"time":"1970-01-01T00:01:40.5Z"`),
		`{"recent_candles":[]}`, `{"a":{"b":[1,{}]},"a":0e999}`, `[]`, `{"a":"\ud800"}`, "{\"a\xff\":1}", `{"a":1e400}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := signal.ParseMarketData(data, signal.MaxText)
		if err != nil {
			if !reflect.DeepEqual(m, signal.MarketData{}) {
				t.Fatalf("the error came with %+v", m)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q was accepted", data)
		}
		if len(m.Indicators) > signal.MaxIndicators || len(m.Candles) > signal.MaxCandles || len(m.Indicators)+len(m.Candles) == 0 {
			t.Fatalf("%d indicators and %d candles", len(m.Indicators), len(m.Candles))
		}
		for i, c := range m.Candles {
			if !(c.Open.Float64() > 0 && c.High.Float64() > 0 && c.Low.Float64() > 0 && c.Close.Float64() > 0) || c.Volume.Float64() < 0 {
				t.Fatalf("candle %d is %+v", i, c)
			}
			if i > 0 && !c.Time.IsZero() && !c.Time.After(m.Candles[i-1].Time) {
				t.Fatalf("candle %d is not after the one before", i)
			}
		}
		checkRoundTrip(t, m)
	})
}
