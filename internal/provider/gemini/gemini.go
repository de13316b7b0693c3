// Package gemini has the wire format of Google's Gemini API, by its native route. It writes
// and reads bytes; package provider sends them, and decides what an error means.
package gemini

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

// Name is the provider's name, which also begins its variables: GEMINI_MODEL.
const Name = "gemini"

// New makes the provider. Errors are those of [provider.New].
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{}, settings, catalog, client)
}

type wire struct{}

func (wire) BaseURL() string   { return "https://generativelanguage.googleapis.com" }
func (wire) CheckPath() string { return "/v1beta/models" }

// Authorize uses a header and not ?key=, since URLs get into logs.
func (wire) Authorize(header http.Header, key provider.Key) {
	header.Set("x-goog-api-key", key.Reveal())
}

type request struct {
	System   content    `json:"systemInstruction"`
	Contents [1]content `json:"contents"`
	Config   struct {
		MIMEType    string            `json:"responseMimeType"`
		Schema      json.RawMessage   `json:"responseJsonSchema"`
		MaxTokens   int               `json:"maxOutputTokens"`
		Thinking    map[string]string `json:"thinkingConfig,omitempty"`
		Temperature *float64          `json:"temperature,omitempty"`
	} `json:"generationConfig"`
}

type content struct {
	Role  string  `json:"role,omitempty"`
	Parts [1]part `json:"parts"`
}

type part struct {
	Text string `json:"text"`
}

func (wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := &request{System: content{Parts: [1]part{{prompt.System}}}, Contents: [1]content{{"user", [1]part{{prompt.User}}}}}
	config := &body.Config
	config.MIMEType, config.Schema = "application/json", provider.Schema
	config.MaxTokens, config.Temperature = model.MaxTokens, model.Temperature
	if model.Effort != "" {
		config.Thinking = map[string]string{"thinkingLevel": strings.ToUpper(model.Effort)}
	}
	return "/v1beta/models/" + url.PathEscape(model.ID) + ":generateContent", body
}

type response struct {
	ModelVersion string `json:"modelVersion"`
	ResponseID   string `json:"responseId"`
	Candidates   []struct {
		FinishReason string `json:"finishReason"`
		Content      struct {
			Parts []struct {
				Text    string `json:"text"`
				Thought bool   `json:"thought"`
			} `json:"parts"`
		} `json:"content"`
	} `json:"candidates"`
	PromptFeedback *struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Usage provider.Fields `json:"usageMetadata"`
}

func (wire) Answer(body []byte) (provider.Reply, error) {
	var r response
	err := json.Unmarshal(body, &r)
	reply := provider.Reply{Model: r.ModelVersion, RequestID: r.ResponseID}
	// Thoughts are billed as output, but candidatesTokenCount does not include them. A
	// count of 0 is left out.
	u := r.Usage
	reply.Usage = provider.TokenUsage(u.At("promptTokenCount").Number(), u.At("cachedContentTokenCount").Count(),
		u.At("candidatesTokenCount").Count()+u.At("thoughtsTokenCount").Count())
	switch {
	case err != nil:
		return reply, err
	case r.PromptFeedback != nil && r.PromptFeedback.BlockReason != "":
		reply.Stopped, reply.Reason = signal.FailureRefusal, r.PromptFeedback.BlockReason
		return reply, nil
	case len(r.Candidates) == 0 && r.PromptFeedback == nil && r.Usage.IsNone():
		return reply, errors.New("no candidates, usage or feedback")
	case len(r.Candidates) == 0:
		reply.Stopped, reply.Reason = signal.FailureRefusal, "no candidates"
		return reply, nil
	}
	candidate := r.Candidates[0]
	reply.Reason = candidate.FinishReason
	switch candidate.FinishReason {
	case "STOP":
		var text strings.Builder
		for _, part := range candidate.Content.Parts {
			if !part.Thought {
				text.WriteString(part.Text)
			}
		}
		reply.Text = text.String()
	case "MAX_TOKENS":
		reply.Stopped, reply.AtLimit = signal.FailureTruncated, true
	case "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "LANGUAGE":
		reply.Stopped = signal.FailureRefusal
	default:
		reply.Stopped = signal.FailureInvalidResponse
	}
	return reply, nil
}
