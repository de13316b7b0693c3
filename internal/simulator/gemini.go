package simulator

// Gemini's native generateContent API, v1beta.

import (
	"slices"
	"strconv"
	"strings"
)

var geminiFormat = format{
	questions: "/v1beta/models/*:generateContent", models: "/v1beta/models", idForm: "sim%08d", keyHeader: "X-Goog-Api-Key",
	modelPrefix: "gemini-", listed: []string{"gemini-3.5-flash-lite", "gemini-3.8-flash"},
	rules: []rule{
		{"", only("contents", "systemInstruction", "generationConfig", "safetySettings", "cachedContent", "labels"),
			`Invalid JSON payload received. Unknown name "%s": Cannot find field.`},
		{"contents", isList, "* GenerateContentRequest.contents: contents is not specified"},
		{"contents", messages("parts", "user", "model"), "* GenerateContentRequest.contents[%s]: role user or model and parts with text are required"},
		{"systemInstruction?.parts", isProse, "* GenerateContentRequest.system_instruction.parts: text is required"},
		{"generationConfig", only("maxOutputTokens", "responseMimeType", "responseJsonSchema", "thinkingConfig", "temperature", "topP", "topK",
			"candidateCount", "seed", "stopSequences", "frequencyPenalty", "presencePenalty"),
			`Invalid JSON payload received. Unknown name "%s" at 'generation_config': Cannot find field.`},
		{"generationConfig.maxOutputTokens?", isCount, "Invalid value at 'generation_config.max_output_tokens'"},
		{"generationConfig.responseMimeType", oneOf("application/json"),
			"* GenerateContentRequest.generation_config.response_mime_type: application/json is required with a response schema"},
		{"generationConfig.responseJsonSchema", strictSchema("generation_config.response_json_schema"), "%s"},
		{"generationConfig.thinkingConfig", only("thinkingLevel", "includeThoughts"),
			`Invalid JSON payload received. Unknown name "%s" at 'generation_config.thinking_config': Cannot find field.`},
		{"generationConfig.thinkingConfig.thinkingLevel?", oneOf("MINIMAL", "LOW", "MEDIUM", "HIGH"), "Invalid value at 'generation_config.thinking_config.thinking_level'"},
	},
	read: readGemini, answer: geminiAnswer, list: geminiList, problem: geminiProblem,
}

func readGemini(body fields, model string) (question, *problem) {
	level := textAt(body, "generationConfig.thinkingConfig.thinkingLevel")
	q := question{
		model: model, maxTokens: intAt(body, "generationConfig.maxOutputTokens"), system: prose(at(body, "systemInstruction.parts")),
		user: said(body["contents"], "parts", "user", "model"), thinking: thinkingTokens(level),
	}
	isFlash := strings.HasPrefix(q.model, "gemini-3.7-flash") || strings.HasPrefix(q.model, "gemini-3.8-flash")
	if level == "MINIMAL" && isFlash && !strings.Contains(q.model, "-lite") {
		return q, bad("generationConfig", "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.")
	}
	return q, nil
}

func geminiAnswer(r reply) fields {
	counts := fields{
		"promptTokenCount":     r.usage.input,
		"candidatesTokenCount": r.usage.output,
		"totalTokenCount":      r.usage.input + r.usage.output + r.usage.thinking,
		"promptTokensDetails":  []fields{{"modality": "TEXT", "tokenCount": r.usage.input}},
	}
	if r.usage.thinking > 0 {
		counts["thoughtsTokenCount"] = r.usage.thinking
	}
	if r.usage.cached > 0 {
		counts["cachedContentTokenCount"] = r.usage.cached
	}
	body := fields{"modelVersion": r.model, "responseId": r.id, "usageMetadata": counts}
	if r.stop == blocked { // the prompt is what is blocked: there are no candidates
		body["promptFeedback"] = fields{"blockReason": "PROHIBITED_CONTENT"}
		delete(counts, "candidatesTokenCount")
		return body
	}
	parts := []fields{{"text": r.text}}
	if r.showThinking {
		parts = slices.Insert(parts, 0, fields{"text": thoughtText, "thought": true})
	}
	candidate := fields{"index": 0, "finishReason": map[stop]string{finished: "STOP", truncated: "MAX_TOKENS", refused: "SAFETY"}[r.stop]}
	if r.stop != refused {
		candidate["content"] = fields{"role": "model", "parts": parts}
	}
	body["candidates"] = []fields{candidate}
	return body
}

func geminiList(models []string) fields {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{
			"name": "models/" + model, "version": "simulated", "displayName": model, "inputTokenLimit": 1_048_576,
			"outputTokenLimit": 65_536, "supportedGenerationMethods": []string{"generateContent", "countTokens"},
		}
	}
	return fields{"models": data}
}

func geminiProblem(r errorRow, p *problem, _ string) fields {
	e := fields{"code": r.status, "message": r.message, "status": r.kind}
	var details []fields
	if r.code != "" {
		details = append(details, fields{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": r.code, "domain": "googleapis.com",
			"metadata": fields{"service": "generativelanguage.googleapis.com"},
		})
	}
	if p.wait.after > 0 && p.wait.form == ownForm {
		delay := strconv.FormatFloat(p.wait.after.Seconds(), 'f', -1, 64) + "s" // as Google's JSON writes a duration
		details = append(details, fields{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
	}
	if details != nil {
		e["details"] = details
	}
	return fields{"error": e}
}
