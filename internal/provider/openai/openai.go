// Package openai has the wire format of OpenAI's Chat Completions API. Grok's differs only in
// its address and its usage, and those of other servers by their [Dialect]. The package writes and reads bytes; package
// provider sends them, and decides what an error means.
package openai

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// The providers' names, which also begin their variables: OPENAI_MODEL, GROK_MODEL.
const (
	Name     = "openai"
	GrokName = "grok"
)

// chatGPT is OpenAI's own dialect, which Grok speaks too.
var chatGPT = Dialect{MaxTokensField: "max_completion_tokens"}.orDefault()

// New makes OpenAI's provider. Errors are those of [provider.New].
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{dialect: chatGPT, base: "https://api.openai.com", version: "/v1"}, settings, catalog, client)
}

// wire is the wire format in one dialect.
type wire struct {
	dialect Dialect
	base    string // empty: the settings have it
	version string // with a slash before it
}

func (w wire) BaseURL() string   { return w.base }
func (w wire) CheckPath() string { return w.version + "/models" }

func (w wire) Authorize(header http.Header, key provider.Key) {
	for name, value := range w.dialect.Headers {
		text, _ := value.(string)
		header.Set(name, text)
	}
	if key.IsSet() {
		header.Set(w.dialect.Auth.Header, w.dialect.Auth.Prefix+key.Reveal())
	}
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type schema struct {
	Name   string          `json:"name"`
	Strict bool            `json:"strict"`
	Schema json.RawMessage `json:"schema"`
}

// schemaInPrompt follows the system text where the server does not take the schema itself.
// Several servers demand the word JSON.
const schemaInPrompt = "\n\nAnswer in JSON that follows this JSON schema:\n"

func (w wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := maps.Clone(map[string]any(w.dialect.ExtraBody))
	if body == nil {
		body = map[string]any{}
	}
	system := prompt.System
	switch w.dialect.Output {
	case JSONSchema:
		body["response_format"] = map[string]any{"type": JSONSchema, JSONSchema: schema{provider.SchemaName, true, provider.Schema}}
	case JSONObject:
		body["response_format"] = map[string]any{"type": JSONObject}
	}
	if w.dialect.Output != JSONSchema {
		system += schemaInPrompt + string(provider.Schema)
	}
	body["model"], body["messages"] = model.ID, [2]message{{"system", system}, {"user", prompt.User}}
	body[w.dialect.MaxTokensField] = model.MaxTokens
	if model.Effort != "" {
		body["reasoning_effort"] = model.Effort
	}
	if model.Temperature != nil {
		body["temperature"] = *model.Temperature
	}
	return w.version + "/chat/completions", body
}

type response struct {
	Model   string `json:"model"`
	Choices []struct {
		FinishReason string `json:"finish_reason"`
		Message      struct {
			Content content `json:"content"`
			Refusal string  `json:"refusal"`
		} `json:"message"`
	} `json:"choices"`
	Usage provider.Fields `json:"usage"`
}

// content is a text, or the text parts of a list. Anything else is no text.
type content string

// UnmarshalJSON never gives an error, so that the usage beside the content is still read.
func (c *content) UnmarshalJSON(data []byte) error {
	var parts []struct{ Type, Text string }
	if json.Unmarshal(data, (*string)(c)) == nil || json.Unmarshal(data, &parts) != nil {
		return nil
	}
	for _, part := range parts {
		if part.Type == "text" {
			*c += content(part.Text)
		}
	}
	return nil
}

func (w wire) Answer(body []byte) (provider.Reply, error) {
	reply, r, err := w.answer(body)
	reply.Usage = usageOf(r)
	return reply, err
}

// usageOf reads the usage. prompt_tokens includes the cached tokens, and completion_tokens
// the reasoning.
func usageOf(r response) provider.Usage {
	u := r.Usage
	return provider.TokenUsage(u.At("prompt_tokens").Number(), u.At("prompt_tokens_details.cached_tokens").Count(), u.At("completion_tokens").Number())
}

// answer reads everything except the usage.
func (w wire) answer(body []byte) (provider.Reply, response, error) {
	var r response
	err := json.Unmarshal(body, &r)
	reply := provider.Reply{Model: r.Model}
	if len(r.Choices) == 0 {
		reply.Stopped, reply.Reason = signal.FailureInvalidResponse, "no choices"
		return reply, r, err
	}
	choice := r.Choices[0]
	if w.dialect.Local {
		choice.FinishReason = cmp.Or(choice.FinishReason, "stop")
	}
	reply.Reason = choice.FinishReason
	switch {
	case choice.Message.Refusal != "":
		reply.Stopped, reply.Reason = signal.FailureRefusal, choice.Message.Refusal
	case choice.FinishReason == "stop":
		reply.Text = w.dialect.voteIn(string(choice.Message.Content))
	case choice.FinishReason == "content_filter":
		reply.Stopped = signal.FailureRefusal
	case choice.FinishReason == "length":
		reply.Stopped, reply.AtLimit = signal.FailureTruncated, true
	case choice.FinishReason == "tool_calls", choice.FinishReason == "function_call":
		reply.Stopped = signal.FailureTruncated
	default:
		reply.Stopped = signal.FailureInvalidResponse
	}
	return reply, r, err
}

// grok is Grok's wire format.
type grok struct{ wire }

// NewGrok makes Grok's provider. Errors are those of [provider.New].
func NewGrok(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(GrokName, grok{wire{dialect: chatGPT, base: "https://api.x.ai", version: "/v1"}}, settings, catalog, client)
}

// ticksPerUSD is the unit of the cost that xAI sends.
const ticksPerUSD = 1e10

func (g grok) Answer(body []byte) (provider.Reply, error) {
	reply, r, err := g.answer(body)
	// Reasoning is billed, but completion_tokens does not include it: the output is the
	// total without the prompt.
	u := r.Usage
	prompt := u.At("prompt_tokens").Number()
	reply.Usage = provider.TokenUsage(prompt, u.At("prompt_tokens_details.cached_tokens").Count(), u.At("total_tokens").Number()-prompt)
	if usd := u.At("cost_in_usd_ticks").Number() / ticksPerUSD; usd >= 0 {
		reply.Usage.CostUSD = &usd
	}
	return reply, err
}
