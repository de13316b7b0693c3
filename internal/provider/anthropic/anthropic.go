// Package anthropic has the wire format of Anthropic's Messages API. It writes and reads
// bytes; package provider sends them, and decides what an error means.
package anthropic

import (
	"encoding/json"
	"net/http"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Name is the provider's name, which also begins its variables: ANTHROPIC_MODEL.
const Name = "anthropic"

// New makes the provider. Errors are those of [provider.New].
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{}, settings, catalog, client)
}

type wire struct{}

func (wire) BaseURL() string   { return "https://api.anthropic.com" }
func (wire) CheckPath() string { return "/v1/models" }

func (wire) Authorize(header http.Header, key provider.Key) {
	header.Set("x-api-key", key.Reveal())
	header.Set("anthropic-version", "2023-06-01")
}

type request struct {
	Model        string     `json:"model"`
	MaxTokens    int        `json:"max_tokens"`
	System       string     `json:"system"`
	Messages     [1]message `json:"messages"`
	OutputConfig struct {
		Effort string `json:"effort,omitempty"`
		Format format `json:"format"`
	} `json:"output_config"`
	Thinking    map[string]string `json:"thinking,omitempty"`
	Temperature *float64          `json:"temperature,omitempty"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type format struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

func (wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := &request{Model: model.ID, MaxTokens: model.MaxTokens, System: prompt.System, Messages: [1]message{{"user", prompt.User}}, Temperature: model.Temperature}
	body.OutputConfig.Effort = model.Effort
	body.OutputConfig.Format = format{"json_schema", provider.Schema}
	if model.NoThinking {
		body.Thinking = map[string]string{"type": "disabled"}
	}
	return "/v1/messages", body
}

type response struct {
	Model      string `json:"model"`
	StopReason string `json:"stop_reason"`
	Content    []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	Usage provider.Fields `json:"usage"`
}

func (wire) Answer(body []byte) (provider.Reply, error) {
	var r response
	err := json.Unmarshal(body, &r)
	reply := provider.Reply{Model: r.Model, Reason: r.StopReason}
	// input_tokens does not include the cached tokens.
	u := r.Usage
	cached := u.At("cache_read_input_tokens").Count()
	reply.Usage = provider.TokenUsage(u.At("input_tokens").Number()+cached+u.At("cache_creation_input_tokens").Count(), cached, u.At("output_tokens").Number())
	switch r.StopReason {
	case "end_turn", "stop_sequence":
		// There may be thinking blocks, and the text may be in parts.
		var text strings.Builder
		for _, block := range r.Content {
			if block.Type == "text" {
				text.WriteString(block.Text)
			}
		}
		reply.Text = text.String()
	case "refusal":
		reply.Stopped = signal.FailureRefusal
	case "max_tokens":
		reply.Stopped, reply.AtLimit = signal.FailureTruncated, true
	case "model_context_window_exceeded", "pause_turn", "tool_use":
		reply.Stopped = signal.FailureTruncated
	default:
		reply.Stopped = signal.FailureInvalidResponse
	}
	return reply, err
}
