package service_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/market"
	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// reference is the data set of package outcome: results, candles, and what an independent
// program makes of them.
type reference struct {
	Now         time.Time                  `json:"now"`
	Cost        float64                    `json:"cost"`
	Outcomes    map[string]outcome.Outcome `json:"outcomes"`
	Scoreboards []outcome.Scoreboard       `json:"scoreboards"`

	lines   [][]byte
	candles map[string][]signal.Candle
}

func unzipped(t testing.TB, name string) io.Reader {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "outcome", "testdata", name))
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

func readReference(t testing.TB) (r reference) {
	t.Helper()
	if err := json.NewDecoder(unzipped(t, "expected.json.gz")).Decode(&r); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewReader(unzipped(t, "results.jsonl.gz")); ; {
		text, err := lines.ReadBytes('\n')
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var line struct{ Result json.RawMessage }
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatal(err)
		}
		r.lines = append(r.lines, line.Result)
	}
	rows, err := csv.NewReader(unzipped(t, "candles.csv.gz")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	r.candles = map[string][]signal.Candle{}
	for _, row := range rows[1:] {
		c := signal.Candle{}
		if c.Time, err = time.Parse(time.RFC3339, row[2]); err != nil {
			t.Fatal(err)
		}
		for i, price := range []*signal.Number{&c.Open, &c.High, &c.Low, &c.Close} {
			if *price, err = signal.ParseNumber(row[3+i]); err != nil {
				t.Fatal(err)
			}
		}
		r.candles[row[0]+" "+row[1]] = append(r.candles[row[0]+" "+row[1]], c)
	}
	return r
}

// candlesOf gives all candles of a series in one call.
func (r *reference) candlesOf(_ context.Context, series market.Series, _ time.Time) ([]signal.Candle, string, error) {
	return r.candles[series.String()], "oracle", nil
}

// TestStoredOutcomesAgainstTheReference imports the results of the reference, settles them,
// and reads the boards back from the store's sums.
func TestStoredOutcomesAgainstTheReference(t *testing.T) {
	want := readReference(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(want.Now))
		s := newService(t, service.Options{RoundTripCost: want.Cost})
		if added, err := s.Import(t.Context(), want.lines); err != nil || added != len(want.lines) {
			t.Fatalf("%d of %d imported: %v, %v", added, len(want.lines), err, errors.Unwrap(err))
		}
		settle := func(dry bool) (settled int) {
			t.Helper()
			err := s.Settle(t.Context(), service.SettleQuery{DryRun: dry}, want.candlesOf, func(done service.Settled) error {
				settled += done.Settled
				return done.Failed
			})
			if err != nil {
				t.Fatal(err)
			}
			return settled
		}
		due := 0
		for _, o := range want.Outcomes {
			if o.Status == outcome.Settled {
				due++
			}
		}
		if got := settle(true); got != due {
			t.Errorf("a dry run settles %d, want %d", got, due)
		}
		if got := settle(false); got != due {
			t.Errorf("%d settled, want %d", got, due)
		}
		before := boards(t, s, want.Scoreboards)
		if diff := cmp.Diff(want.Scoreboards, before, cmpopts.EquateApprox(1e-9, 1e-12), cmpopts.IgnoreFields(outcome.Board{}, "Imported")); diff != "" {
			t.Errorf("boards (-want +got):\n%s", diff)
		}
		if got := settle(false); got != 0 {
			t.Errorf("%d settled twice", got)
		}
		if diff := cmp.Diff(before, boards(t, s, want.Scoreboards)); diff != "" {
			t.Errorf("settling twice changed (-want +got):\n%s", diff)
		}
		checkOutcomes(t, s, &want)
		checkMoved(t, s, want.Scoreboards, before)
	})
}

func boards(t *testing.T, s fixture, want []outcome.Scoreboard) (got []outcome.Scoreboard) {
	t.Helper()
	for _, w := range want {
		s.Simulated = w.Simulated
		board, err := s.Scoreboard(t.Context(), service.ScoreQuery{PromptVersion: w.PromptVersion})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *board)
	}
	s.Simulated = false
	return got
}

// checkOutcomes reads every outcome back, as it is stored and in lists.
func checkOutcomes(t *testing.T, s fixture, want *reference) {
	t.Helper()
	listed := map[string]bool{}
	for series := range want.candles {
		name, timeframe, _ := strings.Cut(series, " ")
		pair, err := signal.ParsePair(name)
		if err != nil {
			t.Fatal(err)
		}
		q := service.Query{Pair: pair, Timeframe: signal.Timeframe(timeframe), Limit: 37}
		for {
			list, err := s.Outcomes(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range list.Items {
				var o outcome.Outcome
				if err := json.Unmarshal(item, &o); err != nil {
					t.Fatal(err)
				}
				if listed[o.ID] {
					t.Errorf("%s is listed twice", o.ID)
				}
				listed[o.ID] = true
				if diff := cmp.Diff(want.Outcomes[o.ID], o, cmpopts.EquateApprox(1e-9, 1e-12), cmpopts.IgnoreFields(outcome.Outcome{}, "Imported"), cmp.Comparer(func(a, b signal.Pair) bool { return a == b })); diff != "" {
					t.Errorf("outcome (-want +got):\n%s", diff)
				}
			}
			if q.Cursor = list.Next; q.Cursor == "" {
				break
			}
		}
	}
	for id, o := range want.Outcomes {
		if isListed := o.Status != outcome.Pending && !o.Simulated && want.candles[o.Pair.String()+" "+string(o.Timeframe)] != nil; isListed && !listed[id] {
			t.Errorf("%s, %s, is not listed", id, o.Status)
		}
	}
	if len(listed) < 1000 {
		t.Errorf("%d listed", len(listed))
	}
}

// checkMoved exports everything with its outcomes and imports it into an empty store, which
// must have the same boards then.
func checkMoved(t *testing.T, from fixture, want, before []outcome.Scoreboard) {
	t.Helper()
	to := newService(t, service.Options{RoundTripCost: 0.4}) // what is settled keeps its cost
	var lines [][]byte
	for _, simulated := range []bool{false, true} {
		for id := range readReference(t).Outcomes {
			result, err := from.Store.Result(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(result.Day, "simulated#") != simulated {
				continue
			}
			line, err := service.WithOutcome(&result)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
	}
	if added, err := to.Import(t.Context(), lines); err != nil || added != len(lines) {
		t.Fatalf("%d of %d imported: %v", added, len(lines), err)
	}
	got := boards(t, to, want)
	// A reason that is not final is what the last try found there; here nobody has tried.
	for _, boards := range [][]outcome.Scoreboard{before, got} {
		for i := range boards {
			for j := range boards[i].Boards {
				b := &boards[i].Boards[j]
				for reason, n := range b.Unresolved {
					if !reason.IsFinal() {
						b.Pending += n
						delete(b.Unresolved, reason)
					}
				}
			}
		}
	}
	if diff := cmp.Diff(before, got, cmpopts.EquateApprox(1e-12, 1e-15), cmpopts.IgnoreFields(outcome.Board{}, "Imported")); diff != "" {
		t.Errorf("boards of what was moved (-want +got):\n%s", diff)
	}
}

