package simulator

// Anthropic's Messages API, version 2023-06-01.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

type anthropicFormat struct{}

func (anthropicFormat) asks(path string) (string, bool) { return "", path == "/v1/messages" }
func (anthropicFormat) listPath() string                { return "/v1/models" }
func (anthropicFormat) requestID(n int) (string, string) {
	return fmt.Sprintf("req_sim%08d", n), "Request-Id"
}

func (anthropicFormat) key(header http.Header) (string, *problem) {
	key := header.Get("X-Api-Key")
	if key == "" {
		return "", &problem{condition: missingKey}
	}
	if version := header.Get("Anthropic-Version"); version != "2023-06-01" {
		message := "anthropic-version: header is required"
		if version != "" {
			message = fmt.Sprintf("anthropic-version: %q is not a valid version", version)
		}
		return key, bad("", message)
	}
	return key, nil
}

var anthropicFields = []string{
	"model", "max_tokens", "messages", "system", "output_config", "thinking", "temperature", "top_k", "top_p",
	"stop_sequences", "metadata", "service_tier", "inference_geo", "cache_control",
}

func (f anthropicFormat) read(body fields, _ string) (question, *problem) {
	if name, ok := body.unknown(anthropicFields...); ok {
		return question{}, bad(name, name+": Extra inputs are not permitted")
	}
	var q question
	var ok bool
	if q.model, ok = body.text("model"); !ok {
		return q, bad("model", "model: Field required")
	}
	if q.maxTokens, ok = body.positive("max_tokens"); !ok {
		return q, bad("max_tokens", "max_tokens: Field required, a whole number from 1")
	}
	if body.has("system") {
		if q.system, ok = joinText(body["system"]); !ok {
			return q, bad("system", "system: Input should be a valid string or a list of text blocks")
		}
	}
	messages, ok := body.objects("messages")
	if !ok {
		return q, bad("messages", "messages: at least one message is required")
	}
	for i, message := range messages {
		text, ok := joinText(message["content"])
		if role := message["role"]; !ok || role != "user" && role != "assistant" {
			return q, bad("messages", fmt.Sprintf("messages.%d: role user or assistant and text content are required", i))
		}
		q.user = joined(q.user, text)
	}
	return f.readControls(q, body)
}

// readControls reads what steers the model: format, effort, thinking, temperature.
func (anthropicFormat) readControls(q question, body fields) (question, *problem) {
	config, _ := body.object("output_config")
	if name, ok := config.unknown("effort", "format"); ok {
		return q, bad("output_config", "output_config."+name+": Extra inputs are not permitted")
	}
	format, _ := config.object("format")
	if format["type"] != "json_schema" {
		return q, bad("output_config", "output_config.format.type: Input should be 'json_schema'")
	}
	if complaint := checkSchema(format["schema"], "output_config.format.schema"); complaint != "" {
		return q, bad("output_config", complaint)
	}
	effort, _ := config.text("effort")
	if config.has("effort") && !slices.Contains([]string{"low", "medium", "high", "xhigh", "max"}, effort) {
		return q, bad("output_config", "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
	}
	q.thinking = thinkingTokens(effort)
	if body.has("thinking") {
		thinking, _ := body.object("thinking")
		switch kind := thinking["type"]; {
		case kind == "disabled" && !strings.HasPrefix(q.model, "claude-haiku-5-5"):
			return q, bad("thinking", "thinking.type: 'disabled' is not supported by "+q.model)
		case kind == "disabled":
			q.thinking = 0
		case kind != "adaptive" && kind != "enabled":
			return q, bad("thinking", "thinking.type: Input should be 'adaptive', 'enabled' or 'disabled'")
		}
	}
	if body.has("temperature") {
		t, ok := body.number("temperature")
		if !ok || t < 0 || t > 1 || t != 1 && strings.Contains(q.model, "-5-5") {
			return q, bad("temperature", "temperature: only 1 is supported by "+q.model)
		}
	}
	return q, nil
}

func (anthropicFormat) answer(r reply) any {
	content := []fields{{"type": "text", "text": r.text}}
	stop := map[ending]string{complete: "end_turn", truncated: "max_tokens", refused: "refusal", blocked: "refusal"}[r.ending]
	var details any
	if stop == "refusal" {
		details = fields{"type": "refusal", "category": nil, "explanation": nil}
	}
	if r.ending == blocked {
		content = []fields{}
	}
	if r.showThink {
		content = slices.Insert(content, 0, fields{"type": "thinking", "thinking": thoughtText, "signature": "c2ltdWxhdGVk"})
	}
	return fields{
		"id": "msg_sim" + r.id[len("req_sim"):], "type": "message", "role": "assistant", "model": r.model,
		"content": content, "stop_reason": stop, "stop_sequence": nil, "stop_details": details,
		"usage": fields{
			"input_tokens":                r.usage.input - r.usage.cached,
			"cache_read_input_tokens":     r.usage.cached,
			"cache_creation_input_tokens": 0,
			"cache_creation":              fields{"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
			"output_tokens":               r.usage.output + r.usage.thinking,
			"output_tokens_details":       fields{"thinking_tokens": r.usage.thinking},
			"service_tier":                "standard",
		},
	}
}

func (anthropicFormat) list(models []string) any {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{"type": "model", "id": model, "display_name": model, "created_at": "2026-10-01T00:00:00Z"}
	}
	return fields{"data": data, "has_more": false, "first_id": models[0], "last_id": models[len(models)-1]}
}

var anthropicProblems = map[condition]row{
	badRequest:       {400, "invalid_request_error", "", "The request is not valid."},
	missingKey:       {401, "authentication_error", "", "x-api-key header is required"},
	wrongKey:         {401, "authentication_error", "", "invalid x-api-key"},
	forbidden:        {403, "permission_error", "", "Your API key does not have permission to use the specified resource."},
	outOfQuota:       {402, "billing_error", "", "There is an issue with the billing of your organization: add credits to go on."},
	creditBalance:    {400, "invalid_request_error", "", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."},
	rateLimited:      {429, "rate_limit_error", "", "This request would exceed your organization's rate limit of requests per minute."},
	overloaded:       {529, "overloaded_error", "", "Overloaded"},
	unavailable:      {503, "api_error", "", "Service unavailable"},
	notFound:         {404, "not_found_error", "", "The requested resource could not be found."},
	methodNotAllowed: {405, "invalid_request_error", "", "Method Not Allowed"},
	tooLarge:         {413, "request_too_large", "", "Request exceeds the maximum size"},
	unprocessable:    {422, "invalid_request_error", "", "The request cannot be processed."},
	serverError:      {500, "api_error", "", "Internal server error"},
	requestTimeout:   {408, "timeout_error", "", "The request took too long to arrive."},
	gatewayTimeout:   {504, "timeout_error", "", "Request timed out"},
	contentPolicy:    {400, "invalid_request_error", "", "Output blocked by content filtering policy"},
	creditsDenied:    {402, "billing_error", "", "There is an issue with the billing of your organization: add credits to go on."},
	modelDenied:      {404, "not_found_error", "", "model: not available to your organization"},
	regionDenied:     {403, "forbidden", "", "Request not allowed"},
	usageLimit:       {400, "invalid_request_error", "", "You have reached your specified API usage limits. You will regain access on 2099-01-01 at 00:00 UTC."},
	accountDisabled:  {400, "invalid_request_error", "", "This organization has been disabled."},
	requestTooLarge:  {429, "rate_limit_error", "", "Extra usage is required for long context requests."},
}

func (anthropicFormat) problem(p *problem, key, id string) (int, any) {
	r := anthropicProblems[p.condition]
	return r.status, fields{"type": "error", "error": fields{"type": r.kind, "message": p.words(r, key)}, "request_id": id}
}
