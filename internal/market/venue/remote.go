package venue

// A venue that is asked over HTTP: what is the same for all wire formats. One
// call is: name the series as the venue does, send the request, read a bounded
// answer, judge it, read the rows, keep the closed candles.

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
)

// Limits of one call.
const (
	patience      = 5 * time.Second // so that there is time left for the next venue
	maxBody       = 1 << 20         // a full answer has about 100 KB
	maxQuoted     = 200             // characters of a venue's own words in a message
	maxRetryAfter = 24 * time.Hour
)

// A wire is what one venue's format has of its own.
type wire interface {
	// target gives the path and query that ask for the newest closed candles up
	// to the one that opened at last. The error says what the venue does not have.
	target(series market.Series, last time.Time) (string, error)

	// problem reads the venue's own word for an error. It gives no kind where the
	// body is none, which many venues send with status 200.
	problem(body []byte) (kind market.Kind, says string)

	// candles reads the rows of an answer, in any order, without those that the
	// venue itself marks as open. An error says which row can't be believed, and why.
	candles(body []byte, series market.Series) ([]signal.Candle, error)
}

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

// Candles asks the venue once, or not at all while it wants to be left alone.
func (r *remote) Candles(ctx context.Context, series market.Series, last time.Time) ([]signal.Candle, error) {
	if series.Timeframe.Duration() == 0 || !series.Timeframe.Open(last).Equal(last) {
		return nil, r.fail(series, market.ErrUnsupported, 0, fmt.Sprintf("%s is not the open time of such a candle: ask for one on the grid", last.UTC().Format(time.RFC3339)))
	}
	target, err := r.wire.target(series, last)
	if err != nil {
		return nil, r.fail(series, market.ErrUnsupported, 0, err.Error())
	}
	if rest, after := r.pause.rest(); rest > 0 {
		failed := r.fail(series, after.Kind, after.Status, fmt.Sprintf("it is left alone for another %s, since it answered with status %d (%s): ask less often, or name a further venue",
			rest.Round(time.Second), after.Status, after.Kind))
		failed.RetryAfter = rest
		return nil, failed
	}
	answer, failed := r.get(ctx, series, target)
	if failed != nil {
		r.pause.note(failed)
		return nil, failed
	}
	rows, err := r.wire.candles(answer.body, series)
	if err != nil {
		return nil, r.fail(series, market.ErrMalformed, answer.status, "its answer can't be believed: "+err.Error()+"; try again later, or name a further venue")
	}
	// Not every venue marks the open candle, and our clock may be ahead of the venue's.
	rows = slices.DeleteFunc(rows, func(c signal.Candle) bool {
		return !answer.at.IsZero() && c.Time.Add(series.Timeframe.Duration()).After(answer.at)
	})
	candles, kind, why := closed(rows, series, last)
	if kind != "" {
		return nil, r.fail(series, kind, answer.status, why)
	}
	return candles, nil
}

// answer is one that is no error by its status or its words.
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
	// To the end, so that the connection can be used again, or one byte too far.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	status := response.StatusCode
	isSuccess := status/100 == 2
	switch {
	case err != nil && (isSuccess || caller.Err() != nil):
		return answer{}, r.broken(caller, series, status, err)
	case isSuccess && len(body) > maxBody:
		return answer{}, r.fail(series, market.ErrMalformed, status, "its answer is larger than 1 MiB: check "+variable(r.name))
	}
	body = signal.WithoutBOM(body)
	if failed := r.judge(series, response, body); failed != nil {
		return answer{}, failed
	}
	at, _ := http.ParseTime(response.Header.Get("Date"))
	return answer{body, status, at}, nil
}

// judge gives the error that an answer is. What a status says for sure counts
// more than the words in the body; for the others the venue's words count.
func (r *remote) judge(series market.Series, response *http.Response, body []byte) *market.Error {
	kind, says := r.wire.problem(body)
	status := response.StatusCode
	isPage := endpoint.IsHTML(body)
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusTeapot: // 418: Binance's for those who ignored 429
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

// broken is the error of a call without a whole answer.
func (r *remote) broken(caller context.Context, series market.Series, status int, err error) *market.Error {
	var why string
	switch ended := caller.Err(); {
	case errors.Is(ended, context.Canceled):
		err, why = ended, "it was no longer wanted before there was an answer"
	case ended != nil:
		err, why = ended, "there was no answer within the time that was left: give it more, or try again"
	case errors.Is(err, context.DeadlineExceeded):
		// The limit is ours: the caller's own, which the cause would tell of, has not passed.
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
	characters := []rune(strings.ToValidUTF8(text, "\ufffd"))
	if len(characters) > maxQuoted {
		return string(characters[:maxQuoted]) + "…"
	}
	return string(characters)
}

// How long a venue is left alone that does not say how long. A country does not
// change its law in a minute.
const (
	rateLimitPause = 10 * time.Second
	refusalPause   = 10 * time.Minute
)

// pause remembers that a venue wants no requests for a while.
type pause struct {
	mu    sync.Mutex
	until time.Time     // guarded by mu
	after *market.Error // guarded by mu; what it answered
}

// note begins a pause where the error asks for one, in words or by its kind.
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

// rest gives how long the pause still lasts, and what began it; 0 without one.
func (p *pause) rest() (time.Duration, *market.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.until)), p.after
}
