package browsertest

// What the server of the tests has stored: 500 results with outcomes, and the
// odd ones that a page gets wrong.

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/outcome"
	"thalas/internal/signal"
)

// entry is one stored result.
type entry struct {
	result     *signal.Consensus
	outcome    outcome.Outcome
	marketData *signal.MarketData // nil: not kept
}

// seriesItem is one of GET /v1/series.
type seriesItem struct {
	Pair       string     `json:"pair"`
	Timeframe  string     `json:"timeframe"`
	Simulated  bool       `json:"simulated"`
	CandleTime *time.Time `json:"candle_time"`
	ID         *string    `json:"id"`
	Watched    bool       `json:"watched"`
	LastError  *lastError `json:"last_error"`
}

type lastError struct {
	At      time.Time `json:"at"`
	Error   string    `json:"error"`
	Message string    `json:"message"`
}

type world struct {
	now     time.Time
	entries []entry // newest first
	series  []seriesItem
	boards  []outcome.Board
	named   map[string]string // ids of the results that the tests look at
}

var failed = []signal.Failure{
	{Provider: "grok", Error: signal.FailureTimeout, Message: "no answer within 20s: the provider is slow or down; its calls are tried again in the next run", Retryable: true, Attempts: 1, LatencyMS: 20000},
	{Provider: "mistral", Error: signal.FailureLeftOut, Reason: signal.LeftOutNoCredit, Message: "not asked: the account has no credit; add some at the provider"},
	{Provider: "openai", Error: signal.FailureAuthentication, Message: "HTTP 401: the key is wrong or was withdrawn; set OPENAI_API_KEY", Attempts: 1, LatencyMS: 210},
}

var worlds = sync.OnceValue(func() *world { return newWorld(time.Now().UTC().Truncate(time.Second)) })

func newWorld(now time.Time) *world {
	w := &world{now: now, named: map[string]string{}}
	random := rand.New(rand.NewPCG(7, 7))
	policy := signal.Policy{MinProviders: 2, MinConfidence: .6, MinAgreement: .5}
	sums := map[signal.Timeframe]map[outcome.Voter]outcome.Sums{}
	keep := func(s *series, r *signal.Consensus, data *signal.MarketData) {
		if data != nil {
			own := *data
			data = &own
		}
		if r.Probability == nil && s.pair.String() != "LINK/USDT" { // one is as old as before probabilities were kept
			r.Probability = outcome.Fit{}.Probability(r.RawDecision, r.Confidence, r.Timestamp)
		}
		o := s.settle(r, now)
		if o.Status == outcome.Settled {
			if sums[s.timeframe] == nil {
				sums[s.timeframe] = map[outcome.Voter]outcome.Sums{}
			}
			for voter, more := range o.Sums(r) {
				if sums[s.timeframe][voter] == nil {
					sums[s.timeframe][voter] = outcome.Sums{}
				}
				sums[s.timeframe][voter].Add(more)
			}
		}
		w.entries = append(w.entries, entry{r, o, data})
	}
	add := func(s *series, last int, watched bool) {
		n := len(s.candles)
		for i := n - last; i < n; i++ {
			all, failures := models, []signal.Failure(nil)
			if random.IntN(12) == 0 {
				all, failures = models[:3], failed[2:]
			}
			r := s.result(i, s.votes(i, all), failures, policy)
			r.Probability = outcome.NewFit(sums[s.timeframe][outcome.Consensus]).Probability(r.RawDecision, r.Confidence, r.Timestamp)
			data := s.marketData(i)
			keep(s, r, &data)
		}
		w.list(s, w.entries[len(w.entries)-1].result, watched)
	}
	btc := newSeries("BTC/USDT", "1h", 50010, 1, 520, now, 11)
	add(btc, 380, true)
	add(newSeries("ETH/USDT", "1h", 2710.35, 2, 260, now, 12), 60, true)
	add(newSeries("SPX/USD", "1d", 6120.4, 2, 200, now, 13), 40, false)
	add(newSeries("PEPE/USDT", "5m", .00001234, 10, 160, now.Add(-3*time.Hour), 14), 22, false)

	// The odd ones, each a series of its own.
	question := "Will " + hostile + " reach $100k? " + strings.Repeat("before the end of the year ", 10)
	odd := newSeries(question[:300], "1d", .62, 3, 130, now, 15)
	long := models[0]
	votes := odd.votes(129, []model{long, models[1]})
	votes[0].Reasoning = (hostile + strings.Repeat(" The probability of this question moved with the volume of the market.", 80))[:4000]
	votes[1].Reasoning = hostile
	r := odd.result(129, votes, nil, policy)
	keep(odd, r, nil)
	w.list(odd, r, false)
	w.named["hostile"] = r.ID

	one := newSeries("SOL/USDT", "4h", 181.2, 2, 130, now, 16)
	votes = one.votes(129, models[:1])
	r = one.result(129, votes, failed, signal.Policy{MinProviders: 1, MinConfidence: .5})
	data := one.marketData(129)
	keep(one, r, &data)
	w.list(one, r, false)
	w.named["one"] = r.ID

	twelve := newSeries("LINK/USDT", "1h", 18.21, 3, 130, now, 17)
	var many []model
	for i := range 12 {
		many = append(many, model{fmt.Sprintf("provider%02d", i+1), fmt.Sprintf("a-model-with-a-rather-long-name-%d-2026-11", i+1), 1 - float64(i)/20, .5, .002})
	}
	many[11].provider = "a-provider-with-a-name-of-forty-letters-"
	votes = twelve.votes(120, many)
	votes[3].CostUSD = nil
	r = twelve.result(120, votes, nil, signal.Policy{MinProviders: 2, MinConfidence: .5})
	r.Warnings = append(r.Warnings, signal.Warning{Code: signal.WarnUnknownPrice, Provider: "provider04", Message: "the model has no known price: its cost is not in the total"})
	data = twelve.marketData(120)
	keep(twelve, r, &data)
	w.list(twelve, r, false)
	w.named["twelve"] = r.ID

	held := newSeries("ADA/USDT", "1h", .7312, 4, 130, now, 18)
	votes = held.votes(129, models)
	for i, d := range []signal.Decision{signal.Buy, signal.Buy, signal.Sell, signal.Buy} {
		votes[i].Decision, votes[i].StopLoss, votes[i].TakeProfit = d, nil, nil
	}
	r = held.result(129, votes, nil, signal.Policy{MinProviders: 2, MinConfidence: .9, MinAgreement: .5})
	data = held.marketData(129)
	keep(held, r, &data)
	w.list(held, r, true)
	w.named["held"] = r.ID

	w.series = append(w.series, seriesItem{Pair: "XRP/USDT", Timeframe: "1h", Watched: true, LastError: &lastError{now.Add(-20 * time.Minute), "venue_refused", "kraken answered 403 and is left alone; name another venue"}})

	settled := 0
	slices.SortStableFunc(w.entries, func(a, b entry) int { return b.result.Timestamp.Compare(a.result.Timestamp) })
	for _, e := range w.entries {
		if e.outcome.Status == outcome.Settled && e.result.Pair == btc.pair && e.result.Decision != signal.Hold && settled == 0 {
			w.named["settled"] = e.result.ID
			settled++
		}
		if e.result.Pair == btc.pair && w.named["pending"] == "" {
			w.named["pending"] = e.result.ID
		}
	}
	for _, timeframe := range []signal.Timeframe{"5m", "1h", "4h", "1d"} {
		pending, unresolved := 0, map[outcome.Reason]int{}
		for _, e := range w.entries {
			if e.result.Timeframe == timeframe && e.outcome.Status == outcome.Pending {
				pending++
			}
		}
		if timeframe == "1h" {
			unresolved[outcome.Gap] = 4
		}
		w.boards = append(w.boards, outcome.NewBoard(timeframe, sums[timeframe], unresolved, pending))
	}
	return w
}

func (w *world) list(s *series, newest *signal.Consensus, watched bool) {
	w.series = append(w.series, seriesItem{Pair: s.pair.String(), Timeframe: string(s.timeframe), CandleTime: &newest.CandleTime, ID: &newest.ID, Watched: watched})
}

func (w *world) find(id string) *entry {
	for i := range w.entries {
		if w.entries[i].result.ID == id {
			return &w.entries[i]
		}
	}
	return nil
}
