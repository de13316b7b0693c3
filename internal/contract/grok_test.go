package contract

// The parts of the wire format of xAI that OpenAI's does not have.

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/openai/openai-go/v3/shared"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

type grokSDK struct{ openaiSDK }

// ticksPerUSD is the unit of usage.cost_in_usd_ticks.
const ticksPerUSD = 1e10

func (grokSDK) resend(ctx context.Context, c *http.Client, base string, sent exchange) (reply, error) {
	r, completion, err := resendChat(ctx, c, base, sent)
	if err != nil {
		return reply{}, err
	}
	u := completion.Usage
	if !completion.JSON.Usage.Valid() {
		return r, nil
	}
	// xAI bills reasoning tokens, which completion_tokens does not include.
	r.usage = provider.Usage{
		Known: true, InputTokens: int(u.PromptTokens), CachedTokens: int(u.PromptTokensDetails.CachedTokens), OutputTokens: int(u.TotalTokens - u.PromptTokens),
	}
	// The cost is a field of xAI. The SDK has it in the extra fields.
	if ticks, ok := u.JSON.ExtraFields["cost_in_usd_ticks"]; ok {
		n, err := strconv.ParseFloat(ticks.Raw(), 64)
		if err != nil {
			return reply{}, err
		}
		usd := n / ticksPerUSD
		r.usage.CostUSD = &usd
	}
	return r, nil
}

func (grokSDK) compose(ctx context.Context, c *http.Client, base, profile string, prompt provider.Prompt) error {
	params := chat("grok-4.20-0309-non-reasoning", 1024, prompt)
	if profile == provider.ProfileFlagship {
		params = chat("grok-4.7", 4096, prompt)
		params.ReasoningEffort = shared.ReasoningEffortLow
	}
	return ask(ctx, c, base, params)
}

// problem: an error of xAI is a string beside a code. The SDK of OpenAI can't read it and gives
// an error of encoding/json. So the adapter reads it itself.
func (s grokSDK) problem(err error) (int, string) {
	var unreadable *json.UnmarshalTypeError
	if errors.As(err, &unreadable) {
		return 0, "unreadable"
	}
	return s.openaiSDK.problem(err)
}

var grokFields = []string{
	"choices[].message.reasoning_content",
	"usage.cost_in_usd_ticks",
	"usage.num_sources_used",
	"usage.prompt_tokens_details.image_tokens",
	"usage.prompt_tokens_details.text_tokens",
}

var grokFaults = []fault{
	{"wrong_key", 0, "unreadable", signal.FailureAuthentication, false},
	{"forbidden", 0, "unreadable", signal.FailureProvider, false},
	{"quota", 0, "unreadable", signal.FailureRateLimit, false},
	{"rate_limit", 0, "unreadable", signal.FailureRateLimit, true},
	{"overloaded", 0, "unreadable", signal.FailureProvider, true},
	{"bad_request", 0, "unreadable", signal.FailureProvider, false},
	{"not_found", 0, "unreadable", signal.FailureProvider, false},
	{"server_error", 0, "unreadable", signal.FailureProvider, true},
	{"timeout_504", 0, "unreadable", signal.FailureTimeout, true},
}
