package api

// The one table of all problems: for each kind the status, the title, whether to retry, the
// log level, and what its page says. The kinds at the end are answered by API Gateway.

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/service"
	"thalas/internal/signal"
)

const problemPath = "/problems/"

// TooLate is the code of an [orchestrator.ErrInsufficientResponses] in which at least one
// provider had no time left.
const TooLate signal.ErrorCode = "insufficient_responses_in_time"

// ProblemName gives the last part of the type of the problem for an error code.
func ProblemName(code signal.ErrorCode) string {
	if code == orchestrator.ErrCanceled {
		return "run-canceled" // the only name that is not made from the code
	}
	return strings.ReplaceAll(string(code), "_", "-")
}

// kind is one kind of problem.
type kind struct {
	name       string // the last part of its type
	status     int
	title      string
	retryable  bool
	retryAfter time.Duration // unless the error has its own; 0: none is sent
	level      slog.Level
	meaning    string // what happened, for the page
	remedy     string // what to do, for the page
}

var (
	unreadableBody = &kind{name: "unreadable-body", status: http.StatusBadRequest, title: "The body is not JSON", level: slog.LevelInfo,
		meaning: "The body is empty, is not JSON in UTF-8, is nested deeper than 32 levels, holds NaN or Infinity, or did not arrive in time.",
		remedy:  "Send one JSON object. JSON has no NaN: an indicator that is not known yet is null, or its key is left out."}
	unreadableEvent = &kind{name: "unreadable-event", status: http.StatusBadRequest, title: "The event is not a request", level: slog.LevelWarn,
		meaning: "The Lambda function was invoked with an event that is no HTTP request.",
		remedy:  "Invoke it through API Gateway, or with a proxy event of a REST API (payload format 1.0)."}
	unauthorized = &kind{name: "unauthorized", status: http.StatusUnauthorized, title: "No accepted API key", level: slog.LevelWarn,
		meaning: "The server has API keys configured, and the request has none, or one that is not among them.",
		remedy:  "Send the key in the header x-api-key. The server is configured with the SHA-256 of each key, in hex."}
	wrongKeys = &kind{name: "too-many-wrong-keys", status: http.StatusTooManyRequests, title: "Too many wrong API keys", retryAfter: guessForgotten, level: slog.LevelDebug,
		meaning: "Many wrong API keys came from the same address. Further ones are not looked at for a while; a right key is answered at once.",
		remedy:  "Send a right key. The server is configured with the SHA-256 of each key, in hex."}
	crossOrigin = &kind{name: "cross-origin", status: http.StatusForbidden, title: "A page of another origin", level: slog.LevelWarn,
		meaning: "A browser says that a page of another origin sends this request. Asking costs money, so such pages are refused.",
		remedy:  "Ask from a program, or from a page that this server itself delivers."}
	probeForbidden = &kind{name: ProblemName(service.ErrProbe), status: http.StatusForbidden, title: "Probing is not allowed", level: slog.LevelInfo,
		meaning: "This server may not call providers to check their keys.",
		remedy:  "Ask without probe=true: health from what past calls have shown needs no call."}
	unknownRoute = &kind{name: "unknown-route", status: http.StatusNotFound, title: "No such route", level: slog.LevelInfo,
		meaning: "The path is none of this server's.",
		remedy:  "GET /openapi.json lists every route. Pairs travel in the query, not in the path: ?pair=BTC/USDT."}
	unknownID = &kind{name: ProblemName(service.ErrNotFound), status: http.StatusNotFound, title: "No such consensus", level: slog.LevelInfo,
		meaning: "There is no consensus of that id, or it is older than results are kept.",
		remedy:  "Take the id from an answer or from the history."}
	noSignalYet = &kind{name: ProblemName(service.ErrNoSignal), status: http.StatusNotFound, title: "No signal yet", retryable: true, level: slog.LevelDebug,
		meaning: "Nobody has asked about this pair and timeframe yet. Simulated and real results are kept apart.",
		remedy:  "POST /v1/consensus asks. A bot does nothing until there is a signal."}
	staleSignal = &kind{name: ProblemName(service.ErrStale), status: http.StatusNotFound, title: "The newest signal is too old", retryable: true, level: slog.LevelDebug,
		meaning: "There is a consensus, but it was made longer ago than max_age allows.",
		remedy:  "POST /v1/consensus asks anew. A bot does not act on an old signal."}
	methodNotAllowed = &kind{name: "method-not-allowed", status: http.StatusMethodNotAllowed, title: "Method not allowed", level: slog.LevelInfo,
		meaning: "The path exists, but not with this method.",
		remedy:  "The header Allow lists the methods."}
	inFlight = &kind{name: ProblemName(service.ErrInFlight), status: http.StatusConflict, title: "The same question is being worked on", retryable: true, retryAfter: time.Second, level: slog.LevelInfo,
		meaning: "A request with the same Idempotency-Key has not been answered yet.",
		remedy:  "Send the same request again after Retry-After: it gives the same answer, paid once."}
	bodyTooLarge = &kind{name: "body-too-large", status: http.StatusRequestEntityTooLarge, title: "The body is too large", level: slog.LevelInfo,
		meaning: "The body is over the limit, 256 KiB unless the server is built otherwise.",
		remedy:  "Send at most 500 candles and fewer indicators."}
	wrongMediaType = &kind{name: "unsupported-media-type", status: http.StatusUnsupportedMediaType, title: "The body is not declared as JSON", level: slog.LevelInfo,
		meaning: "The Content-Type is another than application/json in UTF-8, or the body is compressed.",
		remedy:  "Send Content-Type: application/json and no Content-Encoding."}
	invalidRequest = &kind{name: "invalid-request", status: http.StatusUnprocessableEntity, title: "The request breaks a rule", level: slog.LevelInfo,
		meaning: "Fields of the request break rules. Nobody was asked and nothing is to pay.",
		remedy:  "errors lists every mistake with its place and what to send instead."}
	otherBody = &kind{name: ProblemName(service.ErrOtherBody), status: http.StatusUnprocessableEntity, title: "The Idempotency-Key belongs to another question", level: slog.LevelInfo,
		meaning: "The same Idempotency-Key came with another body before. Bodies are compared byte by byte.",
		remedy:  "Send a new key with a new question, and exactly the same bytes with the same key."}
	requestBudget = &kind{name: ProblemName(service.ErrRequestBudget), status: http.StatusUnprocessableEntity, title: "The request may cost too much", level: slog.LevelInfo,
		meaning: "The most that this request may cost is over the limit for one request.",
		remedy:  "Send less market data, or raise REQUEST_BUDGET_USD."}
	dailyBudget = &kind{name: ProblemName(service.ErrDailyBudget), status: http.StatusTooManyRequests, title: "The day's budget is used up", retryable: true, level: slog.LevelWarn,
		meaning: "What was spent and reserved today leaves no room for this request.",
		remedy:  "Retry-After tells when the day in UTC ends, or when the runs under way that hold what is left may have ended. DAILY_BUDGET_USD is the limit."}
	noProviders = &kind{name: ProblemName(orchestrator.ErrNoProviders), status: http.StatusServiceUnavailable, title: "No provider can be asked", retryAfter: time.Minute, level: slog.LevelWarn,
		meaning: "No provider is enabled and has a key. A missing quorum is never a HOLD.",
		remedy:  "GET /v1/health says of each provider why it can't be asked."}
	insufficientProviders = &kind{name: ProblemName(orchestrator.ErrInsufficientProviders), status: http.StatusServiceUnavailable, title: "Too few providers can be asked", retryAfter: 30 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers are enabled and have a key than the decision needs votes. A missing quorum is never a HOLD.",
		remedy:  "Lower min_providers, or see in GET /v1/health why providers can't be asked."}
	insufficientResponses = &kind{name: ProblemName(orchestrator.ErrInsufficientResponses), status: http.StatusServiceUnavailable, title: "Too few votes", retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers voted than the decision needs. A missing quorum is never a HOLD.",
		remedy:  "failures says of each provider what went wrong. Where retryable is true, asking again may help."}
	tooLate = &kind{name: ProblemName(TooLate), status: http.StatusGatewayTimeout, title: "Too few votes in time", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers voted than the decision needs, and at least one had no time left.",
		remedy:  "Ask again, with a longer timeout_seconds, or with wait set to decided."}
	tooManyRuns = &kind{name: ProblemName(service.ErrBusy), status: http.StatusServiceUnavailable, title: "Too many runs at once", retryable: true, retryAfter: time.Second, level: slog.LevelWarn,
		meaning: "The server works on as many questions as it takes, or as its memory suffices for.",
		remedy:  "Ask again after Retry-After, or raise MAX_CONCURRENT_RUNS or GOMEMLIMIT, whichever the detail speaks of."}
	budgetUnknown = &kind{name: ProblemName(service.ErrNoBudget), status: http.StatusServiceUnavailable, title: "The budget cannot be checked", retryable: true, retryAfter: 10 * time.Second, level: slog.LevelError,
		meaning: "The record of the day's spending cannot be reached, and the server spends nothing on a guess.",
		remedy:  "Ask again later. GET /v1/health shows whether the store is reachable."}
	storeUnreachable = &kind{name: ProblemName(service.ErrStore), status: http.StatusServiceUnavailable, title: "The store cannot be reached", retryable: true, retryAfter: time.Second, level: slog.LevelError,
		meaning: "Stored results, counters or idempotency keys cannot be read, or the store's file is damaged, deleted or replaced.",
		remedy:  "Ask again. GET /v1/health shows whether the store is reachable; what is wrong with its file stands in the server's log."}
	keysUnavailable = &kind{name: ProblemName(service.ErrKeys), status: http.StatusServiceUnavailable, title: "The providers' keys cannot be read", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelError,
		meaning: "The keys of the providers are in a secret, and that cannot be read, has no value, or is not as it should be. Nobody was asked.",
		remedy:  "The detail says what is wrong and, where the secret is to be filled, with which command. No restart is needed then."}
	runCanceled = &kind{name: ProblemName(orchestrator.ErrCanceled), status: http.StatusServiceUnavailable, title: "The run was cancelled", retryable: true, retryAfter: time.Second, level: slog.LevelWarn,
		meaning: "The run was stopped before it came to a decision.",
		remedy:  "Ask again."}
	aggregationFailed = &kind{name: ProblemName(orchestrator.ErrAggregation), status: http.StatusInternalServerError, title: "Failed to aggregate consensus", level: slog.LevelError,
		meaning: "The votes came, but no decision could be made of them.",
		remedy:  "Report it with the request id: the log has the rest. Do not trade on it."}
	answerTooLarge = &kind{name: "answer-too-large", status: http.StatusInternalServerError, title: "The answer is too large", level: slog.LevelError,
		meaning: "The answer is larger than the 6 MB that Lambda lets through.",
		remedy:  "Ask for less at once, with a smaller limit or a shorter time."}
	internalError = &kind{name: "internal-error", status: http.StatusInternalServerError, title: "Something unexpected happened", level: slog.LevelError,
		meaning: "A mistake of the server. The log has the rest, under the request id.",
		remedy:  "Report it with the request id."}
)

// kinds lists every kind, by status, then those of the gateway.
var kinds = append([]*kind{
	unreadableBody, unreadableEvent, unauthorized, crossOrigin, probeForbidden, unknownRoute, unknownID, noSignalYet, staleSignal,
	methodNotAllowed, inFlight, bodyTooLarge, wrongMediaType, invalidRequest, otherBody, requestBudget, dailyBudget, wrongKeys,
	aggregationFailed, answerTooLarge, internalError,
	noProviders, insufficientProviders, insufficientResponses, tooManyRuns, budgetUnknown, keysUnavailable, storeUnreachable, runCanceled, tooLate,
}, gatewayKinds...)

// problem makes a problem of the kind. An empty detail means that of the kind.
func (k *kind) problem(detail string) *Problem {
	if detail == "" {
		detail = k.meaning
	}
	return &Problem{Type: problemPath + k.name, Title: k.title, Status: k.status, Detail: detail, Retryable: k.retryable, kind: k, retryAfter: k.retryAfter}
}

// problemOf gives the problem for an error of the service. An error without a code becomes a
// 500, whose text does not show it.
func problemOf(err error) *Problem {
	k := kindOf(signal.CodeOf(err))
	if k == nil {
		p := internalError.problem("")
		p.cause = err
		return p
	}
	var undecided *orchestrator.Error
	if errors.As(err, &undecided) {
		return undecidedProblem(k, undecided)
	}
	p := k.problem(err.Error())
	p.cause = errors.Unwrap(err)
	var refused *service.Error
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		p.retryAfter = refused.RetryAfter
	}
	return p
}

// kindOf gives the kind of a code, or nil.
func kindOf(code signal.ErrorCode) *kind {
	if i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == ProblemName(code) }); i >= 0 {
		return kinds[i]
	}
	return nil
}

// undecidedProblem is the problem of a run without a decision.
func undecidedProblem(k *kind, e *orchestrator.Error) *Problem {
	if k == insufficientResponses && e.TimedOut() {
		k = tooLate
	}
	p := k.problem(e.Error())
	p.Failures, p.cause, p.run = e.Failures, e.Unwrap(), e.RunID
	if k.status != http.StatusInternalServerError && k != runCanceled {
		p.Retryable = e.Retryable()
		p.retryAfter = max(p.retryAfter, e.RetryAfter)
	}
	return p
}

var gatewayKinds = []*kind{
	{name: "forbidden", status: http.StatusForbidden, title: "Not allowed", level: slog.LevelInfo,
		meaning: "On AWS: the address that the request comes from is not in AllowedCidrs, or the web ACL refuses it.",
		remedy:  "Call from an allowed address, or have the stack's parameters changed."},
	{name: "rate-limited", status: http.StatusTooManyRequests, title: "Too many requests", retryable: true, retryAfter: time.Second, level: slog.LevelInfo,
		meaning: "On AWS: more requests came at once than the usage plan allows. Nobody was asked.",
		remedy:  "Ask again after Retry-After. RateLimit and BurstLimit, for questions AskRateLimit and AskBurstLimit, are the stack's parameters."},
	{name: "quota-exceeded", status: http.StatusTooManyRequests, title: "The key's quota is used up", retryable: true, retryAfter: time.Hour, level: slog.LevelInfo,
		meaning: "On AWS: the usage plan of the API key allows no more requests for now. Nobody was asked.",
		remedy:  "Wait for the quota's next period, or raise the quota of the usage plan."},
	{name: "gateway-timeout", status: http.StatusGatewayTimeout, title: "No answer in time", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "On AWS: the function did not answer in the time that the gateway waits. Its run may have ended, been paid and stored all the same.",
		remedy:  "Look at GET /v1/consensus/latest, or ask again with the same Idempotency-Key: what was answered is not paid twice."},
	{name: "refused", status: http.StatusBadRequest, title: "The request was refused", level: slog.LevelInfo,
		meaning: "On AWS: the gateway refused the request before it reached the service, for a reason that has no problem of its own; the status is the gateway's. Nobody was asked.",
		remedy:  "Hold the request against the contract, GET /openapi.json: path, method, headers and their lengths."},
}
