package provider

// The errors of failed attempts: error answers, broken connections, and answers that are
// not a vote. What an error body means is in meaning.go.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
)

// fail makes an error. In its text $name and $model are the provider and the model that is
// asked, and $API_KEY is the name of the provider's variable: GROK_API_KEY.
func (r *Remote) fail(kind signal.FailureKind, retryable bool, text string, args ...any) *Error {
	return &Error{Kind: kind, Retryable: retryable, Message: fmt.Sprintf(r.expand(text), args...)}
}

func (r *Remote) expand(text string) string {
	return os.Expand(text, func(word string) string {
		switch word {
		case "name":
			return r.name
		case "model":
			return strings.ReplaceAll(r.model.ID, "%", "%%")
		case "API_KEY":
			return cmp.Or(r.settings.KeyVariable, Variable(r.name, word))
		}
		return Variable(r.name, word)
	})
}

// adviser is a [Wire] that knows more settings than the four of the usual advice.
type adviser interface {
	// Advice says what to change after a message that refuses a request, given in lower
	// case, in the words of [Remote.fail]; empty: nothing is known.
	Advice(message string) string
}

// brokeOff are the statuses of a gateway that stopped waiting for the provider behind it.
// The answer may have been made, and billed, nevertheless.
var brokeOff = []int{http.StatusBadGateway, http.StatusGatewayTimeout, statusUnknownOrigin, statusSlowOrigin}

// judge turns an error answer into an error. p is the body as it was read, and asked the
// question, whose words a provider may repeat.
func (r *Remote) judge(status int, header http.Header, body []byte, p problem, asked Prompt) *Error {
	question := strings.ToLower(asked.System + "\n" + asked.User)
	effective := effectiveStatus(status, p)
	about, isEcho := meaningOf(effective, p, question)
	if endpoint.IsHTML(body) && (about == wrongKey || about == noAccess) {
		// A page comes from a proxy or a firewall, which knows nothing about the account.
		about = wrongAddress
	}
	out := outcomes[about]
	var wait time.Duration
	if out.retryable || about == noMoney {
		wait = endpoint.RetryAfter(header, time.Now(), maxRetryAfter)
		if wait == 0 {
			wait = p.wait
		}
		if wait == 0 {
			wait = namedWait(p.message, question, time.Now())
		}
	}
	answered, told := fmt.Sprintf("answered %d", status), status
	switch {
	case status/100 == 2 && effective != 0:
		answered, told = fmt.Sprintf("answered %d with error %d", status, effective), effective
	case status/100 == 2:
		answered += " with an error"
	}
	advice := out.advice
	switch special, _ := r.wire.(adviser); {
	case special != nil && (about == wrongSetting || about == wrongModel):
		advice = cmp.Or(special.Advice(strings.ToLower(p.message+string(body))), advice)
	case about == wrongAddress && told == http.StatusNotFound:
		advice = "check $MODEL ($model) and $BASE_URL"
	case about == tooMany && wait > 0:
		advice = fmt.Sprintf("ask again in %s, or raise the rate limit at the provider", wait)
	}
	failed := r.fail(out.kind, out.retryable, "$name %s: %s; "+advice, answered, r.words(effective, p.message, body))
	failed.Denied = out.denied && !isEcho
	failed.BillUnknown = about == unclear || slices.Contains(brokeOff, effective)
	failed.Status, failed.RetryAfter = told, wait
	return failed
}

// words gives what the provider said, in at most 200 cleaned characters.
func (r *Remote) words(status int, message string, body []byte) string {
	switch {
	case status >= 300 && status < 400:
		return "a redirect, which is not followed because the key would go along"
	case message == "" && endpoint.IsHTML(body):
		return "an HTML page, probably of a proxy"
	case message == "":
		message = string(body)
	}
	if message = strings.TrimRight(r.clean.text(message, maxMessage), ".;, "); message != "" {
		return message
	}
	if text := http.StatusText(status); text != "" {
		return strings.ToLower(text)
	}
	return "no reason given"
}

// broken turns an error of the connection into one of ours. It does not wrap that error and
// cleans its text, since net/http may quote what the other side sent. billUnknown tells
// whether the provider may have begun to answer.
func (r *Remote) broken(ctx context.Context, err error, billUnknown bool) (failed *Error) {
	var far *farError
	var slow net.Error
	switch said := r.clean.text(err.Error(), maxMessage); {
	case ctx.Err() != nil:
		failed = r.ended(ctx.Err())
	case errors.As(err, &far):
		failed = r.fail(signal.FailureProvider, false, "$name was not asked: $BASE_URL %s", far)
	case errors.As(err, &slow) && slow.Timeout():
		failed = r.fail(signal.FailureTimeout, true, "$name could not be reached in time: %s; check the network and $BASE_URL", said)
	default:
		failed = r.fail(signal.FailureProvider, true, "the connection to $name broke: %s; ask again; if that does not help, check the network and $BASE_URL", said)
	}
	failed.BillUnknown = billUnknown
	return failed
}

// ended is the error of an attempt whose context ended.
func (r *Remote) ended(cause error) *Error {
	failed := r.fail(signal.FailureTimeout, true, "$name did not answer in time; give it more time with $TIMEOUT_SECONDS or TIMEOUT_SECONDS, or choose a faster model with $MODEL")
	if errors.Is(cause, context.Canceled) {
		failed = r.fail(signal.FailureNotNeeded, true, "$name was cancelled before it answered")
	}
	failed.cause = cause
	return failed
}

// invalid is the error of an answer that is not a vote.
func (r *Remote) invalid(what string) *Error {
	return r.fail(signal.FailureInvalidResponse, true, "$name answered, but not with a vote: %s; ask again; if that does not help, choose another model with $MODEL", what)
}

// stopped is the error of an answer that its provider calls incomplete.
func (r *Remote) stopped(reply Reply) *Error {
	reason := r.clean.text(reply.Reason, maxMessage)
	switch {
	case reply.Stopped == signal.FailureRefusal:
		return r.fail(reply.Stopped, false, "$name would not answer: %s; if that happens often, choose another model with $MODEL", reason)
	case reply.Stopped == signal.FailureTruncated && reply.AtLimit:
		return r.fail(reply.Stopped, false, "$name reached the output limit of %d tokens before its vote was complete (%s); raise $MAX_TOKENS", r.model.MaxTokens, reason)
	case reply.Stopped == signal.FailureTruncated:
		return r.fail(reply.Stopped, false, "$name stopped before its vote was complete (%s); send less market data, or choose another model with $MODEL", reason)
	case reason == "":
		return r.invalid("its answer lacks fields")
	default:
		return r.invalid("it ended with " + reason)
	}
}
