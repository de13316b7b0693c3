package storetest

// Results and settlements as there are in a year, for tests of size and speed.

import (
	"fmt"
	"strings"
	"time"

	"thalas/internal/store"
)

// Settlement settles a result that is on the list, as package outcome does: for the
// consensus and four providers there are the named counters, and those of a window of
// three candles, of a block of days, and of the cells of confidences. The number tells
// results apart, and is the candle's number.
func Settlement(r *store.Result, number int) store.Settlement {
	opened, _, _ := strings.Cut(r.Position, "#")
	candle, err := time.Parse(time.RFC3339, opened)
	if err != nil {
		panic(err) // the test made the position
	}
	s := store.Settlement{
		Unsettled: *r.Unsettled, Day: candle.Format(time.DateOnly), Sums: map[string]map[string]float64{}, ExpiresAt: time.Now().Add(400 * 24 * time.Hour),
	}
	s.Outcome = fmt.Appendf(nil, `{"id":%q,"votes":"%0900d"}`, r.ID, 1)
	for i, voter := range []string{"consensus", "anthropic#claude-opus-4-8", "gemini#gemini-3-pro", "grok#grok-4-1-fast", "openai#gpt-5-2"} {
		block, cell := candle.Unix()/86400, 60+(number*7+i*3)%30
		c := map[string]float64{
			"moves": .0061 * float64(1+number%7), "costs": .003, "buy_returns": -.0028, "rises": 1,
			"buys": 1, "bet_rises": 1, "brier": .0225 * float64(1+number%5), "paid": 1, "cost_usd": .0041,
			fmt.Sprintf("w%d", candle.Unix()/(3*3600)): 1,
			fmt.Sprintf("b%d", block):                  1, fmt.Sprintf("r%d", block): .0012 * float64(1+number%9),
			fmt.Sprintf("c%d", cell): 1, fmt.Sprintf("y%d", cell): 1, fmt.Sprintf("s%d", cell): float64(cell) / 100,
		}
		if i > 0 {
			for _, name := range []string{"moves", "costs", "buy_returns", "rises"} {
				delete(c, name)
			}
			c[fmt.Sprintf("v%d", block)], c[fmt.Sprintf("d%d", block)], c["changed"] = 1, .0002*float64(1+number%3), 1
		}
		s.Sums[voter] = c
	}
	return s
}

// Hourly makes results of ten pairs at each of that many hours, which end at baseTime. All
// are on the list.
func Hourly(hours int) (results []*store.Result) {
	for hour := range hours {
		for pair := range 10 {
			candle := baseTime.Add(time.Duration(hour-hours) * time.Hour)
			name := fmt.Sprintf("PAIR%d/USDT", pair)
			r := Sample(store.SeriesKey(name, "1h", false), candle, candle.Add(time.Hour+time.Second))
			r.Unsettled = &store.Unsettled{ID: r.ID, Group: "pending#1h", Position: r.Position, Pair: name, Scores: "scores#1h#v1"}
			results = append(results, r)
		}
	}
	return results
}
