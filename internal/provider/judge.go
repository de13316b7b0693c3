package provider

// Errors from failed attempts: answers that are errors, broken connections, and
// answers that are no vote. What an error body means is in meaning.go.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
)

// judge turns an answer with a status, or with an error in a 200, into an error.
// asked is the question, whose words a provider may repeat.
func (r *Remote) judge(status int, header http.Header, body []byte, p problem, asked Prompt) *Error {
	q := &original{prompt: asked}
	told := effectiveStatus(status, p)
	about, isEcho := meaningOf(told, p, q)
	if endpoint.IsHTML(body) && (about == wrongKey || about == noAccess) {
		// A page is a proxy's or a firewall's word, and says nothing about the account.
		about = wrongAddress
	}
	out := outcomes[about]
	err := &Error{
		Kind:        out.kind,
		Retryable:   out.retryable,
		Denied:      out.denied && !isEcho,
		BillUnknown: about == unclear || slices.Contains(brokeOff, told),
		Status:      status,
		RequestID:   r.requestID(header, ""),
	}
	if status/100 == 2 && told != 0 {
		err.Status = told
	}
	if out.retryable || about == noMoney {
		err.RetryAfter = endpoint.RetryAfter(header, time.Now(), maxRetryAfter)
		for _, wait := range [...]time.Duration{endpoint.BoundWait(p.wait, maxRetryAfter), namedWait(p.message, q, time.Now())} {
			if err.RetryAfter == 0 {
				err.RetryAfter = wait
			}
		}
	}
	answered := fmt.Sprintf("%s answered %d", r.name, status)
	switch {
	case status/100 != 2:
	case told == 0:
		answered += " with an error"
	default:
		answered += fmt.Sprintf(" with error %d", told)
	}
	err.Message = fmt.Sprintf("%s: %s; %s", answered, r.words(told, p.message, body), r.advice(about, err))
	return err
}

// brokeOff are the statuses of a gateway that did not wait for the answer behind
// it, which may have been made, and billed, all the same.
var brokeOff = []int{http.StatusBadGateway, http.StatusGatewayTimeout, statusUnknownOrigin, statusSlowOrigin}

// words gives what the provider said, in at most 200 cleaned characters.
func (r *Remote) words(status int, message string, body []byte) string {
	switch {
	case status >= 300 && status < 400:
		return "a redirect, which is not followed because the key would go along"
	case message != "":
	case len(bytes.TrimSpace(body)) == 0:
		return statusText(status)
	case endpoint.IsHTML(body):
		return "an HTML page, as of a proxy"
	default:
		message = string(body)
	}
	if message = r.clean.text(message, maxMessage); message == "" {
		return statusText(status)
	}
	return strings.TrimRight(message, ".;, ")
}

// advice says what to do about a failure.
func (r *Remote) advice(about meaning, err *Error) string {
	variable := func(suffix string) string { return Variable(r.name, suffix) }
	switch {
	case about == wrongKey:
		return "check " + variable("API_KEY")
	case about == noMoney:
		return "add credit or raise the limit at the provider"
	case about == wrongContent:
		return fmt.Sprintf("ask something else, or choose another model by %s", variable("MODEL"))
	case about == wrongModel:
		return fmt.Sprintf("choose a model that the account has by %s (%s)", variable("MODEL"), r.model.ID)
	case about == wrongAddress && err.Status == http.StatusNotFound:
		return fmt.Sprintf("check %s (%s) and %s", variable("MODEL"), r.model.ID, variable("BASE_URL"))
	case about == wrongAddress:
		return "check " + variable("BASE_URL")
	case about == noAccess:
		return "look at the account at the provider; it is tried again later by itself"
	case about == tooLarge:
		return "send less market data"
	case about == tooMany && err.RetryAfter > 0:
		return fmt.Sprintf("ask again in %s, or raise the rate limit at the provider", err.RetryAfter)
	case err.Retryable:
		return "ask again later"
	}
	return fmt.Sprintf("check %s (%s), %s, %s and %s", variable("MODEL"), r.model.ID, variable("EFFORT"), variable("TEMPERATURE"), variable("MAX_TOKENS"))
}

// broken turns an error of the connection into one of a kind. What the network
// code says may quote what the other side sent, so its text is cleaned and the
// error itself not wrapped. A context's end is wrapped. billUnknown says whether
// the provider may have worked for it.
func (r *Remote) broken(ctx context.Context, err error, billUnknown bool) *Error {
	broke := r.howBroken(ctx, err)
	broke.BillUnknown = billUnknown
	return broke
}

func (r *Remote) howBroken(ctx context.Context, err error) *Error {
	if end := ctx.Err(); end != nil {
		return r.ended(end)
	}
	var far *farError
	if errors.As(err, &far) {
		return &Error{Kind: signal.FailureProvider, Message: fmt.Sprintf("%s was not asked: %s %s", r.name, Variable(r.name, "BASE_URL"), far)}
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return &Error{Kind: signal.FailureTimeout, Retryable: true, Message: fmt.Sprintf("%s could not be reached in time: %s; check the network and %s",
			r.name, r.clean.text(err.Error(), maxMessage), Variable(r.name, "BASE_URL"))}
	}
	return &Error{Kind: signal.FailureProvider, Retryable: true, Message: fmt.Sprintf("the connection to %s broke: %s; ask again, and check the network and %s if it stays so",
		r.name, r.clean.text(err.Error(), maxMessage), Variable(r.name, "BASE_URL"))}
}

// ended is the error of an attempt whose context ended.
func (r *Remote) ended(end error) *Error {
	if errors.Is(end, context.Canceled) {
		return &Error{Kind: signal.FailureNotNeeded, Retryable: true, Message: r.name + " was cancelled before it answered", cause: end}
	}
	return &Error{Kind: signal.FailureTimeout, Retryable: true, cause: end, Message: fmt.Sprintf("%s did not answer in time; allow it more by %s or TIMEOUT_SECONDS, or choose a faster model by %s",
		r.name, Variable(r.name, "TIMEOUT_SECONDS"), Variable(r.name, "MODEL"))}
}

// invalid is the error of a 2xx answer that is no vote.
func (r *Remote) invalid(what string) *Error {
	return &Error{Kind: signal.FailureInvalidResponse, Retryable: true, Message: fmt.Sprintf("%s answered, but not with a vote: %s; ask again, or choose another model by %s if it stays so",
		r.name, what, Variable(r.name, "MODEL"))}
}

// stopped is the error of an answer that its provider calls incomplete.
func (r *Remote) stopped(reply Reply) *Error {
	reason := r.clean.text(reply.Reason, maxMessage)
	switch {
	case reply.Stopped == signal.FailureRefusal:
		return &Error{Kind: reply.Stopped, Message: fmt.Sprintf("%s would not answer: %s; choose another model by %s if it stays so",
			r.name, reason, Variable(r.name, "MODEL"))}
	case reply.Stopped == signal.FailureTruncated && reply.AtLimit:
		return &Error{Kind: reply.Stopped, Message: fmt.Sprintf("%s reached the output limit of %d tokens before its vote was complete (%s); raise %s",
			r.name, r.model.MaxTokens, reason, Variable(r.name, "MAX_TOKENS"))}
	case reply.Stopped == signal.FailureTruncated:
		return &Error{Kind: reply.Stopped, Message: fmt.Sprintf("%s stopped before its vote was complete (%s); send less market data, or choose another model by %s",
			r.name, reason, Variable(r.name, "MODEL"))}
	case reason == "":
		return r.invalid("its answer lacks fields")
	default:
		return r.invalid("it ended by " + reason)
	}
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return strings.ToLower(text)
	}
	return "no reason given"
}
