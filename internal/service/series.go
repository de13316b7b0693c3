package service

// The series that have a result in the last day, and those that are watched.
//
// Each run notes its series among the texts of its hour's counters, in the same write. So
// all processes that share the store are seen, and no result is read.

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// The beginnings of the names of texts about a series. Other texts have no # in their names.
const (
	resultOfSeries = "series."       // → position of its newest result, and when that was made
	errorOfSeries  = "series_error." // → when its newest run without a decision ended, and why
)

const (
	// seriesAge is how long they are given again before the counters are read anew.
	seriesAge = 15 * time.Second
	// mostNoted bounds the names that this process notes in one hour, in bytes: some 250
	// usual ones. Clients with a new question each time would otherwise fill the item of the
	// hour, which is written whole with every run.
	mostNoted = 16 << 10
)

// Series is one series and its newest result.
type Series struct {
	Pair       string           `json:"pair" doc:"BASE/QUOTE[:SETTLE], or the text of a prediction market."`
	Timeframe  signal.Timeframe `json:"timeframe"`
	Simulated  bool             `json:"simulated" doc:"The votes came from the built-in simulator."`
	CandleTime *time.Time       `json:"candle_time" doc:"When the candle of the newest result opened; null without a result in the last day."`
	ID         *string          `json:"id" doc:"Of that result; null without one."`
	Watched    bool             `json:"watched" doc:"It is asked about by the clock: by the process that answers or, on AWS, by the schedule."`
	LastError  *SeriesError     `json:"last_error" doc:"Why the last run or round has no decision; null if there is one, or if nothing is known."`
}

// SeriesError says why a series has no newer result.
type SeriesError struct {
	At      time.Time `json:"at"`
	Error   string    `json:"error" doc:"Its kind."`
	Message string    `json:"message" doc:"What happened and what to do next, where it is known; otherwise empty."`
}

// Watched is a series that is asked about by the clock, and what its last round failed at.
type Watched struct {
	Pair      signal.Pair
	Timeframe signal.Timeframe
	Failed    *SeriesError // nil: it did not fail, or another process asks
}

// series holds what the Service knows of series. The zero value is ready.
type series struct {
	mu      sync.Mutex
	watched []Watched // guarded by mu

	hour  time.Time       // guarded by mu
	noted map[string]bool // the names that were noted in that hour; guarded by mu
	bytes int             // of these names; guarded by mu

	reading sync.Mutex // held while the counters are read, so that concurrent callers share them
	at      time.Time  // guarded by reading
	known   []Series   // by key; guarded by reading
}

// Watch says which series are watched, in place of those that it said before.
func (s *Service) Watch(list []Watched) {
	s.series.mu.Lock()
	defer s.series.mu.Unlock()
	s.series.watched = slices.Clone(list)
}

// noteSeries adds a text about a series to a count, unless too many are noted in this hour.
func (s *Service) noteSeries(count store.Count, kind string, pair signal.Pair, timeframe signal.Timeframe, text string) {
	if name := kind + pair.String() + "#" + string(timeframe); s.series.takes(count.At.Truncate(time.Hour), name) {
		count.Set[name] = text
	}
}

func (s *series) takes(hour time.Time, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !hour.Equal(s.hour) {
		s.hour, s.noted, s.bytes = hour, map[string]bool{}, 0
	}
	if s.noted[name] {
		return true
	}
	if s.bytes+len(name) > mostNoted {
		return false
	}
	s.noted[name] = true
	s.bytes += len(name)
	return true
}

// Series lists the series that have a result in the last 24 hours, and those that are
// watched, by pair and timeframe. What other runs add is seen within 15 s.
func (s *Service) Series(ctx context.Context) ([]Series, error) {
	known, err := s.knownSeries(ctx)
	if err != nil {
		return nil, unreachable("to read the series", err)
	}
	s.series.mu.Lock()
	watched := s.series.watched
	s.series.mu.Unlock()
	list := make([]Series, 0, len(known)+len(watched))
	for _, k := range known {
		if k.ID != nil {
			list = append(list, k)
		}
	}
	for _, w := range watched {
		is := func(k Series) bool { return k.Pair == w.Pair.String() && k.Timeframe == w.Timeframe }
		i := slices.IndexFunc(list, is)
		if i < 0 {
			i = len(list)
			one := Series{Pair: w.Pair.String(), Timeframe: w.Timeframe, Simulated: s.Simulated}
			if failed := slices.IndexFunc(known, is); failed >= 0 {
				one = known[failed]
			}
			list = append(list, one)
		}
		list[i].Watched = true
		if w.Failed != nil {
			list[i].LastError = w.Failed
		}
	}
	slices.SortFunc(list, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Pair, b.Pair), cmp.Compare(a.Timeframe.Duration(), b.Timeframe.Duration()))
	})
	return list, nil
}

// knownSeries reads the series that are noted in the counters of the last 24 hours, those
// without a result too.
func (s *Service) knownSeries(ctx context.Context) ([]Series, error) {
	s.series.reading.Lock()
	defer s.series.reading.Unlock()
	now := time.Now().UTC()
	if s.series.known != nil && now.Sub(s.series.at) < seriesAge {
		return s.series.known, nil
	}
	since := now.Add(-lookBack)
	hours, err := s.hours(ctx, since.Truncate(time.Hour), now.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	results, failures := map[string]string{}, map[string]string{}
	for _, h := range hours { // oldest first, so that the newest failure stays
		for name, text := range h.Texts {
			if key, is := strings.CutPrefix(name, resultOfSeries); is {
				if madeAt(text).After(since) {
					results[key] = max(results[key], text)
				}
			} else if key, is := strings.CutPrefix(name, errorOfSeries); is {
				failures[key] = text
			}
		}
	}
	known := []Series{}
	for key, position := range results {
		known = s.appendSeries(known, key, position, failures[key])
	}
	for key, failed := range failures {
		if _, decided := results[key]; !decided {
			known = s.appendSeries(known, key, "", failed)
		}
	}
	s.series.at, s.series.known = now, known
	return known, nil
}

// madeAt gives when the result of a text was made, and the zero time for no such text.
func madeAt(position string) time.Time {
	position, made, _ := strings.Cut(position, " ")
	at, err := time.Parse(time.RFC3339Nano, made)
	if err != nil || !store.IsPosition(position) {
		return time.Time{}
	}
	return at
}

// appendSeries reads what is noted of a series. An error that is older than its newest
// result says nothing any more.
func (s *Service) appendSeries(list []Series, key, position, failed string) []Series {
	mark := strings.LastIndexByte(key, '#')
	if mark < 0 {
		return list // it is a text about a provider of that name
	}
	one := Series{Pair: key[:mark], Timeframe: signal.Timeframe(key[mark+1:]), Simulated: s.Simulated}
	if place, _, _ := strings.Cut(position, " "); place != "" {
		one.CandleTime, one.ID = new(candleOf(place)), new(store.IDOf(place))
	}
	when, code, _ := strings.Cut(failed, " ")
	if at, err := time.Parse(time.RFC3339Nano, when); err == nil && at.After(madeAt(position)) {
		one.LastError = &SeriesError{At: at, Error: code}
	}
	return append(list, one)
}
