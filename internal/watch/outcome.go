package watch

// The outcome of a round, series by series.

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

// Status is the outcome of one series in a word.
type Status string

// The statuses.
const (
	Decided    Status = "decided"         // the models were asked, and there is a decision
	Already    Status = "already_decided" // this candle was asked about before, and nobody was asked now
	InProgress Status = "in_progress"     // another process is asking about this candle
	NoCandle   Status = "no_candle"       // the venue has no such candle: nothing was traded, or it is late
	Failed     Status = "failed"          // there is no decision, for the reason in Message
	NotReached Status = "not_reached"     // there was no time left to ask
)

// Outcome is what became of one series. The scheduled function returns it as JSON.
type Outcome struct {
	Pair       signal.Pair       `json:"pair"`
	Timeframe  signal.Timeframe  `json:"timeframe"`
	CandleTime time.Time         `json:"candle_time"` // open time of the candle that was asked about
	Status     Status            `json:"status"`
	Venue      string            `json:"venue,omitempty"` // of the candles
	ID         string            `json:"id,omitempty"`    // of the stored consensus
	Decision   signal.Decision   `json:"decision,omitempty"`
	Simulated  bool              `json:"simulated"` // the votes are from the built-in simulator
	Confidence *float64          `json:"confidence,omitempty"`
	CostUSD    float64           `json:"cost_usd"`            // known cost of this attempt, also of a failed one
	Stored     bool              `json:"stored"`              // it can be read back
	Error      string            `json:"error,omitempty"`     // what kind of failure
	Message    string            `json:"message,omitempty"`   // what happened, and what to do next
	Retryable  bool              `json:"retryable,omitempty"` // asking again later may help
	Failures   []signal.Failure  `json:"failures,omitempty"`  // providers that gave no vote, if that is why there is no decision
	Consensus  *signal.Consensus `json:"-"`                   // the decision, whole
	retryAfter time.Duration     // the wait that the failed service asks for; 0: none
	cause      string            // of the failure, for the log alone
}

// Summary is the outcome of a round.
type Summary struct {
	Time       time.Time `json:"time"` // the scheduled time
	Decided    int       `json:"decided"`
	Skipped    int       `json:"skipped"` // already decided, in progress elsewhere, or without a candle
	Failed     int       `json:"failed"`
	NotReached int       `json:"not_reached"`
	CostUSD    float64   `json:"cost_usd"`
	Series     []Outcome `json:"series"` // every series of the list, in its order
}

func summaryOf(at time.Time, outcomes []Outcome) Summary {
	s := Summary{Time: at, Series: outcomes}
	for i := range outcomes {
		s.CostUSD += outcomes[i].CostUSD
		switch outcomes[i].Status {
		case Decided:
			s.Decided++
		case Failed:
			s.Failed++
		case NotReached:
			s.NotReached++
		default:
			s.Skipped++
		}
	}
	return s
}

// Err gives an error if another call with the same event may decide a series that is still
// open. The schedule repeats calls that failed, and only open series are asked about again.
func (s Summary) Err() error {
	var open []string
	for i := range s.Series {
		if o := &s.Series[i]; o.Open() {
			open = append(open, fmt.Sprintf("%s %s (%s)", o.Pair, o.Timeframe, cmp.Or(o.Error, string(o.Status))))
		}
	}
	if len(open) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d series are open at %s and worth another try: %s", len(open), len(s.Series), s.Time.Format(time.RFC3339), strings.Join(open, ", "))
}

// Open reports whether asking again about the same candle may give a decision.
func (o *Outcome) Open() bool {
	return o.Status == NotReached || o.Status == Failed && o.Retryable
}

var (
	errNoCandle   = errors.New("no candle")              // the venue does not have the candle
	errNotReached = errors.New("it was not asked about") // a run would have been cut short
)

// decided records an answer.
func (o *Outcome) decided(answer service.Answer) {
	c := answer.Consensus
	o.Status, o.ID, o.Decision, o.Confidence, o.Consensus = Decided, c.ID, c.Decision, &c.Confidence, c
	o.Stored = answer.Body != nil || answer.Replayed && !slices.ContainsFunc(c.Warnings, func(w signal.Warning) bool { return w.Code == signal.WarnNotStored })
	if answer.Replayed {
		o.Status = Already
		return
	}
	o.CostUSD = c.TotalCostUSD
}

// failed records why there is no decision.
func (o *Outcome) failed(err error) {
	o.Status, o.Message = Failed, err.Error()
	var venue *market.Error
	var undecided *orchestrator.Error
	var refused *service.Error
	var mistakes signal.FieldErrors
	switch {
	case errors.Is(err, errNotReached):
		o.Status = NotReached
	case errors.Is(err, errNoCandle):
		o.Status = NoCandle
	case errors.Is(err, service.ErrInFlight):
		o.Status, o.Message = InProgress, "another process is asking about this candle"
	case errors.Is(err, service.ErrNotFound):
		o.Error, o.Message = "not_stored", "this candle was asked about and paid for, but its answer could not be stored: it is not asked about again, and there is no signal for it"
	case errors.As(err, &venue):
		o.Error = string(venue.Kind)
		o.Retryable = venue.Kind == market.ErrUnavailable || venue.Kind == market.ErrRateLimited
		o.retryAfter = venue.RetryAfter
	case errors.As(err, &undecided):
		o.Error, o.Retryable, o.Failures, o.CostUSD = string(signal.CodeOf(undecided)), undecided.Retryable(), undecided.Failures, undecided.Total.CostUSD
	case errors.As(err, &refused):
		o.Error, o.Retryable, o.retryAfter = string(signal.CodeOf(refused)), refused.RetryAfter > 0, refused.RetryAfter
		if cause := refused.Unwrap(); cause != nil {
			o.cause = cause.Error()
		}
		if errors.Is(err, service.ErrDailyBudget) && refused.RetryAfter > time.Minute {
			o.Retryable = false // the budget is used up until midnight
		}
	case errors.As(err, &mistakes):
		o.Error = "invalid_request"
	default:
		o.Error = "internal_error"
	}
}

// attrs are the attributes of an outcome in the log.
func (o *Outcome) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("pair", o.Pair.String()), slog.String("timeframe", string(o.Timeframe)), slog.String("candle_time", o.CandleTime.Format(time.RFC3339)),
		slog.String("status", string(o.Status)),
	}
	for _, text := range [...]struct{ name, value string }{
		{"venue", o.Venue}, {"id", o.ID}, {"decision", string(o.Decision)}, {"error", o.Error}, {"message", o.Message}, {"cause", o.cause},
	} {
		if text.value != "" {
			attrs = append(attrs, slog.String(text.name, text.value))
		}
	}
	if o.Confidence != nil {
		attrs = append(attrs, slog.Float64("confidence", *o.Confidence))
	}
	return append(attrs, slog.Float64("cost_usd", o.CostUSD))
}
