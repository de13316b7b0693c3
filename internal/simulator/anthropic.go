package simulator

// Anthropic's Messages API, version 2023-06-01.

import (
	"slices"
	"strings"
)

var anthropicFormat = format{
	questions: "/v1/messages", models: "/v1/models", idForm: "req_sim%08d", idHeader: "Request-Id", keyHeader: "X-Api-Key",
	modelPrefix: "claude-", listed: []string{"claude-haiku-5-5", "claude-sonnet-5-5"},
	rules: []rule{
		{"", only("model", "max_tokens", "messages", "system", "output_config", "thinking", "temperature", "top_k", "top_p",
			"stop_sequences", "metadata", "service_tier", "inference_geo", "cache_control"), "%s: Extra inputs are not permitted"},
		{"model", isText, "model: Field required"},
		{"max_tokens", isCount, "max_tokens: Field required, a whole number from 1"},
		{"system?", isProse, "system: Input should be a valid string or a list of text blocks"},
		{"messages", isList, "messages: at least one message is required"},
		{"messages", messages("content", "user", "assistant"), "messages.%s: role user or assistant and text content are required"},
		{"output_config", only("effort", "format"), "output_config.%s: Extra inputs are not permitted"},
		{"output_config.format.type", oneOf("json_schema"), "output_config.format.type: Input should be 'json_schema'"},
		{"output_config.format.schema", strictSchema("output_config.format.schema"), "%s"},
		{"output_config.effort?", oneOf("low", "medium", "high", "xhigh", "max"), "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"},
		{"thinking?.type", oneOf("adaptive", "enabled", "disabled"), "thinking.type: Input should be 'adaptive', 'enabled' or 'disabled'"},
	},
	read: readAnthropic, answer: anthropicAnswer, list: anthropicList, problem: anthropicProblem,
}

// anthropicVersion is what the header anthropic-version has to name.
const anthropicVersion = "2023-06-01"

func readAnthropic(body fields, _ string) (question, *problem) {
	q := question{
		model: textAt(body, "model"), maxTokens: intAt(body, "max_tokens"), system: prose(body["system"]),
		user: said(body["messages"], "content", "user", "assistant"), thinking: thinkingTokens(textAt(body, "output_config.effort")),
	}
	if textAt(body, "thinking.type") == "disabled" {
		if q.thinking = 0; !strings.HasPrefix(q.model, "claude-haiku-5-5") {
			return q, bad("thinking", "thinking.type: 'disabled' is not supported by "+q.model)
		}
	}
	if temperature, given := body["temperature"]; given {
		t, ok := float(temperature)
		if !ok || t < 0 || t > 1 || t != 1 && strings.Contains(q.model, "-5-5") {
			return q, bad("temperature", "temperature: only 1 is supported by "+q.model)
		}
	}
	return q, nil
}

func anthropicAnswer(r reply) fields {
	content := []fields{{"type": "text", "text": r.text}}
	var details any
	if r.stop == refused || r.stop == blocked {
		details = fields{"type": "refusal", "category": nil, "explanation": nil}
	}
	if r.stop == blocked {
		content = []fields{}
	}
	if r.showThinking {
		content = slices.Insert(content, 0, fields{"type": "thinking", "thinking": thoughtText, "signature": "c2ltdWxhdGVk"})
	}
	return fields{
		"id": "msg_sim" + r.id[len("req_sim"):], "type": "message", "role": "assistant", "model": r.model, "content": content,
		"stop_reason":   map[stop]string{finished: "end_turn", truncated: "max_tokens", refused: "refusal", blocked: "refusal"}[r.stop],
		"stop_sequence": nil, "stop_details": details,
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

func anthropicList(models []string) fields {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{"type": "model", "id": model, "display_name": model, "created_at": "2026-10-01T00:00:00Z"}
	}
	return fields{"data": data, "has_more": false, "first_id": models[0], "last_id": models[len(models)-1]}
}

func anthropicProblem(r errorRow, _ *problem, id string) fields {
	return fields{"type": "error", "error": fields{"type": r.kind, "message": r.message}, "request_id": id}
}
