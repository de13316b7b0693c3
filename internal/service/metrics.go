package service

// Metrics: each run adds to the counters of its hour, and metrics are sums of the counters
// of all processes that share the store. Latencies are counted in buckets, so that they can
// be summed too, and percentiles are estimated from the sums.

import (
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

// Window is the unit of time of metrics: their bounds are whole hours or whole days.
type Window string

// The windows.
const (
	WindowHour Window = "hour"
	WindowDay  Window = "day"
)

// Sums are what runs and calls add up to.
type Sums struct {
	TotalRequests      int64             `json:"total_requests" doc:"Runs that were started."`
	SuccessfulRequests int64             `json:"successful_requests" doc:"Runs that came to a decision."`
	FailedRequests     int64             `json:"failed_requests" doc:"Runs without a decision."`
	SuccessRate        float64           `json:"success_rate" doc:"Share of the runs that came to a decision, 0 to 1; 0 before the first."`
	CostUSD            float64           `json:"cost_usd" doc:"Known cost of all calls."`
	Tokens             int64             `json:"tokens" doc:"Known tokens of all calls."`
	Providers          []ProviderMetrics `json:"providers" doc:"By name, those that were called in this time."`
	Shared             SharedMetrics     `json:"shared" doc:"Requests that were decided by the votes of another run. They count as requests, and in no figure of a provider."`
}

// Metrics are the sums of a window.
type Metrics struct {
	Sums
	RegistryStatus orchestrator.RegistryStatus `json:"registry_status" doc:"The providers as this process has them."`
	Window         Window                      `json:"window" enum:"hour,day"`
	From           time.Time                   `json:"from" doc:"Start of the window, inclusive."`
	To             time.Time                   `json:"to" doc:"End of the window, exclusive."`
	Days           []DayMetrics                `json:"days,omitempty" doc:"With by=day: the days on which there were runs, the oldest first."`
}

// DayMetrics are the sums of the part of a window that lies in one UTC day.
type DayMetrics struct {
	Day string `json:"day" format:"date"`
	Sums
}

// ProviderMetrics are the sums of one provider.
type ProviderMetrics struct {
	Provider     string           `json:"provider"`
	Requests     int64            `json:"requests" doc:"Runs that asked it and waited for it."`
	Successes    int64            `json:"successes"`
	Failures     map[string]int64 `json:"failures" doc:"By kind. not_needed and left_out are in none of the other figures."`
	SuccessRate  float64          `json:"success_rate" doc:"0 to 1; 0 before the first request."`
	InputTokens  int64            `json:"input_tokens"`
	OutputTokens int64            `json:"output_tokens"`
	CostUSD      float64          `json:"cost_usd"`
	LatencyMS    Percentiles      `json:"latency_ms" doc:"Of the calls that gave a vote, interpolated in buckets; from 100 ms on less than half of the value off, at most 32000."`
}

// SharedMetrics are the sums of results that share the votes of another run.
type SharedMetrics struct {
	Hits      int64   `json:"hits" doc:"By votes that were there already."`
	Coalesced int64   `json:"coalesced" doc:"By votes of a run that was under way."`
	SavedUSD  float64 `json:"saved_usd" doc:"Known cost of these votes."`
}

// Percentiles are nil if nothing was counted.
type Percentiles struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
}

// Metrics sums the counters between two times, which are widened to whole windows. A
// zero time is the bound of the current window.
func (s *Service) Metrics(ctx context.Context, window Window, from, to time.Time) (Metrics, error) {
	grain := day
	if window == WindowHour {
		grain = time.Hour
	}
	if to.IsZero() {
		to = time.Now().UTC().Truncate(grain).Add(grain)
	} else {
		to = to.UTC().Add(grain - 1).Truncate(grain)
	}
	if from.IsZero() {
		from = to.Add(-grain)
	}
	from = from.UTC().Truncate(grain)
	hours, err := s.hours(ctx, from, to)
	if err != nil {
		return Metrics{}, unreachable("to read the metrics", err)
	}
	m := Metrics{Sums: sum(hours), RegistryStatus: s.registryStatus(ctx), Window: window, From: from, To: to}
	for len(hours) > 0 {
		day := hours[0].Day
		end := slices.IndexFunc(hours, func(h store.Hour) bool { return h.Day != day })
		if end < 0 {
			end = len(hours)
		}
		if sums := sum(hours[:end]); sums.TotalRequests > 0 {
			m.Days = append(m.Days, DayMetrics{day, sums})
		}
		hours = hours[end:]
	}
	return m, nil
}

// hourLayout is the layout of a [store.Hour]'s Day and Hour with a T between them.
const hourLayout = "2006-01-02T15"

// hours reads the counters of the hours that begin in [from, to).
func (s *Service) hours(ctx context.Context, from, to time.Time) ([]store.Hour, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	all, err := s.Store.Hours(ctx, from.Format(time.DateOnly), to.Add(-1).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	var hours []store.Hour
	for _, h := range all {
		begins, err := time.Parse(hourLayout, h.Day+"T"+h.Hour)
		if err != nil || begins.Before(from) || !begins.Before(to) {
			continue
		}
		h.Counts, h.Texts = ofKind(h.Counts, s.Simulated), ofKind(h.Texts, s.Simulated)
		hours = append(hours, h)
	}
	return hours, nil
}

// sum adds up the counters of hours.
func sum(hours []store.Hour) Sums {
	totals := map[string]int64{}
	for _, h := range hours {
		for name, n := range h.Counts {
			totals[name] += n
		}
	}
	m := Sums{
		TotalRequests: totals["requests"], SuccessfulRequests: totals["successes"], FailedRequests: totals["failures"],
		SuccessRate: rate(totals["successes"], totals["requests"]), CostUSD: float64(totals["cost_micro_usd"]) / 1e6, Tokens: totals["tokens"],
		Providers: []ProviderMetrics{},
		Shared:    SharedMetrics{totals[sharedHits], totals[sharedCoalesced], float64(totals[sharedSaved]) / 1e6},
	}
	names := map[string]bool{}
	for counter := range totals {
		if name, _, found := strings.Cut(counter, "."); found {
			names[name] = true
		}
	}
	for name := range names {
		m.Providers = append(m.Providers, providerMetrics(name, totals))
	}
	slices.SortFunc(m.Providers, func(a, b ProviderMetrics) int { return strings.Compare(a.Provider, b.Provider) })
	return m
}

func providerMetrics(name string, totals map[string]int64) ProviderMetrics {
	prefix := name + "."
	p := ProviderMetrics{
		Provider: name, Successes: totals[prefix+"successes"], Failures: map[string]int64{},
		InputTokens: totals[prefix+"input_tokens"], OutputTokens: totals[prefix+"output_tokens"], CostUSD: float64(totals[prefix+"cost_micro_usd"]) / 1e6,
	}
	p.Requests = p.Successes
	for counter, n := range totals {
		if kind, found := strings.CutPrefix(counter, prefix+"failures."); found && n > 0 {
			p.Failures[kind] = n
			if signal.FailureKind(kind).IsFault() {
				p.Requests += n
			}
		}
	}
	p.SuccessRate = rate(p.Successes, p.Requests)
	var counts [len(buckets) + 1]int64
	for i, bucket := range bucketNames {
		counts[i] = totals[prefix+bucket]
	}
	p.LatencyMS = Percentiles{P50: percentile(counts, 0.5), P95: percentile(counts, 0.95)}
	return p
}

func rate(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// buckets are the upper bounds in milliseconds. From 100 ms on each is at most 1.5 times
// the one before it, so the error of a percentile is less than half of its value, and
// usually much less, because it is interpolated.
var buckets = [...]int64{25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 32000}

// bucketNames are the names of the buckets' counters, without the provider's name.
var bucketNames = func() (names [len(buckets) + 1]string) {
	for i, bound := range buckets {
		names[i] = "latency_le_" + strconv.FormatInt(bound, 10)
	}
	names[len(buckets)] = "latency_le_inf"
	return names
}()

// bucketOf names the one bucket that a latency is counted in.
func bucketOf(ms float64) string {
	return bucketNames[sort.Search(len(buckets), func(i int) bool { return ms <= float64(buckets[i]) })]
}

// percentile estimates the latency that a share of the calls did not exceed. It
// interpolates inside the bucket. It is nil if nothing was counted, and the last bound
// if the latency is above it.
func percentile(counts [len(buckets) + 1]int64, share float64) *float64 {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return nil
	}
	rank := share * float64(total)
	below := 0.0
	for i, n := range counts {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		if i == len(buckets) {
			break
		}
		low := 0.0
		if i > 0 {
			low = float64(buckets[i-1])
		}
		return new(low + (float64(buckets[i])-low)*(rank-below)/float64(n))
	}
	return new(float64(buckets[len(buckets)-1]))
}

// The counters of results that share the votes of another run.
const (
	sharedHits      = "shared_hits"
	sharedCoalesced = "shared_coalesced"
	sharedSaved     = "shared_saved_micro_usd"
)

func (s *Service) countResult(c *signal.Consensus) store.Count {
	count := s.newCount("successes", c.Timestamp)
	if c.SharedFrom != nil {
		addShared(count, c)
	} else {
		s.addRun(count, c.TotalCostUSD, c.TotalTokens, c.Responses, c.Failures)
	}
	s.noteSeries(count, resultOfSeries, c.Pair, c.Timeframe, store.PositionKey(c.CandleTime, c.ID)+" "+c.Timestamp.Format(time.RFC3339Nano))
	return s.ofItsKind(count)
}

func (s *Service) countFailure(request orchestrator.Checked, e *orchestrator.Error, code signal.ErrorCode) store.Count {
	count := s.newCount("failures", time.Now().UTC())
	s.addRun(count, e.Total.CostUSD, e.Total.Tokens, e.Votes, e.Failures)
	s.noteSeries(count, errorOfSeries, request.Pair(), request.Timeframe(), count.At.Format(time.RFC3339Nano)+" "+string(code))
	return s.ofItsKind(count)
}

// newCount gives what every request adds to the counters of its hour.
func (s *Service) newCount(outcome string, at time.Time) store.Count {
	return store.Count{At: at, Add: map[string]int64{"requests": 1, outcome: 1}, Set: map[string]string{}, ExpiresAt: expiry(at, s.MetricsRetention)}
}

// addRun adds what a run used, and what it has shown of the providers.
func (s *Service) addRun(count store.Count, costUSD float64, tokens int, votes []signal.Vote, failures []signal.Failure) {
	count.Add["cost_micro_usd"], count.Add["tokens"] = nearestMicroUSD(costUSD), int64(tokens)
	for _, e := range s.Registry.Entries() {
		if !e.Disabled {
			count.Set[e.Provider.Name()+".model"] = e.Provider.Model()
			count.Set[e.Provider.Name()+configured] = strconv.FormatBool(e.Unavailable == "")
		}
	}
	now := count.At.Format(time.RFC3339Nano)
	for i := range votes {
		v := &votes[i]
		name := v.Provider + "."
		count.Add[name+"successes"]++
		count.Add[name+bucketOf(v.LatencyMS)]++
		addUsage(count, name, v.InputTokens, v.OutputTokens, v.CostUSD)
		count.Set[name+"last_success"] = now
	}
	for i := range failures {
		f := &failures[i]
		name := f.Provider + "."
		count.Add[name+"failures."+string(f.Error)]++
		addUsage(count, name, f.InputTokens, f.OutputTokens, f.CostUSD)
		if f.Error.IsFault() { // other kinds say nothing about the provider
			count.Set[name+"last_error"] = now + " " + string(f.Error)
		}
	}
}

// addShared adds what a result saved whose votes another run has paid for and counted.
func addShared(count store.Count, c *signal.Consensus) {
	kind := sharedCoalesced
	if c.Cache == signal.CacheHit {
		kind = sharedHits
	}
	count.Add[kind] = 1
	for i := range c.Responses {
		if cost := c.Responses[i].CostUSD; cost != nil {
			count.Add[sharedSaved] += nearestMicroUSD(*cost)
		}
	}
}

// ofItsKind gives the counters the names of simulated ones if the providers are.
func (s *Service) ofItsKind(count store.Count) store.Count {
	if s.Simulated {
		count.Add, count.Set = prefixed(count.Add), prefixed(count.Set)
	}
	return count
}

// simulatedPrefix begins the names of counters of simulated runs, which are in the same
// hour as those of real runs.
const simulatedPrefix = "simulated#"

func prefixed[V any](m map[string]V) map[string]V {
	renamed := make(map[string]V, len(m))
	for name, value := range m {
		renamed[simulatedPrefix+name] = value
	}
	return renamed
}

// ofKind gives the counters of simulated runs or of real ones, without the prefix.
func ofKind[V any](m map[string]V, simulated bool) map[string]V {
	chosen := make(map[string]V, len(m))
	for name, value := range m {
		if plain, isSimulated := strings.CutPrefix(name, simulatedPrefix); isSimulated == simulated {
			chosen[plain] = value
		}
	}
	return chosen
}

// configured is the end of the name of a text that says whether a provider had a key.
const configured = ".configured"

func addUsage(count store.Count, name string, input, output int, costUSD *float64) {
	count.Add[name+"input_tokens"] += int64(input)
	count.Add[name+"output_tokens"] += int64(output)
	if costUSD != nil {
		count.Add[name+"cost_micro_usd"] += nearestMicroUSD(*costUSD)
	}
}

// nearestMicroUSD rounds to the nearest millionth of a USD, so that the sums of counters
// are close to the sums of the answers. Budgets round up instead.
func nearestMicroUSD(usd float64) int64 { return int64(math.Round(usd * 1e6)) }
