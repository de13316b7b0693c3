package service

// One question, asked once: requests that ask the models the same at the same time share the
// votes of one run, their leader's, and each decides by its own weights, gates and quorum.
// docs/sharing.md lists what happens in which case.
//
// Within a process the requests wait for the leader's flight. Processes tell each other of
// their flights by notes, where the store has them.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
)

// The values of Options.ShareVotes.
const (
	ShareOff    = "off"    // nobody shares
	ShareCaller = "caller" // the requests of one caller
	ShareAll    = "all"    // everybody
)

const (
	// patience is how much longer than its own run would take a request waits for the votes
	// of another, and how much sooner the other's time must end for a new run to be of use. On
	// Lambda a run ends 1.5 s before the invocation does, so this leaves time for the answer.
	patience = time.Second
	// waitersPerRun is how many requests may wait for each run that a process takes at once.
	waitersPerRun = 4
	// mostLanded is the most flights whose votes a process keeps for max_age, some 10 kB each.
	mostLanded = 512
)

// landing is how a flight ended.
type landing struct {
	orchestrator.Votes               // its Run is empty if the votes can't be had
	Left               time.Duration `json:"left"`  // of the leader's time
	Need               int           `json:"need"`  // the leader's quorum
	Asked              bool          `json:"asked"` // a provider was asked, or may have been
	refused            error         // why nobody was asked, if this process refused it
	gone               bool          // the leader was killed or can't be watched any more
	version            string        // of the note that tells of it; what a new leader replaces
	reported           chan struct{} // closed when this process has written that note; nil: it does not
}

// flight is a run that is shared, in this process or in another.
type flight struct {
	key     string
	request orchestrator.Checked // its market data is that of all who wait, who keep none of their own
	after   string               // the version of the note that this flight replaces; empty: any that has ended
	done    chan struct{}
	land    landing            // set before done is closed
	unwatch context.CancelFunc // ends the watching of another process; nil: the flight is led here. Guarded by flights.mu
	waiting int                // guarded by flights.mu
	next    *flight            // guarded by flights.mu: the one flight of all who can't use this one's votes
}

// flights are those of a process. The zero value is ready.
type flights struct {
	mu      sync.Mutex
	aloft   map[string]*flight // by key; guarded by mu
	landed  map[string]landing // by key, where there are no notes; guarded by mu
	waiting int                // requests; guarded by mu
}

// asking is a request on its way through shared.
type asking struct {
	Question
	orchestrator.Checked
	key      string
	began    time.Time
	deadline time.Time // until when its own run would ask providers
	waited   bool      // for another run
}

// shared answers a question by the votes of another run of the same question, or else by a
// run of its own, whose votes others may share. ctx is the caller's; running goes on when
// the caller has gone.
func (s *Service) shared(ctx, running context.Context, q Question, request orchestrator.Checked) (Answer, error) {
	if s.ShareVotes == ShareOff || s.ShareVotes == "" || q.NoCache ||
		s.prepare(running) != nil || !s.Orchestrator.Possible(request) { // its own run says why
		return s.alone(ctx, running, q, request, func(landing) {})
	}
	scope := ""
	if s.ShareVotes == ShareCaller && (s.Callers > 0 || s.Frozen) { // otherwise all are one caller
		scope = q.Caller
	}
	now := time.Now()
	a := &asking{Question: q, Checked: request, began: now, deadline: now.Add(s.Orchestrator.TimeLeft(running, request))}
	a.key = s.Orchestrator.Fingerprint(request, scope, now)
	if end, found := s.landedBefore(running, a); found {
		return s.decideBy(running, a, end, signal.CacheHit)
	}
	f, leads := s.flights.join(a.key, request, !q.Cancelable)
	if f == nil { // nobody asks, and it may not lead
		return s.alone(ctx, running, q, request, func(landing) {})
	}
	again := false // it has asked once more already
	for {
		if leads {
			answer, err := s.lead(ctx, running, a, f)
			if !errors.Is(err, errLedElsewhere) {
				return answer, err
			}
		}
		end, err := s.await(ctx, running, a, f)
		switch {
		case err != nil:
			return Answer{}, err
		case len(end.Votes.Votes) >= a.MinProviders():
			return s.decideBy(running, a.with(f), end, signal.CacheCoalesced)
		case !a.mayAsk(end, again):
			return s.undecidedBy(running, a.with(f), end)
		case a.Cancelable: // a run that ends with its caller leads nobody
			return s.alone(ctx, running, a.Question, a.with(f).WithTimeout(time.Until(a.deadline)), func(landing) {})
		}
		again = again || !end.gone && (end.Asked || end.Run == "")
		if f, leads = s.flights.follow(f, end.version); leads && end.reported != nil {
			<-end.reported // else the old flight would seem to be under way
		}
	}
}

// mayAsk reports whether a request asks itself, as if nobody had, after a flight whose votes
// it can't use.
func (a *asking) mayAsk(end landing, again bool) bool {
	left := time.Until(a.deadline)
	switch {
	case left <= 0:
		return false
	case end.gone:
		return true
	case !end.Asked && end.Run != "": // too few providers could be asked for the leader's quorum
		return a.MinProviders() < end.Need
	case !end.Asked: // the leader was refused
		return !again
	}
	return !again && left > end.Left+patience
}

// with gives the request back its market data, which is that of the flight.
func (a *asking) with(f *flight) *asking {
	a.Checked = a.WithMarketOf(f.request)
	return a
}

// join gives the flight of a key. Without one it begins one, which the caller must lead; if
// it may not, there is none.
func (fs *flights) join(key string, request orchestrator.Checked, mayLead bool) (f *flight, leads bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f = fs.aloft[key]; f != nil || !mayLead {
		return f, false
	}
	return fs.begin(key, request, ""), true
}

// follow gives the flight of those who can't use the votes of f. The first of them leads it.
func (fs *flights) follow(f *flight, version string) (next *flight, leads bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.next != nil {
		return f.next, false
	}
	if f.next = fs.aloft[f.key]; f.next != nil { // of a request that came after f had ended
		return f.next, false
	}
	f.next = fs.begin(f.key, f.request, version)
	return f.next, true
}

// begin makes a flight. The caller holds fs.mu.
func (fs *flights) begin(key string, request orchestrator.Checked, after string) *flight {
	if fs.aloft == nil {
		fs.aloft = map[string]*flight{}
	}
	f := &flight{key: key, request: request, after: after, done: make(chan struct{})}
	fs.aloft[key] = f
	return f
}

// end ends a flight in this process.
func (fs *flights) end(f *flight, end landing) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.land = end
	if fs.aloft[f.key] == f {
		delete(fs.aloft, f.key)
	}
	close(f.done)
}

var errLedElsewhere = errors.New("another process leads the flight")

// lead runs a flight that this request has begun. It gives errLedElsewhere if another process
// asks the same; then the flight is that one's, and the request waits for it like others.
func (s *Service) lead(ctx, running context.Context, a *asking, f *flight) (Answer, error) {
	request := a.with(f).Checked
	left := time.Until(a.deadline)
	if a.waited {
		request = request.WithTimeout(max(left, 1))
	}
	claimed, landed := false, false
	var telling sync.WaitGroup
	land := func(end landing) {
		landed = true
		end.Left, end.Need = max(time.Until(a.deadline), 0), request.MinProviders()
		s.keep(f.key, end)
		if claimed {
			end.version, end.reported = landedVersion(request.ID()), make(chan struct{})
			telling.Go(func() {
				defer close(end.reported)
				s.report(running, f, request, end)
			})
		}
		s.flights.end(f, end)
	}
	defer telling.Wait()
	defer func() {
		if !landed { // a panic: what was asked and answered is lost
			land(landing{Asked: true})
		}
	}()
	if claimed, landed = s.announce(running, f, request.ID(), left); landed {
		return Answer{}, errLedElsewhere
	}
	answer, err := s.alone(ctx, running, a.Question, request, land)
	if !landed {
		land(landing{refused: err})
	}
	return answer, err
}

// alone asks the models in a slot of its own. It calls land as soon as they have answered.
func (s *Service) alone(ctx, running context.Context, q Question, request orchestrator.Checked, land func(landing)) (Answer, error) {
	free, err := s.takeSlot(ctx, q.Caller, q.Size)
	if err != nil {
		return Answer{}, err
	}
	defer free()
	return s.run(running, request, land)
}

// landingOf gives what a run hands on: its votes and failures, and not what it made of them.
func landingOf(request orchestrator.Checked, result *signal.Consensus, undecided *orchestrator.Error) landing {
	end := landing{}
	if result != nil {
		end.Votes = orchestrator.Votes{Run: result.ID, At: result.VotesAt, Candle: result.CandleTime, Votes: result.Responses, Failures: result.Failures}
	} else {
		now := time.Now().UTC().Truncate(time.Millisecond)
		end.Votes = orchestrator.Votes{Run: undecided.RunID, At: now, Candle: request.Candle(now), Votes: undecided.Votes, Failures: undecided.Failures}
	}
	end.Asked = len(end.Votes.Votes) > 0 || slices.ContainsFunc(end.Failures, func(f signal.Failure) bool { return f.Attempts > 0 })
	return end
}

// await waits until a flight has ended. The request holds no slot meanwhile, and none of its
// market data.
func (s *Service) await(ctx, running context.Context, a *asking, f *flight) (landing, error) {
	if f.isDone() {
		return f.land, nil
	}
	waiting := s.flights.enter(f)
	defer s.flights.leave(f)
	if most := waitersPerRun * s.MaxConcurrentRuns; waiting > most {
		return landing{}, &Error{Message: fmt.Sprintf("%d requests wait for runs under way, and this process lets no more wait. Try again.", most), RetryAfter: time.Second, kind: ErrBusy}
	}
	a.Checked, a.waited = a.WithMarketOf(orchestrator.Checked{}), true
	s.log.LogAttrs(running, slog.LevelDebug, "Waiting for the votes of another run:", slog.String("run", a.ID()))
	if a.Waiting != nil {
		a.Waiting()
	}
	if a.IdempotencyKey != "" { // a caller who has gone may come back for the answer
		ctx = running
	}
	timer := time.NewTimer(time.Until(a.deadline) + patience)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	if !f.isDone() {
		return landing{}, stillAsked("Another request's run on the same question did not end within this request's time. Ask again: its votes may be there then.")
	}
	return f.land, nil
}

func (f *flight) isDone() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// enter counts a request that waits for a flight, and says how many wait now. It must be
// followed by leave.
func (fs *flights) enter(f *flight) (waiting int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.waiting++
	f.waiting++
	return fs.waiting
}

// leave ends what enter began. If nobody waits any more for a flight of another process, the
// watching ends before leave returns.
func (fs *flights) leave(f *flight) {
	fs.mu.Lock()
	fs.waiting--
	f.waiting--
	last := f.waiting == 0 && f.unwatch != nil
	fs.mu.Unlock()
	if last {
		f.unwatch()
		<-f.done
	}
}

func stillAsked(message string) error {
	return &Error{Message: message, RetryAfter: time.Second, kind: ErrStillAsked}
}

// decideBy decides a question by the votes of another run. Nothing is paid.
func (s *Service) decideBy(ctx context.Context, a *asking, end landing, cache signal.Cache) (Answer, error) {
	probability, ended := s.probability(ctx, a.Timeframe())
	defer ended()
	result, err := s.Orchestrator.Share(ctx, a.WithProbability(probability), end.Votes, cache, a.began, time.Since(a.began))
	var undecided *orchestrator.Error
	if errors.As(err, &undecided) {
		own := *undecided
		own.Failures = nil // the leader has counted them
		s.storeFailure(ctx, a.Checked, &own, nil)
	}
	if err != nil {
		return Answer{}, err
	}
	body := s.storeResult(ctx, result, nil, nil)
	s.Meter.Decided(result, body != nil)
	return Answer{Consensus: result, Body: body}, nil
}

// undecidedBy gives the error of a question whose quorum another run's votes do not reach,
// or whose votes can't be had.
func (s *Service) undecidedBy(ctx context.Context, a *asking, end landing) (Answer, error) {
	switch {
	case end.refused != nil:
		return Answer{}, end.refused
	case end.Run == "":
		return Answer{}, stillAsked("Another request's run on the same question ended without votes that could be read. Ask again.")
	}
	return s.decideBy(ctx, a, end, signal.CacheCoalesced)
}

// landedBefore gives votes that are there already, if the request takes votes of their age.
func (s *Service) landedBefore(ctx context.Context, a *asking) (landing, bool) {
	if a.MaxAge <= 0 {
		return landing{}, false
	}
	end := s.kept(ctx, a.key)
	now := time.Now()
	fresh := now.Sub(end.At) <= a.MaxAge && now.Before(end.Candle.Add(2*a.Timeframe().Duration()))
	return end, fresh && len(end.Votes.Votes) >= a.MinProviders()
}

// kept gives how the last flight of a key ended, in any process; without one the zero landing,
// which has no votes.
func (s *Service) kept(ctx context.Context, key string) landing {
	if s.Notes == nil {
		s.flights.mu.Lock()
		defer s.flights.mu.Unlock()
		return s.flights.landed[key]
	}
	note, err := s.noteOf(ctx, key)
	s.logNote(ctx, votesNotShared, "read", err)
	if note.End == nil {
		return landing{}
	}
	return *note.End
}

// keep keeps votes for max_age in this process. It drops the oldest where there are too many.
func (s *Service) keep(key string, end landing) {
	if s.Notes != nil || len(end.Votes.Votes) == 0 {
		return
	}
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	landed := s.flights.landed
	if landed == nil {
		landed = map[string]landing{}
		s.flights.landed = landed
	}
	if len(landed) >= mostLanded {
		oldest := key
		for other, l := range landed {
			if o, there := landed[oldest]; !there || l.At.Before(o.At) {
				oldest = other
			}
		}
		delete(landed, oldest)
	}
	landed[key] = end
}
