package outcome

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/signal"
)

// The files of testdata were made by testdata/generate.py, and what is expected of them by
// testdata/reference.py. It works every figure out result by result, and was written by
// somebody who had not seen this package.

func unzipped(t *testing.T, name string) io.Reader {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return unzipped
}

// reference is what reference.py wrote.
type reference struct {
	Now         time.Time                  `json:"now"`
	Cost        float64                    `json:"cost"`
	Outcomes    map[string]json.RawMessage `json:"outcomes"`
	Scoreboards []Scoreboard               `json:"scoreboards"`
	Queries     []struct {
		Query struct {
			PromptVersion string           `json:"prompt_version"`
			Timeframe     signal.Timeframe `json:"timeframe"`
			Pair          string           `json:"pair"`
			Simulated     bool             `json:"simulated"`
		} `json:"query"`
		Scoreboard Scoreboard `json:"scoreboard"`
	} `json:"queries"`
	Fits []struct {
		Simulated     bool             `json:"simulated"`
		PromptVersion string           `json:"prompt_version"`
		Timeframe     signal.Timeframe `json:"timeframe"`
		Voter         string           `json:"voter"`
		Model         string           `json:"model"`
		A             float64          `json:"a"`
		B             float64          `json:"b"`
		Cells         map[int]struct{ Value, Low, High float64 }
	} `json:"fits"`
}

type line struct {
	Result   signal.Consensus `json:"result"`
	Imported bool             `json:"imported"`
	outcome  Outcome
}

func TestAgainstTheReference(t *testing.T) {
	var want reference
	if err := json.NewDecoder(unzipped(t, "expected.json.gz")).Decode(&want); err != nil {
		t.Fatal(err)
	}
	candles := referenceCandles(t, want.Now)
	var lines []*line
	for results := json.NewDecoder(unzipped(t, "results.jsonl.gz")); ; {
		var l line
		if err := results.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		r := &l.Result
		l.outcome = Settle(r, l.Imported, candles[r.Pair.String()+" "+string(r.Timeframe)], Terms{Cost: want.Cost, Source: "oracle", Now: want.Now})
		lines = append(lines, &l)
		equal(t, "outcome of "+r.ID, want.Outcomes[r.ID], l.outcome)
	}
	if len(lines) != len(want.Outcomes) || len(lines) < 1500 {
		t.Errorf("%d results, %d outcomes are expected", len(lines), len(want.Outcomes))
	}
	for i := range want.Scoreboards {
		s := &want.Scoreboards[i]
		for j := range s.Boards {
			b := &s.Boards[j]
			equal(t, fmt.Sprint("board of ", s.PromptVersion, b.Timeframe), b, boardOf(lines, s, b.Timeframe, ""))
		}
	}
	for i := range want.Queries {
		q := &want.Queries[i]
		for j := range q.Scoreboard.Boards {
			b := &q.Scoreboard.Boards[j]
			equal(t, fmt.Sprintf("board of %+v", q.Query), b, boardOf(lines, &q.Scoreboard, b.Timeframe, q.Query.Pair))
		}
	}
	for _, f := range want.Fits {
		board := &want.Scoreboards[0]
		sums, _, _ := collect(lines, &Scoreboard{From: board.From, To: board.To, PromptVersion: f.PromptVersion, Simulated: f.Simulated}, f.Timeframe, "")
		got := NewFit(sums[Voter{f.Voter, f.Model}])
		where := fmt.Sprint("fit of ", f.PromptVersion, f.Timeframe, f.Voter, f.Model)
		near(t, where+" a", got.A, f.A, 1e-6)
		near(t, where+" b", got.B, f.B, 1e-6)
		for percent, want := range f.Cells {
			p, low, high := got.At(float64(percent) / 100)
			for _, figure := range [...][2]float64{{p, want.Value}, {low, want.Low}, {high, want.High}} {
				near(t, fmt.Sprint(where, " at ", percent), figure[0], figure[1], 1e-6)
			}
		}
	}
	if len(want.Scoreboards) < 3 || len(want.Fits) < 40 {
		t.Errorf("the reference has %d scoreboards and %d fits", len(want.Scoreboards), len(want.Fits))
	}
}

func referenceCandles(t *testing.T, now time.Time) map[string]Candles {
	t.Helper()
	rows, err := csv.NewReader(unzipped(t, "candles.csv.gz")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]signal.Candle{}
	for _, row := range rows[1:] {
		opened, err := time.Parse(time.RFC3339, row[2])
		if err != nil {
			t.Fatal(err)
		}
		series := row[0] + " " + row[1]
		lists[series] = append(lists[series], signal.Candle{Time: opened, Open: number(t, row[3]), High: number(t, row[4]), Low: number(t, row[5]), Close: number(t, row[6])})
	}
	candles := map[string]Candles{}
	for series, list := range lists {
		_, timeframe, _ := strings.Cut(series, " ")
		if candles[series], err = NewCandles(signal.Timeframe(timeframe), list, now); err != nil {
			t.Fatal(err)
		}
	}
	return candles
}

// collect adds up what belongs to a board.
func collect(lines []*line, s *Scoreboard, timeframe signal.Timeframe, pair string) (sums map[Voter]Sums, unresolved map[Reason]int, pending int) {
	sums, unresolved = map[Voter]Sums{}, map[Reason]int{}
	for _, l := range lines {
		r := &l.Result
		if day := l.outcome.Day(); r.SharedFrom != nil || day < s.From || day >= s.To || r.PromptVersion != s.PromptVersion || r.Simulated != s.Simulated || r.Timeframe != timeframe || pair != "" && r.Pair.String() != pair {
			continue
		}
		switch l.outcome.Status {
		case Pending:
			pending++
		case Unresolved:
			unresolved[*l.outcome.Reason]++
		default:
			for voter, add := range l.outcome.Sums(r) {
				if sums[voter] == nil {
					sums[voter] = Sums{}
				}
				sums[voter].Add(add)
			}
		}
	}
	return sums, unresolved, pending
}

func boardOf(lines []*line, s *Scoreboard, timeframe signal.Timeframe, pair string) Board {
	sums, unresolved, pending := collect(lines, s, timeframe, pair)
	return NewBoard(timeframe, sums, unresolved, pending)
}

// equal compares two values as JSON, numbers to 1e-9.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	var values [2]any
	for i, v := range [...]any{want, got} {
		written, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(values[0], values[1], closeEnough); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
