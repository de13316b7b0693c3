package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWrongRequests: requests that a service refuses are refused, with the reason.
func TestWrongRequests(t *testing.T) {
	type change = func(r *http.Request, body fields)
	set := func(name string, value any) change { return func(_ *http.Request, body fields) { body[name] = value } }
	drop := func(name string) change { return func(_ *http.Request, body fields) { delete(body, name) } }
	in := func(object string, change change) change { // changes a field of an object inside the body
		return func(r *http.Request, body fields) {
			change(r, at(body, object).(fields))
		}
	}
	noHeader := func(name string) change { return func(r *http.Request, _ fields) { r.Header.Del(name) } }
	path := func(p string) change { return func(r *http.Request, _ fields) { r.URL.Path = p } }
	list := []any{map[string]any{"role": "narrator", "content": "x", "parts": "x"}}
	const chatSchema = "response_format.json_schema"

	tests := []struct {
		name, provider string
		change         change
		status         int
		says           string
	}{
		{"no key", Anthropic, noHeader("X-Api-Key"), 401, "authentication_error"},
		{"no key", OpenAI, noHeader("Authorization"), 401, "You didn't provide an API key"},
		{"no key", Gemini, noHeader("X-Goog-Api-Key"), 403, "PERMISSION_DENIED"},
		{"no key", Grok, noHeader("Authorization"), 401, "valid authentication credentials"},
		{"key in the URL", Gemini, func(r *http.Request, _ fields) { r.URL.RawQuery = "key=x" }, 400, "send it in the header"},
		{"no version", Anthropic, noHeader("Anthropic-Version"), 400, "anthropic-version: header is required"},
		{"wrong version", Anthropic, func(r *http.Request, _ fields) { r.Header.Set("Anthropic-Version", "2020-01-01") }, 400, "not a valid version"},
		{"no content type", Grok, noHeader("Content-Type"), 400, "Content-Type"},
		{"wrong method", OpenAI, func(r *http.Request, _ fields) { r.Method = http.MethodPut }, 405, "Not allowed"},
		{"wrong path", Gemini, path("/gemini/v1/models/x:generateContent"), 404, "NOT_FOUND"},
		{"no such provider", Grok, path("/nobody/v1/chat/completions"), 404, "set a provider's base URL"},

		{"unknown field", Anthropic, set("foo", 1), 400, "foo: Extra inputs are not permitted"},
		{"unknown field", OpenAI, set("foo", 1), 400, `"param":"foo"`},
		{"unknown field", Gemini, set("foo", 1), 400, `Unknown name \"foo\": Cannot find field.`},
		{"unknown field", Grok, set("foo", 1), 400, "Unknown parameter: 'foo'."},
		{"unknown field inside", Anthropic, in("output_config", set("foo", 1)), 400, "output_config.foo"},
		{"unknown field inside", OpenAI, in(chatSchema, set("foo", 1)), 400, "json_schema.foo"},
		{"unknown field inside", Gemini, in("generationConfig", set("max_tokens", 1)), 400, "at 'generation_config'"},
		{"unknown field inside", Gemini, in("generationConfig.thinkingConfig", set("effort", 1)), 400, "thinking_config"},

		{"no model", Anthropic, drop("model"), 400, "model: Field required"},
		{"no model", Grok, drop("model"), 400, "you must provide a model"},
		{"another's model", Anthropic, func(_ *http.Request, body fields) { body["model"] = "gpt-6-luna"; delete(body, "thinking") }, 404, "not_found_error"},
		{"another's model", OpenAI, set("model", "grok-4.7"), 404, "model_not_found"},
		{"another's model", Gemini, path("/gemini/v1beta/models/claude-x:generateContent"), 404, "NOT_FOUND"},
		{"another's model", Grok, set("model", "gpt-6-luna"), 404, "gpt-6-luna does not exist"},

		{"no output cap", Anthropic, drop("max_tokens"), 400, "max_tokens: Field required"},
		{"output cap of 0", OpenAI, set("max_completion_tokens", 0), 400, "max_completion_tokens"},
		{"old name of the cap", OpenAI, set("max_tokens", 9), 400, "Use 'max_completion_tokens' instead"},
		{"old name of the cap", Grok, set("max_tokens", 9), 400, "Use 'max_completion_tokens' instead"},
		{"output cap as text", Gemini, in("generationConfig", set("maxOutputTokens", "9")), 400, "max_output_tokens"},

		{"no messages", Anthropic, drop("messages"), 400, "at least one message"},
		{"no messages", OpenAI, set("messages", []any{}), 400, "'messages'"},
		{"no contents", Gemini, drop("contents"), 400, "contents is not specified"},
		{"strange role", Anthropic, set("messages", list), 400, "role user or assistant"},
		{"strange role", Grok, set("messages", list), 400, "messages[0].role"},
		{"strange role", Gemini, set("contents", list), 400, "role user or model"},
		{"message without text", OpenAI, set("messages", []any{map[string]any{"role": "user"}}), 400, "messages[0].content"},
		{"empty system", Anthropic, set("system", ""), 400, "system:"},
		{"empty system", Gemini, set("systemInstruction", map[string]any{}), 400, "system_instruction"},

		{"no schema", Anthropic, in("output_config", drop("format")), 400, "output_config.format.type"},
		{"no schema", OpenAI, drop("response_format"), 400, "response_format.json_schema"},
		{"no schema", Gemini, in("generationConfig", drop("responseJsonSchema")), 400, "schema object is required"},
		{"no media type", Gemini, in("generationConfig", drop("responseMimeType")), 400, "response_mime_type"},
		{"no schema name", Grok, in(chatSchema, drop("name")), 400, "json_schema.name"},
		{"not strict", Grok, in(chatSchema, set("strict", false)), 400, "'response_format.json_schema.strict' must be true"},
		{"open schema", Anthropic, in("output_config.format.schema", drop("additionalProperties")), 400, "'additionalProperties' is required"},
		{"schema without properties", OpenAI, in(chatSchema+".schema", drop("properties")), 400, "'properties' is required"},
		{"optional property", OpenAI, in(chatSchema+".schema", set("required", []any{"decision"})), 400, "'confidence' is missing"},
		{"range in the schema", Anthropic, in("output_config.format.schema.properties.confidence", set("minimum", 0)), 400, "confidence: property 'minimum' is not supported"},
		{"range inside anyOf", Gemini, in("generationConfig.responseJsonSchema.properties", set("stop_loss", map[string]any{"anyOf": []any{map[string]any{"maximum": 1}}})), 400, "stop_loss.anyOf[0]: property 'maximum'"},
		{"length inside items", Grok, in(chatSchema+".schema.properties", set("reasoning", map[string]any{"items": map[string]any{"maxLength": 1}})), 400, "reasoning.items: property 'maxLength'"},

		{"unknown effort", Anthropic, in("output_config", set("effort", "minimal")), 400, "output_config.effort"},
		{"unknown effort", OpenAI, set("reasoning_effort", "LOW"), 400, "reasoning_effort"},
		{"unknown effort", Gemini, in("generationConfig.thinkingConfig", set("thinkingLevel", "low")), 400, "thinking_level"},
		{"unknown effort", Grok, set("reasoning_effort", "minimal"), 400, "Invalid reasoning effort"},
		{"effort of a model without", Grok, set("model", "grok-4.20-0309-non-reasoning"), 400, "does not support parameter reasoningEffort"},
		{"minimal at 3.8 flash", Gemini, in("generationConfig.thinkingConfig", set("thinkingLevel", "MINIMAL")), 400, "MINIMAL is not supported"},
		{"sonnet without thinking", Anthropic, set("model", "claude-sonnet-5-5"), 400, "'disabled' is not supported by claude-sonnet-5-5"},
		{"strange thinking", Anthropic, set("thinking", map[string]any{"type": "deep"}), 400, "thinking.type"},
		{"temperature", Anthropic, set("temperature", 0.2), 400, "temperature"},
		{"temperature", OpenAI, set("temperature", 0.2), 400, "Only the default (1) value is supported"},
	}
	for _, test := range tests {
		t.Run(test.provider+"/"+test.name, func(t *testing.T) {
			s := New(Options{Faults: map[string][]Fault{test.provider: {"html_200"}}})
			path, body := questionTo(t, test.provider, overbought)
			body, err := parseFields(encode(body)) // a copy with the types of a parsed body
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/"+test.provider+path, nil)
			authorize(r, test.provider)
			test.change(r, body)
			r.Body = http.NoBody
			w := serve(s, withBody(r, encode(body)))
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
				t.Errorf("got %d %s\nwant %d with %q", w.Code, w.Body, test.status, test.says)
			}
		})
	}
}

func withBody(r *http.Request, body []byte) *http.Request {
	again := httptest.NewRequest(r.Method, r.URL.RequestURI(), bytes.NewReader(body))
	again.Header = r.Header
	return again
}

// TestRightRequests: other correct forms of a question are accepted.
func TestRightRequests(t *testing.T) {
	parts := []any{map[string]any{"type": "text", "text": overbought}}
	tests := []struct {
		name, provider string
		fields         fields
	}{
		{"blocks of text", Anthropic, fields{"system": parts, "messages": []any{map[string]any{"role": "user", "content": parts}}}},
		{"sonnet thinks by itself", Anthropic, fields{"model": "claude-sonnet-5-5", "thinking": map[string]any{"type": "adaptive"}}},
		{"temperature of an older model", Anthropic, fields{"model": "claude-haiku-4-5", "temperature": 1, "thinking": map[string]any{"type": "enabled"}}},
		{"temperature without reasoning", OpenAI, fields{"reasoning_effort": "none", "temperature": 0.2}},
		{"parts of text", Grok, fields{"messages": []any{map[string]any{"role": "user", "content": parts}}, "temperature": 0}},
		{"without a system text", Gemini, fields{"systemInstruction": nil}},
	}
	for _, test := range tests {
		t.Run(test.provider+"/"+test.name, func(t *testing.T) {
			path, body := questionTo(t, test.provider, overbought)
			for name, value := range test.fields {
				if body[name] = value; value == nil {
					delete(body, name)
				}
			}
			r := httptest.NewRequest(http.MethodPost, "/"+test.provider+path, bytes.NewReader(encode(body)))
			authorize(r, test.provider)
			w := serve(New(Options{}), r)
			if w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			voteOf(t, test.provider, w.Body.Bytes())
		})
	}
}

// TestUnreadableBodies: a body that is not a JSON object is refused.
func TestUnreadableBodies(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
	}{
		{"empty", "", 400},
		{"null", "null", 400},
		{"list", "[]", 400},
		{"cut", `{"model": "gpt-6`, 400},
		{"two objects", `{} {}`, 400},
		{"too large", strings.Repeat(" ", maxBody+1), 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/openai/v1/chat/completions", strings.NewReader(test.body))
			authorize(r, OpenAI)
			if w := serve(New(Options{}), r); w.Code != test.status || !strings.Contains(w.Body.String(), "invalid_request_error") {
				t.Errorf("got %d %s, want %d in OpenAI's form", w.Code, w.Body, test.status)
			}
		})
	}
}

// FuzzQuestion: whatever the body is, the answer is JSON and one of a vote, a
// refusal of the request, or an unknown model.
func FuzzQuestion(f *testing.F) {
	for _, provider := range Providers {
		_, body := questionTo(f, provider, overbought)
		f.Add(encode(body))
	}
	f.Add([]byte(`{"model": 1, "messages": [null], "output_config": [], "contents": [{}], "generationConfig": {"thinkingConfig": []}}`))
	s := New(Options{Keep: 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, provider := range Providers {
			path, _ := questionTo(t, provider, "")
			r := httptest.NewRequest(http.MethodPost, "/"+provider+path, bytes.NewReader(body))
			authorize(r, provider)
			w := serve(s, r)
			if w.Code != 200 && w.Code != 400 && w.Code != 404 || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s: %d %s", provider, w.Code, w.Body)
			}
		}
	})
}
