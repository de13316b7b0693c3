package provider

// What a failure means: the one table of codes and phrases, for all providers and
// for the gateways in front of them, and what is done about each meaning.

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
)

// meaning is what a failed call is about.
type meaning int

const (
	unclear      meaning = iota // an error in a 200 that nobody knows
	wrongKey                    // the key is wrong, unknown, revoked or disabled
	noMoney                     // no credits, or a limit of spending or of a day is reached
	wrongContent                // content or policy: what was asked is refused
	wrongModel                  // the model is unknown, or not for this account
	wrongSetting                // the model doesn't take a parameter, or the request is wrong otherwise
	wrongAddress                // 404 without words, a redirect, or a page of a proxy
	noAccess                    // the account, the country or the address is not served
	tooLarge                    // this request is too large, at any time
	tooMany                     // too many requests, or the model is overloaded
	tooSlow                     // it had not the time
	broken                      // anything else on the provider's side
)

// outcome is what is done about a meaning.
type outcome struct {
	kind      signal.FailureKind
	retryable bool
	denied    bool
}

var outcomes = [...]outcome{
	unclear:      {signal.FailureInvalidResponse, true, false},
	wrongKey:     {signal.FailureAuthentication, false, false},
	noMoney:      {signal.FailureRateLimit, false, false},
	wrongContent: {signal.FailureRefusal, false, false},
	wrongModel:   {signal.FailureProvider, false, false},
	wrongSetting: {signal.FailureProvider, false, false},
	wrongAddress: {signal.FailureProvider, false, false},
	noAccess:     {signal.FailureProvider, false, true},
	tooLarge:     {signal.FailureProvider, false, false},
	tooMany:      {signal.FailureRateLimit, true, false},
	tooSlow:      {signal.FailureTimeout, true, false},
	broken:       {signal.FailureProvider, true, false},
}

const (
	statusUnknownOrigin = 520 // Cloudflare's: the server behind it broke off
	statusSlowOrigin    = 524 // Cloudflare's: the server behind it took too long
	statusOverloaded    = 529 // Anthropic's
)

// ofStatus says what a status means where no words are known.
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
	case http.StatusNotFound:
		return wrongAddress
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
	case status < http.StatusBadRequest:
		return wrongAddress
	}
	return wrongSetting
}

// statusOf gives the status that a word stands for. It counts only where the
// status itself says little: in a 200, a 400 and a 500.
var statusOf = map[string]int{
	"authentication_error": 401, "unauthenticated": 401, "permission_error": 403, "permission_denied": 403, "permission-denied": 403,
	"not_found_error": 404, "not_found": 404, "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429,
	"resource_exhausted": 429, "resource-exhausted": 429, "too_many_requests": 429, "server_error": 500, "api_error": 500, "internal": 500,
	"internal_server_error": 500, "unavailable": 503, "service_unavailable_error": 503, "timeout_error": 504, "deadline_exceeded": 504,
	"overloaded_error": statusOverloaded, "invalid_request_error": 400, "invalid_argument": 400, "failed_precondition": 400,
}

// denying are the statuses with which a whole account is refused; 0 is an error
// in a 200 that has no code.
var denying = []int{0, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}

// meanings says what the words of a failure mean. Codes come before phrases, and
// in both the first row that fits decides, so that a narrow one stands before a
// wide one: "content violates … API key ID: x" is about content.
var meanings = []struct {
	meaning
	in      []int    // only with these statuses; nil: with any
	noWait  bool     // only where no wait is told
	codes   []string // whole words of code, type, status or reason, in lower case
	phrases []string // parts of the message, in lower case
}{
	{meaning: wrongContent,
		codes: []string{"content_filter", "content_policy_violation", "content_policy", "invalid_prompt", "responsibleaipolicyviolation", "moderation_blocked",
			"prohibited_content", "safety", "data_inspection_failed", "contentpolicyviolationerror"},
		phrases: []string{"usage guidelines", "usage policy", "usage policies", "acceptable use policy", "content policy", "content policies", "content filter",
			"content management policy", "contentpolicyviolation", "safety_check", "safety check", "safety system", "safety filter", "for safety", "prohibited content",
			"inappropriate content", "content exists risk", "violates our policies", "violate our policies", "prompt was flagged", "input was flagged", "content was flagged", "been flagged by", "input flagged", "requires moderation", "moderation policy"}},
	{meaning: tooLarge,
		codes: []string{"context_length_exceeded", "request_too_large", "string_above_max_length", "tokens_limit_reached"},
		phrases: []string{"request too large", "context length", "context window", "context limit", "prompt is too long", "input is too long", "maximum prompt length",
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
		codes: []string{"unsupported_country_region_territory", "service_disabled", "account_deactivated", "no_organization", "invalid_organization", "organization_disabled",
			"ip_not_authorized", "consumer_suspended", "consumer_invalid", "api_key_service_blocked", "api_key_ip_address_blocked", "api_key_http_referrer_blocked"},
		phrases: []string{"organization has been disabled", "organization is disabled", "account has been", "account is suspended", "has been deactivated", "has been suspended",
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

// original is what was asked, for the phrases that an error may repeat from it.
type original struct {
	prompt Prompt
	lower  string
}

// holds reports whether words in lower case stand in the question.
func (q *original) holds(words string) bool {
	if q.lower == "" {
		q.lower = strings.ToLower(q.prompt.System + "\n" + q.prompt.User)
	}
	return strings.Contains(q.lower, words)
}

// aboutRequest are the meanings that are about what one caller asked.
var aboutRequest = []meaning{wrongContent, wrongModel, wrongSetting, tooLarge}

// meaningOf reads what p, with that status, is about. Phrases that the question
// holds count for nothing, since providers repeat what callers wrote; isEcho
// reports that there was one. Where that one is about a request, the rest of the
// message may be too, and nothing in it is held against the account.
func meaningOf(status int, p problem, asked *original) (m meaning, isEcho bool) {
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
			if !asked.holds(phrase) {
				return row.meaning, isEcho
			}
			if isEcho = true; slices.Contains(aboutRequest, row.meaning) {
				return ofStatus(status), isEcho
			}
		}
	}
	return ofStatus(status), isEcho
}

// effectiveStatus is the status of an error: that of the answer or, where it says
// little, the one that the body tells. It is 0 for an error in a 200 without one.
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

// maxRetryAfter bounds a wait. A provider that says more is tried again after it:
// limits are raised and accounts paid before their time.
const maxRetryAfter = 15 * time.Minute

// ParseRetryDelay reads a duration as protocol buffers write it in JSON, such as
// 17.5s. It gives 0…15 min; 0 for text that is none.
func ParseRetryDelay(text string) time.Duration {
	seconds, isDuration := strings.CutSuffix(strings.TrimSpace(text), "s")
	if !isDuration {
		return 0
	}
	return endpoint.ParseWait(seconds, time.Second, maxRetryAfter)
}

// named finds a wait or a time in a message: "try again in 9m38.016s", "regain
// access on 2026-12-01 at 00:00 UTC", "retry after 30 seconds".
var named = regexp.MustCompile(`(?i)(?:again|retry|access|resets?)\s+(?:in|on|at|after)\s+([0-9][0-9a-z.:-]*)(?:\s+(seconds?|minutes?|at\s+[0-9]{2}:[0-9]{2}))?`)

// namedWait gives the wait that a message names; 0 where it names none, or where
// the question holds the same words.
func namedWait(message string, asked *original, now time.Time) time.Duration {
	found := named.FindStringSubmatch(message)
	if found == nil || asked.holds(strings.ToLower(found[0])) {
		return 0
	}
	what, unit := strings.TrimRight(found[1], ".:-"), strings.ToLower(found[2])
	if wait, err := time.ParseDuration(what); err == nil {
		return endpoint.BoundWait(wait, maxRetryAfter)
	}
	if n, err := strconv.Atoi(what); err == nil {
		switch {
		case strings.HasPrefix(unit, "second"):
			return endpoint.ParseWait(what, time.Second, maxRetryAfter)
		case strings.HasPrefix(unit, "minute") && n <= int(maxRetryAfter/time.Minute):
			return endpoint.BoundWait(time.Duration(n)*time.Minute, maxRetryAfter)
		case strings.HasPrefix(unit, "minute"):
			return maxRetryAfter
		}
		return 0
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02"} {
		at, err := time.Parse(layout, strings.ToUpper(what))
		if err != nil {
			continue
		}
		if clock, is := strings.CutPrefix(unit, "at"); is {
			if hour, err := time.Parse("15:04", strings.TrimSpace(clock)); err == nil {
				at = at.Add(time.Duration(hour.Hour())*time.Hour + time.Duration(hour.Minute())*time.Minute)
			}
		}
		return endpoint.BoundWait(at.Sub(now), maxRetryAfter)
	}
	return 0
}
