package venue

// The HTTP client of a venue, without what differs between wire formats. A call names the
// series as the venue does, sends the request, reads a bounded answer, checks it for an
// error, reads the rows, and selects the closed candles. While a venue asks not to be
// called, calls fail without a request.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/market"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// Limits of one call.
const (
	patience      = 5 * time.Second // short enough to leave time for the next venue
	maxBody       = 1 << 20         // a full answer has about 100 KB
	maxQuoted     = 200             // characters of a venue's own words in a message
	maxRetryAfter = 24 * time.Hour
)

// remote is a venue behind one wire format.
type remote struct {
	name      string
	base      string // without a slash at its end
	wire      wire
	transport http.RoundTripper
	pause     pause
}

// Name is the venue's name.
func (r *remote) Name() string { return r.name }

// Candles asks the venue once, or not at all while the venue asks not to be called.
func (r *remote) Candles(ctx context.Context, series market.Series, last time.Time) (market.Fetched, error) {
	if series.Timeframe.Duration() == 0 || !series.Timeframe.Open(last).Equal(last) {
		return market.Fetched{}, r.fail(series, market.ErrUnsupported, 0, fmt.Sprintf("%s is not the open time of such a candle: ask for one on the grid", last.UTC().Format(time.RFC3339)))
	}
	target, err := r.wire.target(series, last)
	if err != nil {
		return market.Fetched{}, r.fail(series, market.ErrUnsupported, 0, err.Error())
	}
	if rest, after := r.pause.rest(); rest > 0 {
		failed := r.fail(series, after.Kind, after.Status, fmt.Sprintf("it is left alone for another %s, since it answered with status %d (%s): ask less often, or name a further venue",
			rest.Round(time.Second), after.Status, after.Kind))
		failed.RetryAfter = rest
		return market.Fetched{}, failed
	}
	answer, failed := r.get(ctx, series, target)
	if failed != nil {
		r.pause.note(failed)
		return market.Fetched{}, failed
	}
	rows, err := r.wire.rows(answer.body, series.Pair)
	var candles []signal.Candle
	if err == nil {
		candles, err = r.wire.layout.candles(rows)
	}
	if err != nil {
		return market.Fetched{}, r.fail(series, market.ErrMalformed, answer.status, "its answer can't be believed: "+err.Error()+"; try again later, or name a further venue")
	}
	// Some venues do not mark the open candle, and our clock may be ahead of theirs.
	candles = slices.DeleteFunc(candles, func(c signal.Candle) bool {
		return !answer.at.IsZero() && c.Time.Add(series.Timeframe.Duration()).After(answer.at)
	})
	candles, kind, why := closed(candles, series, last)
	if kind != "" {
		return market.Fetched{}, r.fail(series, kind, answer.status, why)
	}
	return market.Fetched{Venue: r.name, Candles: candles}, nil
}

// answer is an answer that is not an error.
type answer struct {
	body   []byte
	status int
	at     time.Time // by the venue's clock, to the second; zero: it did not say
}

// get gives the answer to a request.
func (r *remote) get(caller context.Context, series market.Series, target string) (answer, *market.Error) {
	ctx, cancel := context.WithTimeout(caller, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+target, nil)
	if err != nil {
		return answer{}, r.fail(series, market.ErrUnavailable, 0, "its address is not usable: check "+variable(r.name))
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "thalas")
	response, err := r.transport.RoundTrip(request)
	if err != nil {
		return answer{}, r.broken(caller, series, 0, err)
	}
	defer response.Body.Close()
	// The body is read to its end, so that the connection can be used again, or one byte
	// beyond the limit.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	status := response.StatusCode
	isSuccess := status/100 == 2
	switch {
	case err != nil && (isSuccess || caller.Err() != nil):
		return answer{}, r.broken(caller, series, status, err)
	case isSuccess && len(body) > maxBody:
		return answer{}, r.fail(series, market.ErrMalformed, status, "its answer is larger than 1 MiB: check "+variable(r.name))
	}
	body = strictjson.WithoutBOM(body)
	if failed := r.judge(series, response, body); failed != nil {
		return answer{}, failed
	}
	at, _ := http.ParseTime(response.Header.Get("Date"))
	return answer{body, status, at}, nil
}

// judge gives the error in an answer, or nil. Some statuses are clear by themselves; for
// the others the error in the body counts.
func (r *remote) judge(series market.Series, response *http.Response, body []byte) *market.Error {
	kind, says := r.wire.problem(body)
	status := response.StatusCode
	isPage := endpoint.IsHTML(body)
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusTeapot: // Binance sends 418 to callers that ignore a 429
		kind = market.ErrRateLimited
	case status == http.StatusUnavailableForLegalReasons || status == http.StatusForbidden:
		kind = market.ErrRefused
	case status >= 500:
		kind = market.ErrUnavailable
	case kind == "" && status/100 == 2 && isPage:
		kind = market.ErrMalformed
	case kind == "" && status/100 != 2:
		kind = market.ErrUnavailable
	case kind == "":
		return nil
	}
	told := fmt.Sprintf("its answer has status %d", status)
	if isPage {
		told += " and is an HTML page, as of a proxy"
	}
	if says != "" {
		told += fmt.Sprintf(" and says %q", shorten(says))
	}
	failed := r.fail(series, kind, status, told)
	failed.RetryAfter = endpoint.RetryAfter(response.Header, time.Now(), maxRetryAfter)
	switch kind {
	case market.ErrRateLimited:
		if failed.RetryAfter > 0 {
			failed.Message += fmt.Sprintf(", to be left alone for %s", failed.RetryAfter.Round(time.Second))
		}
		failed.Message += ": it limits requests; ask less often, or name a further venue"
	case market.ErrRefused:
		failed.Message += ": it does not serve this address or country; name another venue"
	case market.ErrUnsupported:
		failed.Message += ": check the pair, or name a venue that lists it"
	case market.ErrMalformed:
		failed.Message += ": check " + variable(r.name)
	default:
		failed.Message += ": try again later, name a further venue, or check " + variable(r.name)
	}
	return failed
}

// broken makes the error of a call without a whole answer.
func (r *remote) broken(caller context.Context, series market.Series, status int, err error) *market.Error {
	var why string
	switch ended := caller.Err(); {
	case errors.Is(ended, context.Canceled):
		err, why = ended, "it was no longer wanted before there was an answer"
	case ended != nil:
		err, why = ended, "there was no answer within the time that was left: give it more, or try again"
	case errors.Is(err, context.DeadlineExceeded):
		// The time limit is ours. As a cause it would look like the caller's deadline.
		err, why = nil, fmt.Sprintf("there was no whole answer within %s: try again later, or name a further venue", patience)
	case status != 0:
		why = fmt.Sprintf("its answer broke off (%s): try again", shorten(err.Error()))
	default:
		why = fmt.Sprintf("it can't be reached (%s): try again, or check %s", shorten(err.Error()), variable(r.name))
	}
	failed := r.fail(series, market.ErrUnavailable, status, why)
	failed.Cause = err
	return failed
}

// fail makes an error of this venue.
func (r *remote) fail(series market.Series, kind market.Kind, status int, why string) *market.Error {
	return &market.Error{Kind: kind, Venue: r.name, Status: status, Message: fmt.Sprintf("%s gave no candles of %s: %s", r.name, series, why)}
}

// shorten cuts a foreign text for a message.
func shorten(text string) string {
	return strictjson.Cut(strings.ToValidUTF8(text, "\ufffd"), maxQuoted)
}

// The pause after an answer of a venue that does not say how long it wants. A refusal
// depends on the law of a country, which does not change in a minute.
const (
	rateLimitPause = 10 * time.Second
	refusalPause   = 10 * time.Minute
)

// pause remembers that a venue asked not to be called for a while.
type pause struct {
	mu    sync.Mutex
	until time.Time     // guarded by mu
	after *market.Error // guarded by mu; the answer that began it
}

// note begins a pause if the error names one, or is of a kind that needs one.
func (p *pause) note(e *market.Error) {
	wait := e.RetryAfter
	if wait == 0 {
		switch e.Kind {
		case market.ErrRateLimited:
			wait = rateLimitPause
		case market.ErrRefused:
			wait = refusalPause
		default:
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.until) {
		p.until, p.after = until, e
	}
}

// rest gives how long the pause still lasts, and the answer that began it; 0 without one.
func (p *pause) rest() (time.Duration, *market.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.until)), p.after
}
