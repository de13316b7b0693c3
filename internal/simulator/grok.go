package simulator

// Grok: xAI speaks OpenAI's Chat Completions, with errors and a usage of its own.

import (
	"fmt"
	"slices"
	"strings"
)

type grokFormat struct{ openaiFormat }

func (grokFormat) requestID(n int) (string, string) {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", n), "X-Request-Id"
}

func (grokFormat) read(body fields, _ string) (question, *problem) {
	q, wrong := readChat(body)
	if wrong != nil {
		return q, wrong
	}
	effort, _ := body.text("reasoning_effort")
	switch {
	case !body.has("reasoning_effort"):
	case strings.HasPrefix(q.model, "grok-4.20-"):
		return q, bad("reasoning_effort", "Model "+q.model+" does not support parameter reasoningEffort.")
	case !slices.Contains([]string{"none", "low", "medium", "high", "xhigh"}, effort):
		return q, bad("reasoning_effort", "Invalid reasoning effort: expected none, low, medium, high or xhigh.")
	}
	if q.thinking = thinkingTokens(effort); strings.Contains(q.model, "non-reasoning") {
		q.thinking = 0
	}
	return q, nil
}

// What the simulated model costs, in ticks a token: $1.25 and $2.50 a million.
const (
	ticksPerInput  = 12_500
	ticksPerOutput = 25_000
)

func (grokFormat) answer(r reply) any {
	body := chatAnswer(r)
	body["usage"] = fields{
		"prompt_tokens":         r.usage.input,
		"completion_tokens":     r.usage.output, // reasoning is beside it
		"total_tokens":          r.usage.input + r.usage.output + r.usage.thinking,
		"prompt_tokens_details": fields{"text_tokens": r.usage.input, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": r.usage.cached},
		"completion_tokens_details": fields{
			"reasoning_tokens": r.usage.thinking, "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
		"num_sources_used":  0,
		"cost_in_usd_ticks": r.usage.input*ticksPerInput + (r.usage.output+r.usage.thinking)*ticksPerOutput,
	}
	return body
}

func (grokFormat) list(models []string) any { return chatList(models, "xai") }

// The codes are the names of gRPC statuses in words, which xAI sends as they are.
const (
	grokInvalid     = "Client specified an invalid argument"
	grokForbidden   = "The caller does not have permission to execute the specified operation"
	grokExhausted   = "Some resource has been exhausted"
	grokUnavailable = "The service is currently unavailable"
)

var grokProblems = map[condition]row{
	badRequest:       {400, grokInvalid, "", "The request is not valid."},
	missingKey:       {401, "The request does not have valid authentication credentials", "", "No API key was sent. You can obtain an API key from https://console.x.ai."},
	wrongKey:         {400, grokInvalid, "", "Incorrect API key provided: si***ed. You can obtain an API key from https://console.x.ai."},
	forbidden:        {403, grokForbidden, "", "Your team does not have permission to use this model."},
	outOfQuota:       {429, grokExhausted, "", "Your team has either used all available credits or reached its monthly spending limit."},
	rateLimited:      {429, grokExhausted, "", "Too many requests for this team: the limit of requests per minute is reached."},
	overloaded:       {503, grokUnavailable, "", "The model is at capacity. Please try again later."},
	unavailable:      {503, grokUnavailable, "", "Service temporarily unavailable."},
	notFound:         {404, "Some requested entity was not found", "", "The model does not exist or your team does not have access to it."},
	methodNotAllowed: {405, grokInvalid, "", "The request method is not allowed on this path."},
	tooLarge:         {413, grokInvalid, "", "The request body is too large."},
	unprocessable:    {422, grokInvalid, "", "The request cannot be processed."},
	serverError:      {500, "Internal error", "", "Internal error"},
	requestTimeout:   {408, "The operation was cancelled", "", "The request took too long to arrive."},
	gatewayTimeout:   {504, "Deadline expired before operation could complete", "", "The request timed out."},
	contentPolicy:    {403, grokForbidden, "", "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"},
	creditsDenied:    {403, "permission-denied", "", "Your team has either used all available credits or reached its monthly spending limit."},
	modelDenied:      {403, grokForbidden, "", "Your team does not have permission to use this model."},
	regionDenied:     {403, "permission-denied", "", "This service is not available in your region."},
	usageLimit:       {429, grokExhausted, "", "Your team has either used all available credits or reached its monthly spending limit."},
	accountDisabled:  {403, "permission-denied", "", "Your team has been suspended."},
	requestTooLarge:  {400, grokInvalid, "", "This model's maximum prompt length is 131072 but the request contains 537812 tokens."},
}

func (grokFormat) problem(p *problem, key, _ string) (int, any) {
	r := grokProblems[alike(p.condition)]
	return r.status, fields{"code": r.kind, "error": p.words(r, key)}
}
