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

// kinds lists every kind.
var kinds []*kind

func newKind(k kind) *kind {
	kinds = append(kinds, &k)
	return &k
}

var (
	unreadableBody = newKind(kind{name: "unreadable-body", status: http.StatusBadRequest, title: "The body is not JSON", level: slog.LevelInfo,
		meaning: "The body is empty, is not JSON in UTF-8, is nested deeper than 32 levels, has NaN or Infinity, or did not arrive in time.",
		remedy:  "Send one JSON object. JSON has no NaN: an indicator that is not known yet is null, or its key is left out."})
	_ = newKind(kind{name: "unreadable-event", status: http.StatusBadRequest, title: "The event is not a request", level: slog.LevelWarn,
		meaning: "The Lambda function was invoked with an event that is not an HTTP request.",
		remedy:  "Invoke it through API Gateway, or with a proxy event of a REST API (payload format 1.0)."})
	unauthorized = newKind(kind{name: "unauthorized", status: http.StatusUnauthorized, title: "No accepted API key", level: slog.LevelWarn,
		meaning: "The server requires an API key, and the request has none, or one that is not accepted.",
		remedy:  "Send the key in the header x-api-key. The server is configured with the SHA-256 of each key, in hex."})
	wrongKeys = newKind(kind{name: "too-many-wrong-keys", status: http.StatusTooManyRequests, title: "Too many wrong API keys", retryAfter: guessForgotten, level: slog.LevelDebug,
		meaning: "Many wrong API keys came from the same address. Further wrong keys are not checked for a while. A right key is accepted at once.",
		remedy:  "Send a right key. The server is configured with the SHA-256 of each key, in hex."})
	crossOrigin = newKind(kind{name: "cross-origin", status: http.StatusForbidden, title: "A page of another origin", level: slog.LevelWarn,
		meaning: "A browser says that a page of another origin sends this request. Asking costs money, so such pages are refused.",
		remedy:  "Ask from a program, or from a page of this server."})
	probeForbidden = newKind(kind{name: ProblemName(service.ErrProbe), status: http.StatusForbidden, title: "Probing is not allowed", level: slog.LevelInfo,
		meaning: "This server may not call providers to check their keys.",
		remedy:  "Ask without probe=true: health from past calls needs no new call."})
	unknownRoute = newKind(kind{name: "unknown-route", status: http.StatusNotFound, title: "No such route", level: slog.LevelInfo,
		meaning: "This server has no such path.",
		remedy:  "GET /openapi.json lists every route. A pair belongs in the query and not in the path: ?pair=BTC/USDT."})
	unknownID = newKind(kind{name: ProblemName(service.ErrNotFound), status: http.StatusNotFound, title: "No such consensus", level: slog.LevelInfo,
		meaning: "There is no consensus with that id, or it was deleted because of its age.",
		remedy:  "Take the id from an answer or from the history."})
	noSignalYet = newKind(kind{name: ProblemName(service.ErrNoSignal), status: http.StatusNotFound, title: "No signal yet", retryable: true, level: slog.LevelDebug,
		meaning: "Nobody has asked about this pair and timeframe yet. Simulated and real results are separate.",
		remedy:  "POST /v1/consensus asks. A bot does nothing until there is a signal."})
	staleSignal = newKind(kind{name: ProblemName(service.ErrStale), status: http.StatusNotFound, title: "The newest signal is too old", retryable: true, level: slog.LevelDebug,
		meaning: "There is a consensus, but it was made longer ago than max_age allows.",
		remedy:  "POST /v1/consensus asks anew. A bot does not act on an old signal."})
	methodNotAllowed = newKind(kind{name: "method-not-allowed", status: http.StatusMethodNotAllowed, title: "Method not allowed", level: slog.LevelInfo,
		meaning: "The path exists, but not with this method.",
		remedy:  "The header Allow lists the methods."})
	inFlight = newKind(kind{name: ProblemName(service.ErrInFlight), status: http.StatusConflict, title: "The same question is being worked on", retryable: true, retryAfter: time.Second, level: slog.LevelInfo,
		meaning: "A request with the same Idempotency-Key has not been answered yet.",
		remedy:  "Send the same request again after Retry-After: the answer is the same and is paid only once."})
	bodyTooLarge = newKind(kind{name: "body-too-large", status: http.StatusRequestEntityTooLarge, title: "The body is too large", level: slog.LevelInfo,
		meaning: "The body is over the limit, 256 KiB unless the server is built otherwise.",
		remedy:  "Send at most 500 candles and fewer indicators."})
	wrongMediaType = newKind(kind{name: "unsupported-media-type", status: http.StatusUnsupportedMediaType, title: "The body is not declared as JSON", level: slog.LevelInfo,
		meaning: "The Content-Type is not application/json in UTF-8, or the body is compressed.",
		remedy:  "Send Content-Type: application/json and no Content-Encoding."})
	invalidRequest = newKind(kind{name: "invalid-request", status: http.StatusUnprocessableEntity, title: "The request breaks a rule", level: slog.LevelInfo,
		meaning: "Fields of the request break rules. No provider was asked, and nothing has to be paid.",
		remedy:  "errors lists every mistake with its place and what to send instead."})
	otherBody = newKind(kind{name: ProblemName(service.ErrOtherBody), status: http.StatusUnprocessableEntity, title: "The Idempotency-Key belongs to another question", level: slog.LevelInfo,
		meaning: "The same Idempotency-Key was sent with another body before. Bodies are compared byte by byte.",
		remedy:  "Send a new key with a new question, and the same key only with exactly the same bytes."})
	requestBudget = newKind(kind{name: ProblemName(service.ErrRequestBudget), status: http.StatusUnprocessableEntity, title: "The request may cost too much", level: slog.LevelInfo,
		meaning: "The highest possible cost of this request is over the limit for one request.",
		remedy:  "Send less market data, or raise REQUEST_BUDGET_USD."})
	dailyBudget = newKind(kind{name: ProblemName(service.ErrDailyBudget), status: http.StatusTooManyRequests, title: "The day's budget is used up", retryable: true, level: slog.LevelWarn,
		meaning: "The money that was spent and reserved today leaves too little for this request.",
		remedy:  "Retry-After says when the UTC day ends, or when the present runs, which reserve the rest, may have ended. DAILY_BUDGET_USD is the limit."})
	noProviders = newKind(kind{name: ProblemName(orchestrator.ErrNoProviders), status: http.StatusServiceUnavailable, title: "No provider can be asked", retryAfter: time.Minute, level: slog.LevelWarn,
		meaning: "No provider is enabled and has a key. A missing quorum is never a HOLD.",
		remedy:  "GET /v1/health says for each provider why it can't be asked."})
	insufficientProviders = newKind(kind{name: ProblemName(orchestrator.ErrInsufficientProviders), status: http.StatusServiceUnavailable, title: "Too few providers can be asked", retryAfter: 30 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers are enabled and have a key than the decision needs votes. A missing quorum is never a HOLD.",
		remedy:  "Lower min_providers, or see in GET /v1/health why providers can't be asked."})
	insufficientResponses = newKind(kind{name: ProblemName(orchestrator.ErrInsufficientResponses), status: http.StatusServiceUnavailable, title: "Too few votes", retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers voted than the decision needs. A missing quorum is never a HOLD.",
		remedy:  "failures says for each provider what went wrong. If retryable is true, asking again may help."})
	tooLate = newKind(kind{name: ProblemName(TooLate), status: http.StatusGatewayTimeout, title: "Too few votes in time", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "Fewer providers voted than the decision needs, and at least one had no time left.",
		remedy:  "Ask again, with a longer timeout_seconds, or with wait set to decided."})
	stillAsked = newKind(kind{name: ProblemName(service.ErrStillAsked), status: http.StatusGatewayTimeout, title: "The question is still being asked", retryable: true, retryAfter: time.Second, level: slog.LevelWarn,
		meaning: "Another request asked the same, this one waited for its votes, and they did not come within this request's time. Nothing was paid for this request.",
		remedy:  "Ask again, with a longer timeout_seconds. Cache-Control: no-cache asks alone."})
	tooManyRuns = newKind(kind{name: ProblemName(service.ErrBusy), status: http.StatusServiceUnavailable, title: "Too many runs at once", retryable: true, retryAfter: time.Second, level: slog.LevelWarn,
		meaning: "The server is already working on as many questions as it accepts, or as its memory allows.",
		remedy:  "Ask again after Retry-After, or raise MAX_CONCURRENT_RUNS or GOMEMLIMIT, whichever the detail names."})
	budgetUnknown = newKind(kind{name: ProblemName(service.ErrNoBudget), status: http.StatusServiceUnavailable, title: "The budget cannot be checked", retryable: true, retryAfter: 10 * time.Second, level: slog.LevelError,
		meaning: "The record of today's spending cannot be reached, and without it the server spends nothing.",
		remedy:  "Ask again later. GET /v1/health shows whether the store is reachable."})
	storeUnreachable = newKind(kind{name: ProblemName(service.ErrStore), status: http.StatusServiceUnavailable, title: "The store cannot be reached", retryable: true, retryAfter: time.Second, level: slog.LevelError,
		meaning: "Stored results, counters or idempotency keys cannot be read, or the store's file is damaged, deleted or replaced.",
		remedy:  "Ask again. GET /v1/health shows whether the store is reachable; the server's log says what is wrong with its file."})
	keysUnavailable = newKind(kind{name: ProblemName(service.ErrKeys), status: http.StatusServiceUnavailable, title: "The providers' keys cannot be read", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelError,
		meaning: "The keys of the providers are in a secret that cannot be read, has no value, or has another form than expected. No provider was asked.",
		remedy:  "The detail says what is wrong, and gives the command if the secret has to be filled. A restart is not needed."})
	runCanceled = newKind(kind{name: ProblemName(orchestrator.ErrCanceled), status: http.StatusServiceUnavailable, title: "The run was cancelled", retryable: true, retryAfter: time.Second, level: slog.LevelWarn,
		meaning: "The run was stopped before it came to a decision.",
		remedy:  "Ask again."})
	aggregationFailed = newKind(kind{name: ProblemName(orchestrator.ErrAggregation), status: http.StatusInternalServerError, title: "Failed to aggregate consensus", level: slog.LevelError,
		meaning: "There were votes, but no decision could be made from them.",
		remedy:  "Report it with the request id: the log has the rest. Do not trade on it."})
	_ = newKind(kind{name: "answer-too-large", status: http.StatusInternalServerError, title: "The answer is too large", level: slog.LevelError,
		meaning: "The answer is larger than the 6 MB that Lambda allows.",
		remedy:  "Ask for less at once, with a smaller limit or a shorter time."})
	internalError = newKind(kind{name: "internal-error", status: http.StatusInternalServerError, title: "Something unexpected happened", level: slog.LevelError,
		meaning: "A mistake of the server. The log has the rest, under the request id.",
		remedy:  "Report it with the request id."})
)

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
	k := kindNamed(ProblemName(signal.CodeOf(err)))
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

// kindNamed gives the kind of a name, or nil.
func kindNamed(name string) *kind {
	if i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name }); i >= 0 {
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
	p.Failures, p.cause, p.run = e.Failures, e.Cause, e.RunID
	if k.status != http.StatusInternalServerError && k != runCanceled {
		p.Retryable = e.Retryable()
		p.retryAfter = max(p.retryAfter, e.RetryAfter)
	}
	return p
}

// gatewayKinds are answered by API Gateway before a function sees the request, as
// template.yaml words them. They are here to be explained.
var gatewayKinds = []*kind{
	newKind(kind{name: "forbidden", status: http.StatusForbidden, title: "Not allowed", level: slog.LevelInfo,
		meaning: "On AWS: the address that the request comes from is not in AllowedCidrs, or the web ACL refuses it.",
		remedy:  "Call from an allowed address, or change the parameters of the stack."}),
	newKind(kind{name: "rate-limited", status: http.StatusTooManyRequests, title: "Too many requests", retryable: true, retryAfter: time.Second, level: slog.LevelInfo,
		meaning: "On AWS: more requests came at once than the usage plan allows. No provider was asked.",
		remedy:  "Ask again after Retry-After. RateLimit and BurstLimit, for questions AskRateLimit and AskBurstLimit, are the stack's parameters."}),
	newKind(kind{name: "quota-exceeded", status: http.StatusTooManyRequests, title: "The key's quota is used up", retryable: true, retryAfter: time.Hour, level: slog.LevelInfo,
		meaning: "On AWS: the usage plan of the API key allows no more requests for now. No provider was asked.",
		remedy:  "Wait for the quota's next period, or raise the quota of the usage plan."}),
	newKind(kind{name: "gateway-timeout", status: http.StatusGatewayTimeout, title: "No answer in time", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "On AWS: the function did not answer in the time that the gateway waits. The run may nevertheless have ended, and been paid and stored.",
		remedy:  "Look at GET /v1/consensus/latest, or ask again with the same Idempotency-Key: what was answered is not paid twice."}),
	newKind(kind{name: "refused", status: http.StatusBadRequest, title: "The request was refused", level: slog.LevelInfo,
		meaning: "On AWS: the gateway refused the request before it reached the service, for a reason without its own problem. The status is that of the gateway. No provider was asked.",
		remedy:  "Compare the request with the contract, GET /openapi.json: path, method, headers and their lengths."}),
}
