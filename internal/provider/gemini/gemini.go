// Package gemini speaks Google's Gemini API by its native route. It writes and
// reads bytes; how they are sent and judged is package provider's.
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

// Name is the provider's name, and GEMINI_ begins its variables.
const Name = "gemini"

// New makes the provider. Errors are those of provider.New.
func New(settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	return provider.New(Name, wire{}, settings, catalog, client)
}

type wire struct{}

func (wire) BaseURL() string   { return "https://generativelanguage.googleapis.com" }
func (wire) CheckPath() string { return "/v1beta/models" }

// Authorize uses a header and never ?key=, since URLs reach logs.
func (wire) Authorize(header http.Header, key provider.Key) {
	header.Set("x-goog-api-key", key.Reveal())
}

type request struct {
	System   content    `json:"systemInstruction"`
	Contents [1]content `json:"contents"`
	Config   generation `json:"generationConfig"`
}

type content struct {
	Role  string  `json:"role,omitempty"`
	Parts [1]part `json:"parts"`
}

type part struct {
	Text string `json:"text"`
}

type generation struct {
	MIMEType    string          `json:"responseMimeType"`
	Schema      json.RawMessage `json:"responseJsonSchema"`
	MaxTokens   int             `json:"maxOutputTokens"`
	Thinking    *thinking       `json:"thinkingConfig,omitempty"`
	Temperature *float64        `json:"temperature,omitempty"`
}

type thinking struct {
	Level string `json:"thinkingLevel"`
}

func (wire) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := &request{
		System:   content{Parts: [1]part{{prompt.System}}},
		Contents: [1]content{{Role: "user", Parts: [1]part{{prompt.User}}}},
		Config: generation{
			MIMEType:    "application/json",
			Schema:      provider.Schema,
			MaxTokens:   model.MaxTokens,
			Temperature: model.Temperature,
		},
	}
	if model.Effort != "" {
		body.Config.Thinking = &thinking{strings.ToUpper(model.Effort)}
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
	Usage *struct {
		Prompt     *int `json:"promptTokenCount"`
		Cached     int  `json:"cachedContentTokenCount"`
		Candidates int  `json:"candidatesTokenCount"` // a count of 0 is left out
		Thoughts   int  `json:"thoughtsTokenCount"`
	} `json:"usageMetadata"`
}

func (wire) Answer(body []byte) (provider.Reply, error) {
	var r response
	err := json.Unmarshal(body, &r)
	reply := provider.Reply{Model: r.ModelVersion, RequestID: r.ResponseID}
	// Thoughts are billed as output and counted beside the candidates.
	if u := r.Usage; u != nil && u.Prompt != nil {
		reply.Usage = provider.Usage{Known: true, InputTokens: *u.Prompt, CachedTokens: u.Cached, OutputTokens: u.Candidates + u.Thoughts}
	}
	switch {
	case err != nil:
		return reply, err
	case r.PromptFeedback != nil && r.PromptFeedback.BlockReason != "":
		reply.Stopped, reply.Reason = signal.FailureRefusal, r.PromptFeedback.BlockReason
		return reply, nil
	case len(r.Candidates) == 0 && r.PromptFeedback == nil && r.Usage == nil:
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

func (wire) Problem(status int, body []byte) provider.Problem {
	var r struct {
		Error struct {
			Message string `json:"message"`
			Details []struct {
				Reason     string `json:"reason"`
				RetryDelay string `json:"retryDelay"`
				Violations []struct {
					QuotaID string `json:"quotaId"`
				} `json:"violations"`
			} `json:"details"`
		} `json:"error"`
	}
	// A detail of another form must not hide the rest, so what was read counts.
	_ = json.Unmarshal(body, &r)
	// A 429 means too fast, but where the money or the day's share is used up,
	// asking again is in vain, whatever delay it tells.
	tooMany := status == http.StatusTooManyRequests
	problem := provider.Problem{Message: r.Error.Message, Final: tooMany && strings.Contains(strings.ToLower(r.Error.Message), "credits")}
	for _, detail := range r.Error.Details {
		// A wrong key is a 400 INVALID_ARGUMENT; only this tells it apart.
		if detail.Reason == "API_KEY_INVALID" {
			problem.Kind = signal.FailureAuthentication
		}
		if wait := provider.ParseRetryDelay(detail.RetryDelay); wait > 0 {
			problem.RetryAfter = wait
		}
		for _, violation := range detail.Violations {
			problem.Final = problem.Final || tooMany && strings.Contains(violation.QuotaID, "PerDay")
		}
	}
	return problem
}
