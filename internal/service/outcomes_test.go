package service_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
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
	"thalas/internal/store"
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

// TestProbability asks before there are outcomes, with enough of them, and without a store.
func TestProbability(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, service.Options{}, &voter{name: "a", after: time.Second})
		probability := func() *signal.Probability {
			t.Helper()
			c := ask(t, s, question()).Consensus
			synctest.Wait()
			if c.Probability == nil || c.Probability.Needed != outcome.Needed || c.Probability.HorizonCandles != 3 {
				t.Fatalf("probability %+v", c.Probability)
			}
			return c.Probability
		}
		if p := probability(); p.Value != nil || *p.Reason != signal.ProbabilityTooFew || *p.NEff != 0 || p.BreakEven != nil {
			t.Errorf("without outcomes %+v", p)
		}

		settled := settleWindows(t, s, 120, 72)
		if p := probability(); p.Value != nil {
			t.Errorf("a fit that is younger than five minutes is read again: %+v", p)
		}
		time.Sleep(5*time.Minute + time.Second)
		p := probability()
		want, low, high := settled.At(0.8)
		if p.Value == nil || *p.Value != want || *p.Low != low || *p.High != high || *p.NEff != 120 || p.Reason != nil || p.FittedAt == nil || *p.BreakEven != *settled.BreakEven {
			t.Errorf("with outcomes %+v, want %v (%v…%v)", p, want, low, high)
		}
		reads := s.store.sums.Load()
		if probability(); s.store.sums.Load() != reads {
			t.Error("the scores are read again within five minutes")
		}

		s.store.fail(errDown, nil)
		time.Sleep(6 * time.Minute)
		if p := probability(); p.Value == nil || *p.Value != want {
			t.Errorf("when the scores can't be read again: %+v, want the fit from before", p)
		}
		reads = s.store.sums.Load()
		if probability(); s.store.sums.Load() != reads {
			t.Error("scores that could not be read are read again by the next run")
		}
		time.Sleep(10 * time.Second)
		if probability(); s.store.sums.Load() != reads+1 {
			t.Error("scores that could not be read are not read again after ten seconds")
		}
		time.Sleep(time.Hour)
		if p := probability(); p.Value != nil || *p.Reason != signal.ProbabilityUnavailable || p.NEff != nil {
			t.Errorf("an hour later: %+v", p)
		}
	})
}

// due stores n results like an answer, each with a window of its own that has ended, and
// gives the candles of all windows. By them the oldest results are right, as many as asked
// for, and the others wrong.
func due(t *testing.T, s fixture, answer *signal.Consensus, n, right int) (candles []signal.Candle) {
	t.Helper()
	lines := make([][]byte, n)
	for i := range n {
		c := *answer
		c.CandleTime = signal.Timeframe("5m").Open(answer.CandleTime.Add(-time.Duration(3*(n-i)+30) * 5 * time.Minute))
		c.Timestamp, c.ValidUntil = c.CandleTime.Add(5*time.Minute+time.Second), c.CandleTime.Add(10*time.Minute)
		c.ID = idAt(c.Timestamp, i)
		var err error
		if lines[i], err = json.Marshal(c); err != nil {
			t.Fatal(err)
		}
		exit := 49000.0
		if i < right {
			exit = 51000
		}
		for j := range 3 {
			candles = append(candles, signal.Candle{
				Time: c.CandleTime.Add(time.Duration(j+1) * 5 * time.Minute),
				Open: signal.NumberOf(50000), High: signal.NumberOf(52000), Low: signal.NumberOf(48000), Close: signal.NumberOf(exit),
			})
		}
	}
	if added, err := s.Import(t.Context(), lines); err != nil || added != n {
		t.Fatalf("%d imported, %v", added, err)
	}
	return candles
}

// settleWindows settles n results, and gives the fit that they make.
func settleWindows(t *testing.T, s fixture, n, right int) outcome.Fit {
	t.Helper()
	answer := ask(t, s, question()).Consensus
	candles := due(t, s, answer, n, right)
	if err := s.SettleFrom(t.Context(), market.Series{Pair: answer.Pair, Timeframe: "5m"}, candles, "test"); err != nil {
		t.Fatal(err)
	}
	board, err := s.Store.Sums(t.Context(), store.ScoresKey("5m", answer.PromptVersion, false), "", "1999-01-01", "2099-01-01")
	if err != nil || len(board["consensus"]) == 0 {
		t.Fatalf("nothing is settled: %v, %v", board, err)
	}
	return outcome.NewFit(board["consensus"])
}

// idAt gives an id that was made at a time.
func idAt(at time.Time, n int) string {
	digits := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", digits[:8], digits[8:], n)
}

// BenchmarkSettle settles 10,000 results of a series, a candle each.
func BenchmarkSettle(b *testing.B) {
	const results = 10_000
	for b.Loop() {
		b.StopTimer()
		s := newService(b, service.Options{RoundTripCost: 0.003})
		template := readReference(b).lines[100]
		var c signal.Consensus
		if err := json.Unmarshal(template, &c); err != nil {
			b.Fatal(err)
		}
		c.Timeframe = "5m"
		newest := c.Timeframe.Open(time.Now().Add(-time.Hour))
		lines, candles := make([][]byte, results), make([]signal.Candle, results+4)
		for i := range candles {
			price := signal.NumberOf(c.CurrentPrice)
			candles[i] = signal.Candle{Time: newest.Add(-time.Duration(results-i) * 5 * time.Minute), Open: price, High: price, Low: price, Close: price}
		}
		for i := range lines {
			c.CandleTime = candles[i].Time
			c.Timestamp, c.ValidUntil = c.CandleTime.Add(5*time.Minute), c.CandleTime.Add(10*time.Minute)
			c.ID = idAt(c.Timestamp, i)
			lines[i], _ = json.Marshal(c)
		}
		if added, err := s.Import(b.Context(), lines); err != nil || added != results {
			b.Fatal(added, err)
		}
		settled := 0
		b.StartTimer()
		err := s.Settle(b.Context(), service.SettleQuery{}, func(context.Context, market.Series, time.Time) ([]signal.Candle, string, error) {
			return candles, "file", nil
		}, func(done service.Settled) error { settled += done.Settled; return nil })
		if err != nil || settled != results {
			b.Fatal(settled, err)
		}
	}
}
