// Package openai has the wire format of OpenAI's Chat Completions API, and that of Grok,
// which differs only in its address and its usage. It writes and reads bytes; package
// provider sends them, and decides what an error means.
package openai

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// The providers' names, which also begin their variables: OPENAI_MODEL, GROK_MODEL.
const (
	Name     = "openai"
	GrokName = "grok"
)

// New makes OpenAI's provider. Errors are those of [provider.New].
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{}, settings, catalog, client)
}

type wire struct{}

func (wire) BaseURL() string   { return "https://api.openai.com" }
func (wire) CheckPath() string { return "/v1/models" }

func (wire) Authorize(header http.Header, key provider.Key) {
	header.Set("Authorization", "Bearer "+key.Reveal())
}

type request struct {
	Model          string     `json:"model"`
	Messages       [2]message `json:"messages"`
	ResponseFormat struct {
		Type   string `json:"type"`
		Schema schema `json:"json_schema"`
	} `json:"response_format"`
	MaxTokens   int      `json:"max_completion_tokens"`
	Effort      string   `json:"reasoning_effort,omitempty"`
	Temperature *float64 `json:"temperature,omitempty"`
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

func (wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := &request{Model: model.ID, MaxTokens: model.MaxTokens, Effort: model.Effort, Temperature: model.Temperature}
	body.Messages = [2]message{{"system", prompt.System}, {"user", prompt.User}}
	body.ResponseFormat.Type, body.ResponseFormat.Schema = "json_schema", schema{provider.SchemaName, true, provider.Schema}
	return "/v1/chat/completions", body
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
	reply, r, err := answer(body, "")
	reply.Usage = usageOf(r)
	return reply, err
}

// usageOf reads the usage. prompt_tokens includes the cached tokens, and completion_tokens
// the reasoning.
func usageOf(r response) provider.Usage {
	u := r.Usage
	return provider.TokenUsage(u.At("prompt_tokens").Number(), u.At("prompt_tokens_details.cached_tokens").Count(), u.At("completion_tokens").Number())
}

// answer reads everything except the usage. end is the finish_reason of an answer without one.
func answer(body []byte, end string) (provider.Reply, response, error) {
	var r response
	err := json.Unmarshal(body, &r)
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is && strings.HasSuffix(wrong.Field, "message.content") && len(r.Choices) > 0 {
		err = r.readParts(body)
	}
	reply := provider.Reply{Model: r.Model}
	if len(r.Choices) == 0 {
		reply.Stopped, reply.Reason = signal.FailureInvalidResponse, "no choices"
		return reply, r, err
	}
	choice := r.Choices[0]
	choice.FinishReason = cmp.Or(choice.FinishReason, end)
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

// readParts reads the content of a message that is a list of parts and not one text.
func (r *response) readParts(body []byte) error {
	var parts struct {
		Choices []struct {
			Message struct {
				Content []struct {
					Type string `json:"type"`
					Text string `json:"text"`
				} `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(body, &parts); err != nil {
		return err
	}
	for _, part := range parts.Choices[0].Message.Content {
		if part.Type == "text" {
			r.Choices[0].Message.Content += part.Text
		}
	}
	return nil
}

// grok is Grok's wire format.
type grok struct{ wire }

// NewGrok makes Grok's provider. Errors are those of [provider.New].
func NewGrok(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(GrokName, grok{}, settings, catalog, client)
}

func (grok) BaseURL() string { return "https://api.x.ai" }

// ticksPerUSD is the unit of the cost that xAI sends.
const ticksPerUSD = 1e10

func (grok) Answer(body []byte) (provider.Reply, error) {
	reply, r, err := answer(body, "")
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
