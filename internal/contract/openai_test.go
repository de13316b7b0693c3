package contract

// OpenAI's SDK, for OpenAI and for Grok.

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

type openaiSDK struct{}

// Each service is constructed on its own, since openai.NewClient reads the environment.
func openaiOptions(c *http.Client, base string) []option.RequestOption {
	return []option.RequestOption{option.WithHTTPClient(c), option.WithBaseURL(base + "/v1"), option.WithAPIKey(key), option.WithMaxRetries(0)}
}

func (openaiSDK) resend(ctx context.Context, c *http.Client, base string, sent exchange) (reply, error) {
	r, completion, err := resendChat(ctx, c, base, sent)
	if err != nil {
		return reply{}, err
	}
	if u := completion.Usage; completion.JSON.Usage.Valid() {
		r.usage = provider.Usage{
			Known: true, InputTokens: int(u.PromptTokens), CachedTokens: int(u.PromptTokensDetails.CachedTokens), OutputTokens: int(u.CompletionTokens),
		}
	}
	return r, nil
}

// resendChat reads all but the usage.
func resendChat(ctx context.Context, c *http.Client, base string, sent exchange) (reply, *openai.ChatCompletion, error) {
	var params openai.ChatCompletionNewParams // drops what it does not know
	if err := json.Unmarshal(sent.body, &params); err != nil {
		return reply{}, nil, err
	}
	service := openai.NewChatCompletionService(openaiOptions(c, base)...)
	completion, err := service.New(ctx, params)
	if err != nil {
		return reply{}, nil, err
	}
	r := reply{model: completion.Model, whole: completion, kind: signal.FailureInvalidResponse}
	if len(completion.Choices) > 0 {
		choice := completion.Choices[0]
		r.text, r.end = choice.Message.Content, choice.FinishReason
		r.kind = kindOf(openaiEnds, r.end)
		if choice.Message.Refusal != "" {
			r.kind = signal.FailureRefusal
		}
	}
	return r, completion, nil
}

func (openaiSDK) compose(ctx context.Context, c *http.Client, base, profile string, prompt provider.Prompt) error {
	params := chat(openai.ChatModelGPT6Luna, 1024, prompt)
	params.ReasoningEffort = shared.ReasoningEffortNone
	if profile == provider.ProfileFlagship {
		params = chat(openai.ChatModelGPT6_1Sol, 4096, prompt)
		params.ReasoningEffort = shared.ReasoningEffortLow
	}
	return ask(ctx, c, base, params)
}

func chat(model string, maxTokens int64, prompt provider.Prompt) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:               model,
		Messages:            []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(prompt.System), openai.UserMessage(prompt.User)},
		MaxCompletionTokens: openai.Int(maxTokens),
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: provider.SchemaName, Strict: openai.Bool(true), Schema: schema()},
		}},
	}
}

func ask(ctx context.Context, c *http.Client, base string, params openai.ChatCompletionNewParams) error {
	service := openai.NewChatCompletionService(openaiOptions(c, base)...)
	_, err := service.New(ctx, params)
	return err
}

func (openaiSDK) models(ctx context.Context, c *http.Client, base string) ([]string, error) {
	service := openai.NewModelService(openaiOptions(c, base)...)
	page, err := service.List(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, model := range page.Data {
		names = append(names, model.ID)
	}
	return names, nil
}

// problem gives the error's code, or its type where it has no code.
func (openaiSDK) problem(err error) (int, string) {
	var e *openai.Error
	if !errors.As(err, &e) {
		return 0, ""
	}
	if e.Code != "" {
		return e.StatusCode, e.Code
	}
	return e.StatusCode, e.Type
}

func (openaiSDK) sameAs(body any) any { return body }

// openaiEnds has the words that the documentation of ChatCompletionChoice in the SDK lists.
// There are no constants for them.
var openaiEnds = map[string]signal.FailureKind{
	"stop":           "",
	"length":         signal.FailureTruncated,
	"tool_calls":     signal.FailureTruncated,
	"function_call":  signal.FailureTruncated,
	"content_filter": signal.FailureRefusal,
}

// OpenAI sends no thoughts. Compatible servers send them in this field, and so does the
// simulator if it is set to begin with thoughts.
var openaiFields = []string{"choices[].message.reasoning_content"}

var openaiEfforts = []string{
	string(shared.ReasoningEffortNone), string(shared.ReasoningEffortMinimal), string(shared.ReasoningEffortLow), string(shared.ReasoningEffortMedium),
	string(shared.ReasoningEffortHigh), string(shared.ReasoningEffortXhigh), string(shared.ReasoningEffortMax),
}

// The SDK has no constants for codes and types of errors.
var openaiFaults = []fault{
	{"wrong_key", 401, "invalid_api_key", signal.FailureAuthentication, false},
	{"forbidden", 403, "unsupported_country_region_territory", signal.FailureProvider, false},
	{"quota", 429, "insufficient_quota", signal.FailureRateLimit, false},
	{"rate_limit", 429, "rate_limit_exceeded", signal.FailureRateLimit, true},
	{"overloaded", 503, "service_unavailable_error", signal.FailureProvider, true},
	{"bad_request", 400, "invalid_request_error", signal.FailureProvider, false},
	{"not_found", 404, "model_not_found", signal.FailureProvider, false},
	{"server_error", 500, "server_error", signal.FailureProvider, true},
	{"timeout_504", 504, "server_error", signal.FailureTimeout, true},
}
