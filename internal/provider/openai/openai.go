// Package openai speaks OpenAI's Chat Completions API, and Grok's, which is the
// same but for its address, how it counts tokens and its errors. It writes
// and reads bytes; how they are sent and judged is package provider's.
package openai

import (
	"encoding/json"
	"net/http"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// The providers' names. OPENAI_ and GROK_ begin their variables.
const (
	Name     = "openai"
	GrokName = "grok"
)

// New makes OpenAI's provider. Errors are those of provider.New.
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{}, settings, catalog, client)
}

// wire is OpenAI's wire format. Grok's has it inside.
type wire struct{}

func (wire) BaseURL() string   { return "https://api.openai.com" }
func (wire) CheckPath() string { return "/v1/models" }

func (wire) Authorize(header http.Header, key provider.Key) {
	header.Set("Authorization", "Bearer "+key.Reveal())
}

type request struct {
	Model          string         `json:"model"`
	Messages       [2]message     `json:"messages"`
	ResponseFormat responseFormat `json:"response_format"`
	MaxTokens      int            `json:"max_completion_tokens"`
	Effort         string         `json:"reasoning_effort,omitempty"`
	Temperature    *float64       `json:"temperature,omitempty"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type responseFormat struct {
	Type   string     `json:"type"`
	Schema jsonSchema `json:"json_schema"`
}

type jsonSchema struct {
	Name   string          `json:"name"`
	Strict bool            `json:"strict"`
	Schema json.RawMessage `json:"schema"`
}

func (wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	return "/v1/chat/completions", &request{
		Model:          model.ID,
		Messages:       [2]message{{"system", prompt.System}, {"user", prompt.User}},
		ResponseFormat: responseFormat{"json_schema", jsonSchema{provider.SchemaName, true, provider.Schema}},
		MaxTokens:      model.MaxTokens,
		Effort:         model.Effort,
		Temperature:    model.Temperature,
	}
}

type response struct {
	Model   string `json:"model"`
	Choices []struct {
		FinishReason string `json:"finish_reason"`
		Message      struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"message"`
	} `json:"choices"`
	Usage provider.Fields `json:"usage"`
}

func (wire) Answer(body []byte) (provider.Reply, error) {
	reply, r, err := answer(body)
	// Cached and reasoning tokens are counted inside.
	u := r.Usage
	reply.Usage = provider.TokenUsage(u.At("prompt_tokens").Number(), u.At("prompt_tokens_details.cached_tokens").Count(), u.At("completion_tokens").Number())
	return reply, err
}

// answer reads all but the usage.
func answer(body []byte) (provider.Reply, response, error) {
	var r response
	err := json.Unmarshal(body, &r)
	reply := provider.Reply{Model: r.Model}
	if len(r.Choices) == 0 {
		reply.Stopped, reply.Reason = signal.FailureInvalidResponse, "no choices"
		return reply, r, err
	}
	choice := r.Choices[0]
	reply.Reason = choice.FinishReason
	switch {
	case choice.Message.Refusal != "":
		reply.Stopped, reply.Reason = signal.FailureRefusal, choice.Message.Refusal
	case choice.FinishReason == "stop":
		reply.Text = choice.Message.Content
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
