package provider

// What a failed attempt means: statuses, error bodies and broken connections
// become errors of a kind. This is the one table of them.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"thalas/internal/signal"
)

// judge turns an answer that is not 2xx into an error.
func (r *Remote) judge(status int, header http.Header, body []byte) *Error {
	problem := r.wire.Problem(status, body)
	kind, retryable := kindOf(status)
	if kind == signal.FailureAuthentication && isHTML(body) {
		// A page is a proxy's or a firewall's word, and says nothing about the key.
		kind = signal.FailureProvider
	}
	if problem.Kind != "" {
		kind = problem.Kind
		retryable = kind == signal.FailureRateLimit || kind == signal.FailureTimeout
	}
	retryable = retryable && !problem.Final
	err := &Error{
		Kind:      kind,
		Retryable: retryable,
		Status:    status,
		RequestID: r.requestID(header, ""),
	}
	if retryable {
		if err.RetryAfter = ParseRetryAfter(header, time.Now()); err.RetryAfter == 0 {
			err.RetryAfter = boundWait(problem.RetryAfter)
		}
	}
	err.Message = fmt.Sprintf("%s answered %d: %s; %s", r.name, status, r.words(status, problem.Message, body), r.advice(err))
	return err
}

// kindOf says what a status means where the body doesn't say otherwise.
func kindOf(status int) (kind signal.FailureKind, retryable bool) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return signal.FailureAuthentication, false
	case http.StatusPaymentRequired:
		return signal.FailureRateLimit, false
	case http.StatusTooManyRequests, statusOverloaded:
		return signal.FailureRateLimit, true
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return signal.FailureTimeout, true
	default:
		return signal.FailureProvider, status >= http.StatusInternalServerError
	}
}

const statusOverloaded = 529 // Anthropic's

// words gives what the provider said, in at most 200 cleaned characters.
func (r *Remote) words(status int, message string, body []byte) string {
	switch {
	case status >= 300 && status < 400:
		return "a redirect, which is not followed because the key would go along"
	case message != "":
	case len(bytes.TrimSpace(body)) == 0:
		return statusText(status)
	case isHTML(body):
		return "an HTML page, as of a proxy"
	default:
		message = string(body)
	}
	if message = r.clean.text(message, maxMessage); message == "" {
		return statusText(status)
	}
	return strings.TrimRight(message, ".;, ")
}

// advice says what to do about an error with a status.
func (r *Remote) advice(err *Error) string {
	switch {
	case err.Status >= 300 && err.Status < 400:
		return "check " + Variable(r.name, "BASE_URL")
	case err.Kind == signal.FailureAuthentication:
		return "check " + Variable(r.name, "API_KEY")
	case err.Kind == signal.FailureRateLimit && !err.Retryable:
		return "add credit or raise the spending limit at the provider"
	case err.Kind == signal.FailureRateLimit && err.RetryAfter > 0:
		return fmt.Sprintf("ask again in %s, or raise the rate limit at the provider", err.RetryAfter)
	case err.Retryable:
		return "ask again later"
	case err.Status == http.StatusNotFound:
		return fmt.Sprintf("check %s (%s) and %s", Variable(r.name, "MODEL"), r.model.ID, Variable(r.name, "BASE_URL"))
	case err.Status == http.StatusRequestEntityTooLarge:
		return "send less market data"
	default:
		return fmt.Sprintf("check %s (%s), %s and %s", Variable(r.name, "MODEL"), r.model.ID, Variable(r.name, "EFFORT"), Variable(r.name, "MAX_TOKENS"))
	}
}

// broken turns an error of the connection into one of a kind. What the network
// code says may quote what the other side sent, so its text is cleaned and the
// error itself not wrapped. A context's end is wrapped.
func (r *Remote) broken(ctx context.Context, err error) *Error {
	if end := ctx.Err(); end != nil {
		return r.ended(end)
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

func isHTML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return strings.ToLower(text)
	}
	return "no reason given"
}
