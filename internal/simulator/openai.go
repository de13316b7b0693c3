package simulator

// OpenAI's Chat Completions API.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

type openaiFormat struct{}

func (openaiFormat) asks(path string) (string, bool) { return "", path == "/v1/chat/completions" }
func (openaiFormat) listPath() string                { return "/v1/models" }
func (openaiFormat) requestID(n int) (string, string) {
	return fmt.Sprintf("req_sim%08d", n), "X-Request-Id"
}

func (openaiFormat) key(header http.Header) (string, *problem) {
	key, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	if !ok || strings.TrimSpace(key) == "" {
		return "", &problem{condition: missingKey}
	}
	return key, nil
}

var chatFields = []string{
	"model", "messages", "max_completion_tokens", "response_format", "reasoning_effort", "temperature", "top_p",
	"n", "seed", "stop", "user", "metadata", "service_tier", "store", "logprobs", "top_logprobs",
	"frequency_penalty", "presence_penalty", "logit_bias", "prompt_cache_key", "safety_identifier", "verbosity",
}

func (openaiFormat) read(body fields, _ string) (question, *problem) {
	q, wrong := readChat(body)
	if wrong != nil {
		return q, wrong
	}
	effort, _ := body.text("reasoning_effort")
	if body.has("reasoning_effort") && !slices.Contains([]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, effort) {
		return q, bad("reasoning_effort", "Invalid value for 'reasoning_effort': expected one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'.")
	}
	q.thinking = thinkingTokens(effort)
	if t, _ := body.number("temperature"); body.has("temperature") && t != 1 && (q.thinking > 0 || strings.HasPrefix(q.model, "gpt-6.1")) {
		return q, bad("temperature", "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported.")
	}
	return q, nil
}

// readChat checks what OpenAI and Grok have in common.
func readChat(body fields) (question, *problem) {
	var q question
	if body.has("max_tokens") {
		return q, bad("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	if name, ok := body.unknown(chatFields...); ok {
		return q, bad(name, "Unknown parameter: '"+name+"'.")
	}
	var ok bool
	if q.model, ok = body.text("model"); !ok {
		return q, bad("model", "you must provide a model parameter")
	}
	if q.maxTokens, ok = body.positive("max_completion_tokens"); !ok && body.has("max_completion_tokens") {
		return q, bad("max_completion_tokens", "Invalid type for 'max_completion_tokens': expected an integer from 1.")
	}
	messages, ok := body.objects("messages")
	if !ok {
		return q, bad("messages", "Missing required parameter: 'messages'.")
	}
	for i, message := range messages {
		text, ok := joinText(message["content"])
		switch role := message["role"]; {
		case !ok:
			return q, bad("messages", fmt.Sprintf("Invalid type for 'messages[%d].content': expected text.", i))
		case role == "system" || role == "developer":
			q.system = joined(q.system, text)
		case role == "user" || role == "assistant":
			q.user = joined(q.user, text)
		default:
			return q, bad("messages", fmt.Sprintf("Invalid value for 'messages[%d].role'.", i))
		}
	}
	return q, checkResponseFormat(body)
}

func checkResponseFormat(body fields) *problem {
	const at = "response_format"
	format, _ := body.object(at)
	wrapper, ok := format.object("json_schema")
	if format["type"] != "json_schema" || !ok {
		return bad(at, "Missing required parameter: 'response_format.json_schema' of type 'json_schema'.")
	}
	if name, ok := wrapper.unknown("name", "strict", "schema", "description"); ok {
		return bad(at, "Unknown parameter: 'response_format.json_schema."+name+"'.")
	}
	if _, ok := wrapper.text("name"); !ok {
		return bad(at, "Missing required parameter: 'response_format.json_schema.name'.")
	}
	if wrapper["strict"] != true {
		return bad(at, "'response_format.json_schema.strict' must be true: without it the schema is not held.")
	}
	if complaint := checkSchema(wrapper["schema"], "Invalid schema for response_format"); complaint != "" {
		return bad(at, complaint)
	}
	return nil
}

func (openaiFormat) answer(r reply) any {
	body := chatAnswer(r)
	body["service_tier"] = "default"
	body["usage"] = fields{
		"prompt_tokens":         r.usage.input,
		"completion_tokens":     r.usage.output + r.usage.thinking, // reasoning inside
		"total_tokens":          r.usage.input + r.usage.output + r.usage.thinking,
		"prompt_tokens_details": fields{"cached_tokens": r.usage.cached, "audio_tokens": 0},
		"completion_tokens_details": fields{
			"reasoning_tokens": r.usage.thinking, "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
	}
	return body
}

// firstSecond stands for the time of an answer: a clock would make bodies differ.
const firstSecond = 1_790_000_000

// chatAnswer writes all but the usage, which OpenAI and Grok count differently.
func chatAnswer(r reply) fields {
	message := fields{"role": "assistant", "content": r.text, "refusal": nil}
	finish := "stop"
	switch r.ending {
	case truncated:
		finish = "length"
	case refused:
		message["content"], message["refusal"] = nil, r.text
	case blocked:
		message["content"], finish = nil, "content_filter"
	}
	if r.showThink {
		message["reasoning_content"] = thoughtText
	}
	return fields{
		"id": fmt.Sprintf("chatcmpl-sim%08d", r.number), "object": "chat.completion", "created": firstSecond + r.number, "model": r.model,
		"choices":            []fields{{"index": 0, "message": message, "logprobs": nil, "finish_reason": finish}},
		"system_fingerprint": "fp_simulated",
	}
}

func (openaiFormat) list(models []string) any { return chatList(models, OpenAI) }

func chatList(models []string, owner string) any {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{"id": model, "object": "model", "created": firstSecond, "owned_by": owner}
	}
	return fields{"object": "list", "data": data}
}

var openaiProblems = map[condition]row{
	badRequest:       {400, "invalid_request_error", "", "The request is not valid."},
	missingKey:       {401, "invalid_request_error", "", "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."},
	wrongKey:         {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: si******ed. You can find your API key at https://platform.openai.com/account/api-keys."},
	forbidden:        {403, "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"},
	outOfQuota:       {429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."},
	rateLimited:      {429, "requests", "rate_limit_exceeded", "Rate limit reached for requests per minute."},
	overloaded:       {503, "service_unavailable_error", "", "The model is overloaded. Please try again later."},
	unavailable:      {503, "server_error", "", "The server is temporarily unable to handle the request."},
	notFound:         {404, "invalid_request_error", "model_not_found", "The requested resource does not exist or you do not have access to it."},
	methodNotAllowed: {405, "invalid_request_error", "method_not_supported", "Not allowed to use this method on this path."},
	tooLarge:         {413, "invalid_request_error", "", "The request body is too large."},
	unprocessable:    {422, "invalid_request_error", "", "The request cannot be processed."},
	serverError:      {500, "server_error", "", "The server had an error while processing your request."},
	requestTimeout:   {408, "invalid_request_error", "", "The request took too long to arrive."},
	gatewayTimeout:   {504, "server_error", "", "The request timed out."},
	contentPolicy:    {400, "invalid_request_error", "invalid_prompt", "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt."},
	creditsDenied:    {429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."},
	modelDenied:      {403, "invalid_request_error", "model_not_found", "Project `p` does not have access to this model."},
	regionDenied:     {403, "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"},
	usageLimit:       {400, "invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached."},
	accountDisabled:  {401, "invalid_request_error", "account_deactivated", "The OpenAI account associated with this API key has been deactivated."},
	requestTooLarge:  {429, "tokens", "rate_limit_exceeded", "Request too large on tokens per min (TPM): Limit 1000, Requested 3061. The input or output tokens must be reduced in order to run successfully."},
}

func (openaiFormat) problem(p *problem, key, _ string) (int, any) {
	r := openaiProblems[alike(p.condition)]
	var code, param any // null where there is none
	if r.code != "" {
		code = r.code
	}
	if p.param != "" {
		param = p.param
	}
	return r.status, fields{"error": fields{"message": p.words(r, key), "type": r.kind, "param": param, "code": code}}
}

// alike gives the condition for which the providers other than Anthropic have words.
func alike(c condition) condition {
	if c == creditBalance {
		return outOfQuota
	}
	return c
}
