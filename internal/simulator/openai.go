package simulator

// OpenAI's Chat Completions API. Grok of xAI speaks it too, with its own errors and its
// own count of tokens.

import (
	"fmt"
	"slices"
	"strings"
)

var openaiFormat = format{
	questions: "/v1/chat/completions", models: "/v1/models", idForm: "req_sim%08d", idHeader: "X-Request-Id", keyHeader: "Authorization", keyPrefix: "Bearer ",
	modelPrefix: "gpt-", listed: []string{"gpt-6-luna", "gpt-6.1-sol"},
	rules: append(slices.Clone(chatRules), rule{"reasoning_effort?", oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max"),
		"Invalid value for 'reasoning_effort': expected one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'."}),
	read: readOpenAI, answer: openaiAnswer, list: func(models []string) fields { return chatList(models, OpenAI) }, problem: openaiProblem,
}

var grokFormat = format{
	questions: "/v1/chat/completions", models: "/v1/models", idForm: "00000000-0000-4000-8000-%012d", idHeader: "X-Request-Id", keyHeader: "Authorization", keyPrefix: "Bearer ",
	modelPrefix: "grok-", listed: []string{"grok-4.20-0309-non-reasoning", "grok-4.7"},
	rules: append(slices.Clone(chatRules), rule{"reasoning_effort?", oneOf("none", "low", "medium", "high", "xhigh"),
		"Invalid reasoning effort: expected none, low, medium, high or xhigh."}),
	read: readGrok, answer: grokAnswer, list: func(models []string) fields { return chatList(models, "xai") },
	problem: func(r errorRow, _ *problem, _ string) fields { return fields{"code": r.kind, "error": r.message} },
}

// chatFields are the fields of a question without that of its output limit.
var chatFields = []string{"model", "messages", "response_format", "reasoning_effort", "temperature", "top_p",
	"n", "seed", "stop", "user", "metadata", "service_tier", "store", "logprobs", "top_logprobs",
	"frequency_penalty", "presence_penalty", "logit_bias", "prompt_cache_key", "safety_identifier", "verbosity"}

// chatRules are those that OpenAI and Grok have in common.
var chatRules = []rule{
	{"max_tokens?", never, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."},
	{"", only(append([]string{"max_completion_tokens"}, chatFields...)...), "Unknown parameter: '%s'."},
	{"model", isText, "you must provide a model parameter"},
	{"max_completion_tokens?", isCount, "Invalid type for 'max_completion_tokens': expected an integer from 1."},
	{"messages", isList, "Missing required parameter: 'messages'."},
	{"messages", messages("content", "system", "developer", "user", "assistant"), "Invalid value for 'messages[%s].role' or 'messages[%s].content': expected a known role and text."},
	{"response_format.type", oneOf("json_schema"), "Missing required parameter: 'response_format.json_schema' of type 'json_schema'."},
	{"response_format.json_schema", isObject, "Missing required parameter: 'response_format.json_schema' of type 'json_schema'."},
	{"response_format.json_schema", only("name", "strict", "schema", "description"), "Unknown parameter: 'response_format.json_schema.%s'."},
	{"response_format.json_schema.name", isText, "Missing required parameter: 'response_format.json_schema.name'."},
	{"response_format.json_schema.strict", oneOf(true), "'response_format.json_schema.strict' must be true: without it the schema is not held."},
	{"response_format.json_schema.schema", strictSchema("Invalid schema for response_format"), "%s"},
}

func readChat(body fields) question {
	return question{
		model: textAt(body, "model"), maxTokens: intAt(body, "max_completion_tokens"), thinking: thinkingTokens(textAt(body, "reasoning_effort")),
		system: said(body["messages"], "content", "system", "developer"), user: said(body["messages"], "content", "user", "assistant"),
	}
}

func readOpenAI(body fields, _ string) (question, *problem) {
	q := readChat(body)
	temperature, given := body["temperature"]
	if t, _ := float(temperature); given && t != 1 && (q.thinking > 0 || strings.HasPrefix(q.model, "gpt-6.1")) {
		return q, bad("temperature", "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported.")
	}
	return q, nil
}

func readGrok(body fields, _ string) (question, *problem) {
	q := readChat(body)
	if _, given := body["reasoning_effort"]; given && strings.HasPrefix(q.model, "grok-4.20-") {
		return q, bad("reasoning_effort", "Model "+q.model+" does not support parameter reasoningEffort.")
	}
	if strings.Contains(q.model, "non-reasoning") {
		q.thinking = 0
	}
	return q, nil
}

// firstSecond replaces the time of an answer: with a clock, no two bodies would be equal.
const firstSecond = 1_790_000_000

// chatAnswer writes an answer with the tokens as Grok counts them, where completion_tokens
// does not include reasoning.
func chatAnswer(r reply) (body, usage fields) {
	message := fields{"role": "assistant", "content": r.text, "refusal": nil}
	switch r.stop {
	case refused:
		message["content"], message["refusal"] = nil, r.text
	case blocked:
		message["content"] = nil
	}
	if r.showThinking {
		message["reasoning_content"] = thoughtText
	}
	reason := map[stop]string{finished: "stop", refused: "stop", truncated: "length", blocked: "content_filter"}[r.stop]
	usage = fields{
		"prompt_tokens":         r.usage.input,
		"completion_tokens":     r.usage.output,
		"total_tokens":          r.usage.input + r.usage.output + r.usage.thinking,
		"prompt_tokens_details": fields{"cached_tokens": r.usage.cached, "audio_tokens": 0},
		"completion_tokens_details": fields{
			"reasoning_tokens": r.usage.thinking, "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
	}
	return fields{
		"id": fmt.Sprintf("chatcmpl-sim%08d", r.number), "object": "chat.completion", "created": firstSecond + r.number, "model": r.model,
		"choices":            []fields{{"index": 0, "message": message, "logprobs": nil, "finish_reason": reason}},
		"system_fingerprint": "fp_simulated", "usage": usage,
	}, usage
}

func openaiAnswer(r reply) fields {
	body, usage := chatAnswer(r)
	body["service_tier"] = "default"
	usage["completion_tokens"] = r.usage.output + r.usage.thinking
	return body
}

// What the simulated model of Grok costs, in ticks per token: $1.25 and $2.50 a million.
const (
	ticksPerInput  = 12_500
	ticksPerOutput = 25_000
)

func grokAnswer(r reply) fields {
	body, usage := chatAnswer(r)
	usage["prompt_tokens_details"] = fields{"text_tokens": r.usage.input, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": r.usage.cached}
	usage["num_sources_used"] = 0
	usage["cost_in_usd_ticks"] = r.usage.input*ticksPerInput + (r.usage.output+r.usage.thinking)*ticksPerOutput
	return body
}

func chatList(models []string, owner string) fields {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{"id": model, "object": "model", "created": firstSecond, "owned_by": owner}
	}
	return fields{"object": "list", "data": data}
}

func openaiProblem(r errorRow, p *problem, _ string) fields {
	var code, param any // null if there is none
	if r.code != "" {
		code = r.code
	}
	if p.param != "" {
		param = p.param
	}
	return fields{"error": fields{"message": r.message, "type": r.kind, "param": param, "code": code}}
}
