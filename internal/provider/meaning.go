package provider

// What a failure means: the one table of codes and phrases, for all providers and for the
// gateways in front of them, and what follows from each meaning.

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
)

// meaning is the cause of a failed call.
type meaning int

const (
	unclear      meaning = iota // an error in a 200 with no known words
	wrongKey                    // the key is wrong, unknown, revoked or disabled
	noMoney                     // no credits, or a limit of spending or of a day is reached
	wrongContent                // content or policy: what was asked is refused
	wrongModel                  // the model is unknown, or not for this account
	wrongSetting                // the model doesn't take a parameter, or the request is wrong in another way
	wrongAddress                // 404 without words, a redirect, or a page of a proxy
	noAccess                    // the account, the country or the address is not served
	tooLarge                    // this request is too large, at any time
	tooMany                     // too many requests, or the model is overloaded
	tooSlow                     // the time was too short for it
	broken                      // any other failure on the provider's side
)

// outcomes says what follows from each meaning. The words of an advice are those of
// [Remote.fail].
var outcomes = [...]struct {
	kind      signal.FailureKind
	retryable bool
	denied    bool
	advice    string
}{
	unclear:      {signal.FailureInvalidResponse, true, false, "ask again later"},
	wrongKey:     {signal.FailureAuthentication, false, false, "check $API_KEY"},
	noMoney:      {signal.FailureRateLimit, false, false, "add credit or raise the limit at the provider"},
	wrongContent: {signal.FailureRefusal, false, false, "ask something else, or choose another model with $MODEL"},
	wrongModel:   {signal.FailureProvider, false, false, "set $MODEL ($model) to a model that the account may use"},
	wrongSetting: {signal.FailureProvider, false, false, "check $MODEL ($model), $EFFORT, $TEMPERATURE and $MAX_TOKENS"},
	wrongAddress: {signal.FailureProvider, false, false, "check $BASE_URL"},
	noAccess:     {signal.FailureProvider, false, true, "look at the account at the provider; later questions try it again"},
	tooLarge:     {signal.FailureProvider, false, false, "send less market data"},
	tooMany:      {signal.FailureRateLimit, true, false, "ask again later"},
	tooSlow:      {signal.FailureTimeout, true, false, "ask again later"},
	broken:       {signal.FailureProvider, true, false, "ask again later"},
}

const (
	statusUnknownOrigin = 520 // Cloudflare's: the server behind it broke off
	statusSlowOrigin    = 524 // Cloudflare's: the server behind it took too long
	statusOverloaded    = 529 // Anthropic's
)

// ofStatus says what a status means if no words are known.
func ofStatus(status int) meaning {
	switch status {
	case 0:
		return unclear
	case http.StatusUnauthorized:
		return wrongKey
	case http.StatusPaymentRequired:
		return noMoney
	case http.StatusForbidden:
		return noAccess
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusTooManyRequests, statusOverloaded:
		return tooMany
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, statusSlowOrigin:
		return tooSlow
	}
	switch {
	case status >= http.StatusInternalServerError:
		return broken
	case status < http.StatusBadRequest, status == http.StatusNotFound:
		return wrongAddress
	}
	return wrongSetting
}

// statusOf gives the status that a word in an error body stands for. It counts only if the
// HTTP status itself says little: in a 200, a 400 and a 500.
var statusOf = map[string]int{
	"authentication_error": 401, "unauthenticated": 401, "permission_error": 403, "permission_denied": 403, "permission-denied": 403,
	"not_found_error": 404, "not_found": 404, "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429,
	"resource_exhausted": 429, "resource-exhausted": 429, "too_many_requests": 429, "server_error": 500, "api_error": 500, "internal": 500,
	"internal_server_error": 500, "unavailable": 503, "service_unavailable_error": 503, "timeout_error": 504, "deadline_exceeded": 504,
	"overloaded_error": statusOverloaded, "invalid_request_error": 400, "invalid_argument": 400, "failed_precondition": 400,
}

// denying are the statuses with which a whole account is refused; 0 is that of an error in a
// 200 without a code.
var denying = []int{0, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}

// meanings says what the words of a failure mean. All codes are compared before any phrase,
// and the first row that fits decides. So a narrow row stands before a wide one: "content
// violates … API key ID: x" is about content.
var meanings = []struct {
	meaning
	in      []int    // only with these statuses; nil: with any
	noWait  bool     // only if the body names no wait
	codes   []string // whole words of code, type, status or reason, in lower case
	phrases []string // parts of the message, in lower case
}{
	{meaning: wrongContent,
		codes: []string{"content_filter", "content_policy_violation", "content_policy", "cyber_policy_violation", "invalid_prompt", "responsibleaipolicyviolation", "moderation_blocked",
			"prohibited_content", "safety", "data_inspection_failed", "contentpolicyviolationerror"},
		phrases: []string{"usage guidelines", "usage policy", "usage policies", "acceptable use policy", "content policy", "content policies", "content filter",
			"content management policy", "contentpolicyviolation", "safety_check", "safety check", "safety system", "safety filter", "for safety", "prohibited content",
			"inappropriate content", "content exists risk", "request has been flagged", "prompt was flagged", "input was flagged", "content was flagged", "been flagged by", "input flagged", "requires moderation", "moderation policy"}},
	{meaning: tooLarge,
		codes: []string{"context_length_exceeded", "request_too_large", "string_above_max_length", "tokens_limit_reached"},
		phrases: []string{"request too large", "prompt tokens limit exceeded", "context length", "context window", "context limit", "prompt is too long", "input is too long", "maximum prompt length",
			"maximum number of tokens", "reduce the length", "request exceeds the maximum size", "payload size exceeds", "required for long context"}},
	{meaning: tooMany, in: []int{http.StatusTooManyRequests}, // OpenAI adds that a payment method raises the limit
		phrases: []string{"requests per min", "tokens per min"}},
	{meaning: noMoney,
		codes: []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error", "billing_disabled", "budget_exceeded", "insufficient_credits",
			"insufficient_balance", "insufficient_funds", "payment_required", "quota_exceeded", "spending_limit", quotaPerDay},
		phrases: []string{"credit balance", "available credits", "out of credits", "any credits", "more credits", "insufficient credit", "insufficient balance",
			"insufficient funds", "insufficient quota", "credits are depleted", "credits depleted", "credits have been", "spending limit", "spend limit", "spending cap", "usage limits", "usage limit reached", "regain access",
			"billing hard limit", "check your billing", "billing to be enabled", "billing is not enabled", "billing account", "budget has been exceeded", "exceededbudget", "exceeded budget",
			"crossed budget", "monthly limit", "weekly limit", "daily limit", "key limit exceeded", "requests per day", "tokens per day", "models-per-day", "(rpd)", "(tpd)", "quota will be replenished",
			"limit: 0,", "payment required", "payment method"}},
	{meaning: noMoney, noWait: true, // with a wait, Gemini's limit of a minute
		phrases: []string{"exceeded your current quota"}},
	{meaning: wrongModel,
		codes: []string{"model_not_found", "model_not_available", "model_decommissioned", "deploymentnotfound", "key_model_access_denied", "team_model_access_denied"},
		phrases: []string{"does not have access to model", "access to the model", "access to this model", "not allowed to access model", "permission to use this model",
			"must be verified to use", "model does not exist", "model not found", "unknown model", "no such model", "not a valid model", "invalid model", "is not found for api version",
			"your team does not have access to it", "you do not have access to it", "no endpoints", "has been decommissioned"}},
	{meaning: wrongSetting,
		codes: []string{"unsupported_parameter", "unsupported_value", "unknown_parameter", "operationnotsupported"},
		phrases: []string{"unsupported parameter", "unsupported value", "unknown parameter", "does not support parameter", "not supported with this model", "not supported by this model",
			"not supported for this model", "extra inputs are not permitted"}},
	{meaning: noAccess, in: denying,
		codes: []string{"unsupported_country_region_territory", "service_disabled", "account_deactivated", "access_terminated", "no_organization", "invalid_organization", "organization_disabled",
			"ip_not_authorized", "consumer_suspended", "consumer_invalid", "api_key_service_blocked", "api_key_ip_address_blocked", "api_key_http_referrer_blocked"},
		phrases: []string{"organization has been disabled", "organization is disabled", "account has been", "account is suspended", "access was terminated", "has been deactivated", "has been suspended",
			"country, region, or territory", "location is not supported", "region is not supported", "not available in your", "ip address", "ip not authorized", "firewall rules",
			"has not been used in project", "it is disabled", "member of an organization", "access to the organization", "has been disabled in this account", "not allowed for this organization"}},
	{meaning: wrongKey, in: denying,
		codes:   []string{"invalid_api_key", "api_key_invalid", "api_key_expired", "invalid_authentication", "invalid_key"},
		phrases: []string{"incorrect api key", "invalid api key", "api key not valid", "api key expired", "api key is invalid", "invalid x-api-key", "no api key"}},
	{meaning: wrongKey, in: []int{http.StatusForbidden},
		phrases: []string{"api key", "api-key", "credentials", "bearer token"}},
	{meaning: tooMany, in: denying,
		phrases: []string{"too many requests", "rate limit"}},
}

// aboutRequest are the meanings that concern only the request of one caller.
var aboutRequest = []meaning{wrongContent, wrongModel, wrongSetting, tooLarge}

// meaningOf says what an error body with that status means. A phrase that is in the
// question too (in lower case) counts for nothing, since providers repeat what callers
// wrote; isEcho reports that there was one. If such a phrase concerns a request, the rest
// of the message may be an echo too, so only the status counts.
func meaningOf(status int, p problem, question string) (m meaning, isEcho bool) {
	message := strings.ToLower(p.message)
	fits := func(in []int, noWait bool) bool {
		return (in == nil || slices.Contains(in, status)) && !(noWait && p.wait > 0)
	}
	for _, row := range meanings {
		if fits(row.in, row.noWait) && slices.ContainsFunc(row.codes, func(code string) bool { return slices.Contains(p.words, code) }) {
			return row.meaning, false
		}
	}
	for _, row := range meanings {
		if !fits(row.in, row.noWait) {
			continue
		}
		for _, phrase := range row.phrases {
			if !strings.Contains(message, phrase) {
				continue
			}
			if !strings.Contains(question, phrase) {
				return row.meaning, isEcho
			}
			if isEcho = true; slices.Contains(aboutRequest, row.meaning) {
				return ofStatus(status), isEcho
			}
		}
	}
	return ofStatus(status), isEcho
}

// effectiveStatus is the status of an error: that of the answer or, if that says little,
// the one in the body. It is 0 for an error in a 200 without one.
func effectiveStatus(status int, p problem) int {
	if status/100 == 2 {
		status = p.status
	}
	if status == 0 || status == http.StatusBadRequest || status == http.StatusInternalServerError {
		for _, word := range p.words {
			if told := statusOf[word]; told != 0 {
				return told
			}
		}
	}
	return status
}

// maxRetryAfter bounds a wait. If a provider names a longer one, it is tried again all the
// same: limits get raised and accounts paid earlier.
const maxRetryAfter = 15 * time.Minute

// waitInMessage finds a wait or a time in a message: "try again in 9m38.016s", "regain
// access on 2026-12-01 at 00:00 UTC", "retry after 30 seconds".
var waitInMessage = regexp.MustCompile(`(?i)(?:again|retry|access|resets?)\s+(?:in|on|at|after)\s+([0-9][0-9a-z.:-]*)(?:\s+(seconds?|minutes?|at\s+[0-9]{2}:[0-9]{2}))?`)

// namedWait gives the wait that a message names. It is 0 if there is none, or if the
// question (in lower case) has the same words.
func namedWait(message, question string, now time.Time) time.Duration {
	found := waitInMessage.FindStringSubmatch(message)
	if found == nil || strings.Contains(question, strings.ToLower(found[0])) {
		return 0
	}
	what, unit := strings.TrimRight(found[1], ".:-"), strings.ToUpper(strings.Join(strings.Fields(found[2]), " "))
	if wait, err := time.ParseDuration(what); err == nil {
		return min(max(wait, 0), maxRetryAfter)
	}
	switch {
	case strings.HasPrefix(unit, "SECOND"):
		return endpoint.ParseWait(what, time.Second, maxRetryAfter)
	case strings.HasPrefix(unit, "MINUTE"):
		return endpoint.ParseWait(what, time.Minute, maxRetryAfter)
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02 AT 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, strings.TrimSpace(strings.ToUpper(what)+" "+unit)); err == nil {
			return min(max(at.Sub(now), 0), maxRetryAfter)
		}
	}
	return 0
}
