package service

// The flights of other processes: what they tell by notes in Coordination, and watching
// them. Sharing saves money and is no promise: where notes can't be written or read, each
// process asks for itself.

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/store"
)

const (
	noteTimeout = time.Second // bounds one read or write of a note
	// killedAfter is how long after the end of the leader's time its note may stay unchanged
	// before the leader is taken to be killed.
	killedAfter = 2 * time.Second
	// noteSlack is how long a note is kept at least, so that clocks that differ by less do not
	// end it early.
	noteSlack = 2 * time.Minute
	// blindFor is how long a watcher tries to read before it gives up.
	blindFor = 3 * time.Second

	firstPoll, mostPoll = 100 * time.Millisecond, 500 * time.Millisecond
)

// flightNote is what a note says of a flight.
type flightNote struct {
	version string        // of the note; empty: there is none
	Timeout time.Duration `json:"timeout"`       // how long the leader may take
	End     *landing      `json:"end,omitempty"` // nil: it is under way
}

func flightKey(key string) string { return "flight#" + key }

// landedVersion is the version of the note of a run that has ended. While it is under way the
// version is the id of the run.
func landedVersion(run string) string { return run + "#landed" }

// announce tells the other processes that this one leads a flight. If another leads it,
// elsewhere is true, and the flight ends when that one's does. claimed means that the note
// is written.
func (s *Service) announce(ctx context.Context, f *flight, run string, timeout time.Duration) (claimed, elsewhere bool) {
	if s.Notes == nil {
		return false, false
	}
	claiming, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	const attempts = 3
	old := f.after
	for range attempts {
		current, err := s.writeFlight(claiming, f.key, old, run, flightNote{Timeout: timeout}, timeout)
		if !errors.Is(err, store.ErrHeld) {
			s.logNote(ctx, votesNotShared, "announce", err)
			return err == nil, false
		}
		note, err := readFlight(current)
		switch {
		case err != nil:
			s.logNote(ctx, votesNotShared, "read", err)
			return false, false
		case note.version == "": // the one that it was to replace is gone
		case note.End == nil:
			s.watch(ctx, f, note)
			return false, true
		case old != "": // it began and ended since this request came
			s.flights.end(f, *note.End)
			return false, true
		}
		old = note.version // it ended before this request came
	}
	return false, false
}

// report tells the other processes how a flight of this one ended. The note is kept as long as
// its votes may be used.
func (s *Service) report(ctx context.Context, f *flight, request orchestrator.Checked, end landing) {
	ctx, cancel := writeContext(ctx, completeTimeout)
	defer cancel()
	keep := time.Until(end.Candle.Add(2 * request.Timeframe().Duration()))
	_, err := s.writeFlight(ctx, f.key, request.ID(), end.version, flightNote{End: &end}, keep)
	if !errors.Is(err, store.ErrHeld) { // otherwise another process took the flight over
		s.logNote(ctx, votesNotShared, "report", err)
	}
}

func (s *Service) writeFlight(ctx context.Context, key, old, version string, note flightNote, keep time.Duration) (current store.Note, err error) {
	text, err := json.Marshal(note)
	if err != nil {
		return store.Note{}, err
	}
	return s.Notes.Replace(ctx, flightKey(key), old, store.Note{Version: version, Text: string(text), ExpiresAt: time.Now().Add(max(keep, 0) + noteSlack)})
}

func readFlight(n store.Note) (note flightNote, err error) {
	if n.Version == "" {
		return flightNote{}, nil
	}
	if err := json.Unmarshal([]byte(n.Text), &note); err != nil {
		return flightNote{}, err
	}
	note.version = n.Version
	if note.End != nil {
		note.End.version = n.Version
	}
	return note, nil
}

// noteOf reads the note of a flight.
func (s *Service) noteOf(ctx context.Context, key string) (flightNote, error) {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	current, err := s.Notes.Note(ctx, flightKey(key))
	if err != nil {
		return flightNote{}, err
	}
	return readFlight(current)
}

// watch polls the note of a flight that another process leads, for all who wait for it in
// this one, until it has ended or nobody waits any more.
func (s *Service) watch(ctx context.Context, f *flight, note flightNote) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.flights.mu.Lock()
	f.unwatch = cancel
	s.flights.mu.Unlock()
	s.runs.Go(func() {
		defer cancel()
		s.flights.end(f, s.poll(ctx, f.key, note))
	})
}

// poll reads the note of a flight, which said seen, until it has ended. The leader is taken to
// be killed when this process' own clock has seen the note unchanged for too long, whatever
// other clocks say.
func (s *Service) poll(ctx context.Context, key string, seen flightNote) landing {
	since, read := time.Now(), time.Now()
	for delay := firstPoll; ; delay = min(delay*3/2, mostPoll) {
		select {
		case <-time.After(delay*3/4 + rand.N(delay/2)):
		case <-ctx.Done():
			return landing{gone: true}
		}
		note, err := s.noteOf(ctx, key)
		now := time.Now()
		switch {
		case err != nil:
			if now.Sub(read) < blindFor {
				continue
			}
			s.logNote(ctx, votesNotShared, "watch", err)
			return landing{gone: true}
		case note.version == "": // it has expired
			return landing{gone: true}
		case note.End != nil:
			return *note.End
		case note.version != seen.version: // another process took it over
			seen, since = note, now
		case now.Sub(since) > seen.Timeout+killedAfter:
			return landing{gone: true, version: seen.version}
		}
		read = now
	}
}

const (
	votesNotShared     = "Votes not shared with other processes:"
	providersNotShared = "What is known of the providers not shared:"
)

// logNote logs why a note could not be written or read, unless err is nil or says that the
// request was cancelled. Then each process asks for itself.
func (s *Service) logNote(ctx context.Context, what, step string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.LogAttrs(ctx, slog.LevelWarn, what, slog.String("step", step), slog.String("error", err.Error()))
	}
}
