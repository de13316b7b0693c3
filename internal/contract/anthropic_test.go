package contract

// Anthropic's SDK.

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

type anthropicSDK struct{}

func (anthropicSDK) client(c *http.Client, base string) anthropic.Client {
	return anthropic.NewClient(option.WithoutEnvironmentDefaults(),
		option.WithHTTPClient(c), option.WithBaseURL(base), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func (s anthropicSDK) resend(ctx context.Context, c *http.Client, base string, sent exchange) (reply, error) {
	var params anthropic.MessageNewParams // drops unknown fields
	if err := json.Unmarshal(sent.body, &params); err != nil {
		return reply{}, err
	}
	client := s.client(c, base)
	m, err := client.Messages.New(ctx, params)
	if err != nil {
		return reply{}, err
	}
	r := reply{end: string(m.StopReason), model: string(m.Model), whole: m}
	r.kind = kindOf(anthropicEnds, r.end)
	var text strings.Builder
	for _, block := range m.Content {
		if block, ok := block.AsAny().(anthropic.TextBlock); ok {
			text.WriteString(block.Text)
		}
	}
	r.text = text.String()
	if u := m.Usage; m.JSON.Usage.Valid() {
		r.usage = provider.Usage{
			Known:        true,
			InputTokens:  int(u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens),
			CachedTokens: int(u.CacheReadInputTokens), OutputTokens: int(u.OutputTokens),
		}
	}
	return r, nil
}

func (s anthropicSDK) compose(ctx context.Context, c *http.Client, base, profile string, prompt provider.Prompt) error {
	params := anthropic.MessageNewParams{
		Model:     anthropic.ModelClaudeHaiku5_5,
		MaxTokens: 1024,
		System:    []anthropic.TextBlockParam{{Text: prompt.System}},
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt.User))},
		Thinking:  anthropic.ThinkingConfigParamUnion{OfDisabled: &anthropic.ThinkingConfigDisabledParam{}},
		OutputConfig: anthropic.OutputConfigParam{
			Effort: anthropic.OutputConfigEffortLow,
			Format: anthropic.JSONOutputFormatParam{Schema: schema()},
		},
	}
	if profile == provider.ProfileFlagship {
		params.Model, params.MaxTokens = anthropic.ModelClaudeSonnet5_5, 4096
		params.Thinking = anthropic.ThinkingConfigParamUnion{}
	}
	client := s.client(c, base)
	_, err := client.Messages.New(ctx, params)
	return err
}

func (s anthropicSDK) models(ctx context.Context, c *http.Client, base string) ([]string, error) {
	client := s.client(c, base)
	page, err := client.Models.List(ctx, anthropic.ModelListParams{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, model := range page.Data {
		names = append(names, model.ID)
	}
	return names, nil
}

func (anthropicSDK) problem(err error) (int, string) {
	var e *anthropic.Error
	if !errors.As(err, &e) {
		return 0, ""
	}
	return e.StatusCode, string(e.Type())
}

// sameAs changes texts to lists with one text block. The API accepts both, and the SDK has
// only lists.
func (anthropicSDK) sameAs(body any) any {
	blocks := func(holder any, name string) {
		if holder, ok := holder.(map[string]any); ok {
			if text, ok := holder[name].(string); ok {
				holder[name] = []any{map[string]any{"type": "text", "text": text}}
			}
		}
	}
	blocks(body, "system")
	if whole, ok := body.(map[string]any); ok {
		messages, _ := whole["messages"].([]any)
		for _, message := range messages {
			blocks(message, "content")
		}
	}
	return body
}

var anthropicEnds = map[string]signal.FailureKind{
	string(anthropic.StopReasonEndTurn):                    "",
	string(anthropic.StopReasonStopSequence):               "",
	string(anthropic.StopReasonMaxTokens):                  signal.FailureTruncated,
	string(anthropic.StopReasonModelContextWindowExceeded): signal.FailureTruncated,
	string(anthropic.StopReasonPauseTurn):                  signal.FailureTruncated,
	string(anthropic.StopReasonToolUse):                    signal.FailureTruncated,
	string(anthropic.StopReasonRefusal):                    signal.FailureRefusal,
}

var anthropicEfforts = []string{
	string(anthropic.OutputConfigEffortLow), string(anthropic.OutputConfigEffortMedium), string(anthropic.OutputConfigEffortHigh),
	string(anthropic.OutputConfigEffortXhigh), string(anthropic.OutputConfigEffortMax),
}

var anthropicFaults = []fault{
	{"wrong_key", 401, string(anthropic.ErrorTypeAuthenticationError), signal.FailureAuthentication, false},
	{"forbidden", 403, string(anthropic.ErrorTypePermissionError), signal.FailureAuthentication, false},
	{"quota", 402, string(anthropic.ErrorTypeBillingError), signal.FailureRateLimit, false},
	{"credit_balance", 400, string(anthropic.ErrorTypeInvalidRequestError), signal.FailureRateLimit, false},
	{"rate_limit", 429, string(anthropic.ErrorTypeRateLimitError), signal.FailureRateLimit, true},
	{"overloaded", 529, string(anthropic.ErrorTypeOverloadedError), signal.FailureRateLimit, true},
	{"bad_request", 400, string(anthropic.ErrorTypeInvalidRequestError), signal.FailureProvider, false},
	{"not_found", 404, string(anthropic.ErrorTypeNotFoundError), signal.FailureProvider, false},
	{"server_error", 500, string(anthropic.ErrorTypeAPIError), signal.FailureProvider, true},
	{"timeout_504", 504, string(anthropic.ErrorTypeTimeoutError), signal.FailureTimeout, true},
}
