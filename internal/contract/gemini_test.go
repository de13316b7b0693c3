package contract

// Google's SDK, on the route of the Gemini Developer API.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/genai"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

type geminiSDK struct{}

// Backend, key and address are all set, so that the environment is not read. Without
// RetryOptions there is no retry.
func (geminiSDK) client(ctx context.Context, c *http.Client, base string) (*genai.Client, error) {
	return genai.NewClient(ctx, &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: key, HTTPClient: c,
		HTTPOptions: genai.HTTPOptions{BaseURL: base, APIVersion: "v1beta"},
	})
}

// resend: the SDK has no type for the whole body, but one for each part.
func (s geminiSDK) resend(ctx context.Context, c *http.Client, base string, sent exchange) (reply, error) {
	var body struct {
		System   *genai.Content              `json:"systemInstruction"`
		Contents []*genai.Content            `json:"contents"`
		Config   genai.GenerateContentConfig `json:"generationConfig"`
	}
	decoder := json.NewDecoder(bytes.NewReader(sent.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return reply{}, err
	}
	body.Config.SystemInstruction = body.System
	client, err := s.client(ctx, c, base)
	if err != nil {
		return reply{}, err
	}
	model := strings.TrimSuffix(sent.path[strings.LastIndex(sent.path, "/")+1:], ":generateContent")
	answer, err := client.Models.GenerateContent(ctx, model, body.Contents, &body.Config)
	if err != nil {
		return reply{}, err
	}
	return readGemini(answer), nil
}

func readGemini(answer *genai.GenerateContentResponse) reply {
	r := reply{model: answer.ModelVersion, whole: answer}
	if u := answer.UsageMetadata; u != nil {
		r.usage = provider.Usage{
			Known: true, InputTokens: int(u.PromptTokenCount), CachedTokens: int(u.CachedContentTokenCount),
			OutputTokens: int(u.CandidatesTokenCount + u.ThoughtsTokenCount),
		}
	}
	if feedback := answer.PromptFeedback; len(answer.Candidates) == 0 || feedback != nil && feedback.BlockReason != "" {
		r.kind = signal.FailureRefusal
		return r
	}
	r.end = string(answer.Candidates[0].FinishReason)
	r.kind = kindOf(geminiEnds, r.end)
	if answer.Candidates[0].Content != nil {
		r.text = answer.Text() // without thoughts
	}
	return r
}

func (s geminiSDK) compose(ctx context.Context, c *http.Client, base, profile string, prompt provider.Prompt) error {
	model := "gemini-3.5-flash-lite"
	config := &genai.GenerateContentConfig{
		SystemInstruction:  &genai.Content{Parts: []*genai.Part{genai.NewPartFromText(prompt.System)}},
		ResponseMIMEType:   "application/json",
		ResponseJsonSchema: schema(),
		MaxOutputTokens:    1024,
		ThinkingConfig:     &genai.ThinkingConfig{ThinkingLevel: genai.ThinkingLevelMinimal},
	}
	if profile == provider.ProfileFlagship {
		model = "gemini-3.8-flash"
		config.MaxOutputTokens = 4096
		config.ThinkingConfig.ThinkingLevel = genai.ThinkingLevelLow
	}
	client, err := s.client(ctx, c, base)
	if err != nil {
		return err
	}
	_, err = client.Models.GenerateContent(ctx, model, []*genai.Content{genai.NewContentFromText(prompt.User, genai.RoleUser)}, config)
	return err
}

func (s geminiSDK) models(ctx context.Context, c *http.Client, base string) ([]string, error) {
	client, err := s.client(ctx, c, base)
	if err != nil {
		return nil, err
	}
	page, err := client.Models.List(ctx, &genai.ListModelsConfig{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, model := range page.Items {
		names = append(names, strings.TrimPrefix(model.Name, "models/"))
	}
	return names, nil
}

// problem gives the reason in the details of the error, or else its status in words.
func (geminiSDK) problem(err error) (int, string) {
	var e genai.APIError
	if !errors.As(err, &e) {
		return 0, ""
	}
	for _, detail := range e.Details {
		if reason, ok := detail["reason"].(string); ok {
			return e.Code, reason
		}
	}
	return e.Code, e.Status
}

// sameAs adds the role of the system text, which the SDK sets although the API does not need
// it.
func (geminiSDK) sameAs(body any) any {
	if whole, ok := body.(map[string]any); ok {
		if system, ok := whole["systemInstruction"].(map[string]any); ok && system["role"] == nil {
			system["role"] = genai.RoleUser
		}
	}
	return body
}

var geminiEnds = map[string]signal.FailureKind{
	string(genai.FinishReasonStop):              "",
	string(genai.FinishReasonMaxTokens):         signal.FailureTruncated,
	string(genai.FinishReasonSafety):            signal.FailureRefusal,
	string(genai.FinishReasonRecitation):        signal.FailureRefusal,
	string(genai.FinishReasonLanguage):          signal.FailureRefusal,
	string(genai.FinishReasonBlocklist):         signal.FailureRefusal,
	string(genai.FinishReasonProhibitedContent): signal.FailureRefusal,
	string(genai.FinishReasonSPII):              signal.FailureRefusal,
	// The others are for images and tools, which are never asked for, or have no meaning.
	string(genai.FinishReasonUnspecified):            signal.FailureInvalidResponse,
	string(genai.FinishReasonOther):                  signal.FailureInvalidResponse,
	string(genai.FinishReasonMalformedFunctionCall):  signal.FailureInvalidResponse,
	string(genai.FinishReasonUnexpectedToolCall):     signal.FailureInvalidResponse,
	string(genai.FinishReasonTooManyToolCalls):       signal.FailureInvalidResponse,
	string(genai.FinishReasonImageSafety):            signal.FailureInvalidResponse,
	string(genai.FinishReasonImageProhibitedContent): signal.FailureInvalidResponse,
	string(genai.FinishReasonNoImage):                signal.FailureInvalidResponse,
	string(genai.FinishReasonImageRecitation):        signal.FailureInvalidResponse,
	string(genai.FinishReasonImageOther):             signal.FailureInvalidResponse,
	string(genai.FinishReasonContinuation):           signal.FailureInvalidResponse,
}

// The SDK has the service tier of a request, but not that of an answer.
var geminiFields = []string{"usageMetadata.serviceTier"}

var geminiEfforts = []string{
	string(genai.ThinkingLevelMinimal), string(genai.ThinkingLevelLow), string(genai.ThinkingLevelMedium), string(genai.ThinkingLevelHigh),
}

// The SDK has no constants for statuses in words and reasons.
var geminiFaults = []fault{
	{"wrong_key", 400, "API_KEY_INVALID", signal.FailureAuthentication, false},
	{"forbidden", 403, "SERVICE_DISABLED", signal.FailureProvider, false},
	{"rate_limit", 429, "RESOURCE_EXHAUSTED", signal.FailureRateLimit, true},
	{"overloaded", 503, "UNAVAILABLE", signal.FailureProvider, true},
	{"bad_request", 400, "INVALID_ARGUMENT", signal.FailureProvider, false},
	{"not_found", 404, "NOT_FOUND", signal.FailureProvider, false},
	{"server_error", 500, "INTERNAL", signal.FailureProvider, true},
	{"timeout_504", 504, "DEADLINE_EXCEEDED", signal.FailureTimeout, true},
}
