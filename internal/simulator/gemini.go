package simulator

// Gemini's native generateContent API, v1beta.

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type geminiFormat struct{}

func (geminiFormat) asks(path string) (string, bool) {
	model, ok := strings.CutPrefix(path, "/v1beta/models/")
	if !ok {
		return "", false
	}
	model, ok = strings.CutSuffix(model, ":generateContent")
	return model, ok && model != "" && !strings.Contains(model, "/")
}

func (geminiFormat) listPath() string { return "/v1beta/models" }

// requestID has no header: the body carries it.
func (geminiFormat) requestID(n int) (string, string) { return fmt.Sprintf("sim%08d", n), "" }

func (geminiFormat) key(header http.Header) (string, *problem) {
	key := header.Get("X-Goog-Api-Key")
	if key == "" {
		return "", &problem{condition: missingKey}
	}
	return key, nil
}

var (
	geminiFields       = []string{"contents", "systemInstruction", "generationConfig", "safetySettings", "cachedContent", "labels"}
	geminiConfigFields = []string{
		"maxOutputTokens", "responseMimeType", "responseJsonSchema", "thinkingConfig", "temperature", "topP", "topK",
		"candidateCount", "seed", "stopSequences", "frequencyPenalty", "presencePenalty",
	}
)

func (f geminiFormat) read(body fields, model string) (question, *problem) {
	q := question{model: model}
	if name, ok := body.unknown(geminiFields...); ok {
		return q, unknownName(name, "")
	}
	contents, ok := body.objects("contents")
	if !ok {
		return q, bad("contents", "* GenerateContentRequest.contents: contents is not specified")
	}
	for i, content := range contents {
		text, ok := joinText(content["parts"])
		if role := content["role"]; !ok || role != "user" && role != "model" {
			return q, bad("contents", fmt.Sprintf("* GenerateContentRequest.contents[%d]: role user or model and parts with text are required", i))
		}
		q.user = joined(q.user, text)
	}
	if body.has("systemInstruction") {
		instruction, _ := body.object("systemInstruction")
		if q.system, ok = joinText(instruction["parts"]); !ok {
			return q, bad("systemInstruction", "* GenerateContentRequest.system_instruction.parts: text is required")
		}
	}
	config, _ := body.object("generationConfig")
	return f.readConfig(q, config)
}

func (geminiFormat) readConfig(q question, config fields) (question, *problem) {
	const at = "generation_config"
	if name, ok := config.unknown(geminiConfigFields...); ok {
		return q, unknownName(name, " at '"+at+"'")
	}
	var ok bool
	if q.maxTokens, ok = config.positive("maxOutputTokens"); !ok && config.has("maxOutputTokens") {
		return q, bad(at, "Invalid value at '"+at+".max_output_tokens'")
	}
	if config["responseMimeType"] != "application/json" {
		return q, bad(at, "* GenerateContentRequest."+at+".response_mime_type: application/json is required with a response schema")
	}
	if complaint := checkSchema(config["responseJsonSchema"], at+".response_json_schema"); complaint != "" {
		return q, bad(at, complaint)
	}
	thinking, _ := config.object("thinkingConfig")
	if name, ok := thinking.unknown("thinkingLevel", "includeThoughts"); ok {
		return q, unknownName(name, " at '"+at+".thinking_config'")
	}
	level, _ := thinking.text("thinkingLevel")
	switch {
	case thinking.has("thinkingLevel") && !slices.Contains([]string{"MINIMAL", "LOW", "MEDIUM", "HIGH"}, level):
		return q, bad(at, "Invalid value at '"+at+".thinking_config.thinking_level'")
	case level == "MINIMAL" && refusesMinimal(q.model):
		return q, bad(at, "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.")
	}
	q.thinking = thinkingTokens(level)
	return q, nil
}

func unknownName(name, at string) *problem {
	return bad(name, fmt.Sprintf("Invalid JSON payload received. Unknown name %q%s: Cannot find field.", name, at))
}

// refusesMinimal holds for the flash models 3.7 and 3.8, not for their lite ones.
func refusesMinimal(model string) bool {
	return !strings.Contains(model, "-lite") &&
		(strings.HasPrefix(model, "gemini-3.7-flash") || strings.HasPrefix(model, "gemini-3.8-flash"))
}

func (geminiFormat) answer(r reply) any {
	input := fields{
		"promptTokenCount":     r.usage.input,
		"candidatesTokenCount": r.usage.output,
		"totalTokenCount":      r.usage.input + r.usage.output + r.usage.thinking,
		"promptTokensDetails":  []fields{{"modality": "TEXT", "tokenCount": r.usage.input}},
	}
	if r.usage.thinking > 0 {
		input["thoughtsTokenCount"] = r.usage.thinking
	}
	if r.usage.cached > 0 {
		input["cachedContentTokenCount"] = r.usage.cached
	}
	body := fields{"modelVersion": r.model, "responseId": r.id, "usageMetadata": input}
	if r.ending == blocked { // the prompt was: there are no candidates
		body["promptFeedback"] = fields{"blockReason": "PROHIBITED_CONTENT"}
		delete(input, "candidatesTokenCount")
		return body
	}
	parts := []fields{{"text": r.text}}
	if r.showThink {
		parts = slices.Insert(parts, 0, fields{"text": thoughtText, "thought": true})
	}
	candidate := fields{"index": 0, "content": fields{"role": "model", "parts": parts}, "finishReason": "STOP"}
	switch r.ending {
	case truncated:
		candidate["finishReason"] = "MAX_TOKENS"
	case refused:
		candidate["finishReason"] = "SAFETY"
		delete(candidate, "content")
	}
	body["candidates"] = []fields{candidate}
	return body
}

func (geminiFormat) list(models []string) any {
	data := make([]fields, len(models))
	for i, model := range models {
		data[i] = fields{
			"name": "models/" + model, "version": "simulated", "displayName": model, "inputTokenLimit": 1_048_576,
			"outputTokenLimit": 65_536, "supportedGenerationMethods": []string{"generateContent", "countTokens"},
		}
	}
	return fields{"models": data}
}

var geminiProblems = map[condition]row{
	badRequest:       {400, "INVALID_ARGUMENT", "", "Request contains an invalid argument."},
	missingKey:       {403, "PERMISSION_DENIED", "", "Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity to call this API."},
	wrongKey:         {400, "INVALID_ARGUMENT", "API_KEY_INVALID", "API key not valid. Please pass a valid API key."},
	forbidden:        {403, "PERMISSION_DENIED", "SERVICE_DISABLED", "The caller does not have permission"},
	outOfQuota:       {429, "RESOURCE_EXHAUSTED", "", "Your prepayment credits are depleted. Please check your plan and billing details."},
	rateLimited:      {429, "RESOURCE_EXHAUSTED", "", "Resource has been exhausted (e.g. check quota)."},
	overloaded:       {503, "UNAVAILABLE", "", "The model is overloaded. Please try again later."},
	unavailable:      {503, "UNAVAILABLE", "", "The service is currently unavailable."},
	notFound:         {404, "NOT_FOUND", "", "Requested entity was not found."},
	methodNotAllowed: {405, "INVALID_ARGUMENT", "", "The request method is not allowed on this path."},
	tooLarge:         {413, "INVALID_ARGUMENT", "", "Request payload size exceeds the limit."},
	unprocessable:    {422, "INVALID_ARGUMENT", "", "The request cannot be processed."},
	serverError:      {500, "INTERNAL", "", "An internal error has occurred. Please retry."},
	requestTimeout:   {408, "CANCELLED", "", "The operation was cancelled."},
	gatewayTimeout:   {504, "DEADLINE_EXCEEDED", "", "Deadline expired before operation could complete."},
	contentPolicy:    {400, "INVALID_ARGUMENT", "", "The prompt was refused: it contains prohibited content."},
	creditsDenied:    {403, "PERMISSION_DENIED", "BILLING_DISABLED", "This API method requires billing to be enabled."},
	modelDenied:      {404, "NOT_FOUND", "", "The model is not found for API version v1beta, or is not supported for generateContent."},
	regionDenied:     {400, "FAILED_PRECONDITION", "", "User location is not supported for the API use."},
	usageLimit:       {429, "RESOURCE_EXHAUSTED", "", "You exceeded your current quota. Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: simulated"},
	accountDisabled:  {403, "PERMISSION_DENIED", "CONSUMER_SUSPENDED", "Permission denied: the consumer has been suspended."},
	requestTooLarge:  {400, "INVALID_ARGUMENT", "", "The input token count (2845475) exceeds the maximum number of tokens allowed (1048576)."},
}

func (geminiFormat) problem(p *problem, key, _ string) (int, any) {
	r := geminiProblems[alike(p.condition)]
	e := fields{"code": r.status, "message": p.words(r, key), "status": r.kind}
	var details []fields
	if r.code != "" {
		details = append(details, fields{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": r.code, "domain": "googleapis.com",
			"metadata": fields{"service": "generativelanguage.googleapis.com"},
		})
	}
	if p.wait.after > 0 && p.wait.form == ownForm {
		details = append(details, fields{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds(p.wait.after)})
	}
	if details != nil {
		e["details"] = details
	}
	return r.status, fields{"error": e}
}

// seconds writes a duration as Google's JSON does: 17.5s.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s" }
