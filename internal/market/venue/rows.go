package venue

// From the rows of an answer to closed candles. All venues send rows as lists of numbers,
// with or without quotes.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/signal"
)

// Bounds of a price or volume. A number beyond them is a mistake, and too long to be
// written out.
const (
	maxNumber     = 1e18
	minNumber     = 1e-18 // 0 is allowed too
	maxNumberText = 64    // characters
)

// layout gives the columns of a row.
type layout struct {
	time, open, high, low, close, volume int
	unit                                 time.Duration // of the time
}

// candles reads all rows. It does not compare the prices of a row, since the row may be
// of an open candle.
func (l layout) candles(rows [][]any) ([]signal.Candle, error) {
	if rows == nil {
		return nil, errNoRows
	}
	candles := make([]signal.Candle, len(rows))
	for i, row := range rows {
		var err error
		if candles[i], err = l.candle(row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return candles, nil
}

func (l layout) candle(row []any) (c signal.Candle, err error) {
	if len(row) <= max(l.time, l.open, l.high, l.low, l.close, l.volume) {
		return c, fmt.Errorf("it has %d columns only", len(row))
	}
	if c.Time, err = instant(row[l.time], l.unit); err != nil {
		return c, err
	}
	for _, column := range [...]struct {
		name   string
		index  int
		number *signal.Number
	}{{"open", l.open, &c.Open}, {"high", l.high, &c.High}, {"low", l.low, &c.Low}, {"close", l.close, &c.Close}, {"volume", l.volume, &c.Volume}} {
		if *column.number, err = number(row[column.index]); err != nil {
			return c, fmt.Errorf("its %s %w", column.name, err)
		}
	}
	return c, nil
}

var (
	errNoNumber = errors.New("is not a number")
	errNoRows   = errors.New("it has no list of rows")
)

// number reads a JSON number, with or without quotes, and keeps all its digits. A number
// with an exponent, such as a small volume of Coinbase, is written out.
func number(value any) (signal.Number, error) {
	text, ok := written(value)
	if !ok {
		return signal.Number{}, errNoNumber
	}
	n, err := signal.ParseNumber(text)
	if err != nil {
		return signal.Number{}, errNoNumber
	}
	if f := math.Abs(n.Float64()); f > maxNumber || (f != 0 && f < minNumber) {
		return signal.Number{}, fmt.Errorf("is %s, which no market has", text)
	}
	if strings.ContainsAny(text, "eE") {
		return signal.ParseNumber(n.Plain())
	}
	return n, nil
}

// instant reads a time as a whole number of units since 1970.
func instant(value any, unit time.Duration) (time.Time, error) {
	text, _ := written(value)
	n, err := strconv.ParseInt(text, 10, 64)
	if perSecond := int64(time.Second / unit); err == nil && n >= 0 && n/perSecond < 7_000_000_000 { // up to the year 2191
		return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("its time is not a whole number of %ss since 1970", map[time.Duration]string{time.Second: "second", time.Millisecond: "millisecond"}[unit])
}

func written(value any) (string, bool) {
	switch v := value.(type) {
	case json.Number:
		return v.String(), len(v) <= maxNumberText
	case string:
		return v, len(v) <= maxNumberText
	}
	return "", false
}

// decode reads one JSON value. Numbers keep their digits.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return nil
		}
	}
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return errors.New("it is empty")
	case !json.Valid(body):
		return errors.New("it is not whole JSON")
	default:
		return errors.New("it is not JSON of the form that this venue documents")
	}
}

// closed sorts rows by time and gives the newest signal.MaxCandles. It leaves out rows
// that opened after last: the open candle, and candles that closed after the moment that
// the caller asks about. It leaves out a row that exists twice. It gives a kind, and why,
// if the candles are too old or on another grid, or if they contradict each other or
// themselves. It does not fill intervals without a candle.
func closed(rows []signal.Candle, series market.Series, last time.Time) (candles []signal.Candle, kind market.Kind, why string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(c signal.Candle) bool { return c.Time.After(last) })
	slices.SortStableFunc(rows, func(a, b signal.Candle) int { return a.Time.Compare(b.Time) })
	const advice = "; try again later, or name a further venue"

	offGrid := 0
	for i, c := range rows {
		if !series.Timeframe.Open(c.Time).Equal(c.Time) {
			offGrid++
			continue
		}
		if i > 0 && c.Time.Equal(rows[i-1].Time) {
			if c != rows[i-1] {
				return nil, market.ErrMalformed, fmt.Sprintf("its answer has two different candles for %s%s", clock(c.Time), advice)
			}
			continue
		}
		if fault := contradiction(c); fault != "" {
			return nil, market.ErrMalformed, fmt.Sprintf("its candle of %s can't be believed: %s%s", clock(c.Time), fault, advice)
		}
		candles = append(candles, c)
	}
	switch {
	case offGrid > 0 && len(candles) == 0:
		return nil, market.ErrUnsupported, fmt.Sprintf("its candles of this length begin at other times than ours (one at %s): name a venue whose candles begin at %s",
			clock(rows[0].Time), clock(last))
	case offGrid > 0:
		return nil, market.ErrMalformed, "its answer has candles that begin between two of this length" + advice
	case len(candles) == 0:
		return nil, market.ErrStaleData, fmt.Sprintf("it has no closed candle up to %s: nothing is traded there, or it lags; name a venue where the pair is traded", clock(last))
	}
	if newest := candles[len(candles)-1].Time; market.IsStale(newest, last, series.Timeframe) {
		return nil, market.ErrStaleData, fmt.Sprintf("its newest closed candle opened at %s, and that of %s was wanted: nothing has been traded there since, or it lags; name a venue where the pair is traded",
			clock(newest), clock(last))
	}
	return candles[max(0, len(candles)-signal.MaxCandles):], "", ""
}

// contradiction says what is wrong within a closed candle.
func contradiction(c signal.Candle) string {
	open, high, low, shut := c.Open.Float64(), c.High.Float64(), c.Low.Float64(), c.Close.Float64()
	switch {
	case min(open, high, low, shut) <= 0:
		return "a price is not above 0"
	case low > min(open, shut) || high < max(open, shut):
		return fmt.Sprintf("open %s and close %s do not lie between low %s and high %s", c.Open, c.Close, c.Low, c.High)
	case c.Volume.Float64() < 0:
		return "its volume is below 0"
	}
	return ""
}

func clock(at time.Time) string { return at.UTC().Format(time.RFC3339) }
