package providertest

// What an error body means, in the words that providers and gateways use. Every row
// holds for every wire format: gateways answer in the form of whoever is behind them.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// claude, chat, google and xai write an error body in the form of one provider.
func claude(kind, message string) string {
	return fmt.Sprintf(`{"type":"error","error":{"type":%s,"message":%s},"request_id":"req_1"}`, asJSON(kind), asJSON(message))
}

func chat(kind, code, message string) string {
	return fmt.Sprintf(`{"error":{"message":%s,"type":%s,"param":null,"code":%s}}`, asJSON(message), asJSON(kind), asJSON(code))
}

func google(code int, status, message, details string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%s,"status":%s,"details":[%s]}}`, code, asJSON(message), asJSON(status), details)
}

func xai(code, message string) string {
	return fmt.Sprintf(`{"code":%s,"error":%s}`, asJSON(code), asJSON(message))
}

func because(reason string) string {
	return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `","domain":"googleapis.com"}`
}

func asJSON(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

const (
	xaiDenied    = "The caller does not have permission to execute the specified operation"
	xaiExhausted = "Some resource has been exhausted"
	bigRequest   = "Request too large for gpt-6-luna in organization org-x on tokens per min (TPM): Limit 1000, Requested 3061. The input or output tokens must be reduced in order to run successfully."
	azureFilter  = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry."
	raiseLimit   = " Visit https://platform.openai.com/account/rate-limits to learn more. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing."
	geminiQuota  = "You exceeded your current quota, please check your plan and billing details."
)

func failures() []Fault {
	var all []Fault
	add := func(like Fault, wordings ...Fault) {
		for _, f := range wordings {
			f.Kind, f.Retryable, f.Denied = like.Kind, like.Retryable, like.Denied
			if f.Says == "" {
				f.Says = like.Says
			}
			f.Name = fmt.Sprintf("%s %d: %s", like.Name, f.Status, f.Name)
			all = append(all, f)
		}
	}
	add(Fault{Name: "key", Kind: "authentication", Says: "_API_KEY"},
		Fault{Name: "anthropic", Status: 401, Body: claude("authentication_error", "invalid x-api-key"), Says: " answered 401: invalid x-api-key; check "},
		Fault{Name: "anthropic may not", Status: 403, Body: claude("permission_error", "Your API key does not have permission to use the specified resource.")},
		Fault{Name: "openai", Status: 401, Body: chat("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-ab***wxyz."), Says: "Incorrect API key provided: [redacted]; check"},
		Fault{Name: "openai scopes", Status: 403, Body: chat("invalid_request_error", "", "You have insufficient permissions for this operation. Missing scopes: model.request. Check, if you're using a restricted API key, that it has the necessary scopes.")},
		Fault{Name: "gemini", Status: 400, Body: google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", because("API_KEY_INVALID"))},
		Fault{Name: "gemini expired", Status: 400, Body: google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", "")},
		Fault{Name: "gemini leaked", Status: 403, Body: google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key.", "")},
		Fault{Name: "gemini none", Status: 403, Body: google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key or other form of API consumer identity to call this API.", "")},
		Fault{Name: "xai", Status: 400, Body: xai("Client specified an invalid argument", "Incorrect API key provided: pl***b3. You can obtain an API key from https://console.x.ai.")},
		Fault{Name: "gateway", Status: 200, Body: `{"error":{"message":"No auth credentials found","code":401}}`},
		Fault{Name: "azure", Status: 401, Body: `{"statusCode":401,"message":"Access denied due to invalid subscription key or wrong API endpoint."}`},
	)
	add(Fault{Name: "money", Kind: "rate_limit", Says: "add credit or raise the limit"},
		Fault{Name: "xai permission", Status: 403, Body: `{"code":"permission-denied","error":"Your team has either used all available credits or reached its monthly spending limit."}`},
		Fault{Name: "xai", Status: 429, Body: xai(xaiExhausted, "Your team 1-2 has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.")},
		Fault{Name: "xai new team", Status: 403, Body: xai(xaiDenied, "Your newly created team doesn't have any credits or licenses yet. You can purchase those on https://console.x.ai/team/1.")},
		Fault{Name: "xai subscription", Status: 403, Body: xai("personal-team-blocked:spending-limit", "You have run out of credits or need a Grok subscription.")},
		Fault{Name: "anthropic usage limit", Status: 400, Waits: true, Body: claude("invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."), Says: "regain access on 2026-12-01"},
		Fault{Name: "anthropic usage limit of tomorrow", Status: 400, RetryAfter: 15 * time.Minute, Body: claude("invalid_request_error", "You have reached your specified API usage limits. You will regain access on "+time.Now().Add(48*time.Hour).UTC().Format("2006-01-02 at 15:04 UTC")+".")},
		Fault{Name: "anthropic", Status: 402, Body: claude("billing_error", "Pay.")},
		Fault{Name: "anthropic balance", Status: 400, Body: claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.")},
		Fault{Name: "openai", Status: 429, Body: chat("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")},
		Fault{Name: "openai with a wait", Status: 429, Header: map[string]string{"Retry-After": "5"}, RetryAfter: 5 * time.Second, Body: chat("insufficient_quota", "insufficient_quota", "You exceeded your current quota.")},
		Fault{Name: "openai without its code", Status: 429, Body: chat("", "429", "You exceeded your current quota, please check your plan and billing details.")},
		Fault{Name: "openai hard limit", Status: 400, Body: chat("invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached")},
		Fault{Name: "gemini day", Status: 429, RetryAfter: 17500 * time.Millisecond, Body: google(429, "RESOURCE_EXHAUSTED", geminiQuota, `{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"17.5s"}`)},
		Fault{Name: "gemini none at all", Status: 429, RetryAfter: 45 * time.Second, Body: google(429, "RESOURCE_EXHAUSTED", geminiQuota+" * Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: m. Please retry in 45s.", "")},
		Fault{Name: "gemini credits", Status: 429, Body: google(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", "")},
		Fault{Name: "gemini billing", Status: 403, Body: google(403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", because("BILLING_DISABLED"))},
		Fault{Name: "gateway in a 200", Status: 200, Body: `{"error":{"message":"This request requires more credits","code":402}}`, Says: "answered 200 with error 402: This request requires more credits; add credit"},
		Fault{Name: "openrouter", Status: 402, Body: `{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can only afford 222.","code":402,"metadata":{"provider_name":null}}}`},
		Fault{Name: "openrouter key", Status: 403, Body: `{"error":{"message":"Key limit exceeded (monthly limit).","code":403}}`},
		Fault{Name: "litellm", Status: 400, Body: `{"error":{"message":"Budget has been exceeded! Current cost: 0.0010747, Max budget: 0.0","type":"auth_error","param":null,"code":400}}`},
		Fault{Name: "litellm type", Status: 429, Body: chat("budget_exceeded", "429", "LiteLLM User: engineer-1 is over")},
		Fault{Name: "groq day", Status: 429, RetryAfter: 9*time.Minute + 38016*time.Millisecond, Body: chat("tokens", "rate_limit_exceeded", "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.")},
		Fault{Name: "openrouter day", Status: 429, Body: `{"error":{"message":"Rate limit exceeded: free-models-per-day-high-balance. ","code":429,"metadata":{"provider_name":null}}}`},
		Fault{Name: "no balance", Status: 401, Body: chat("unknown_error", "", "Insufficient Balance")},
	)
	add(Fault{Name: "content", Kind: "refusal"},
		Fault{Name: "xai", Status: 403, Body: `{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}`, Says: "SAFETY_CHECK_TYPE_BIO"},
		Fault{Name: "xai whole", Status: 403, Body: xai("permission-denied", "Content violates usage guidelines. Team: t, API key ID: k, Model: m, Failed check: SAFETY_CHECK_TYPE_BIO")},
		Fault{Name: "openai", Status: 400, Body: chat("invalid_request_error", "invalid_prompt", "Invalid prompt: your prompt was flagged as potentially violating our usage policy.")},
		Fault{Name: "openai code", Status: 400, Body: chat("", "content_filter", "no")},
		Fault{Name: "openai flagged", Status: 400, Body: chat("invalid_request_error", "", "Your input was flagged by our moderation system.")},
		Fault{Name: "azure", Status: 400, Body: `{"error":{"message":` + asJSON(azureFilter) + `,"type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`},
		Fault{Name: "litellm", Status: 400, Body: `{"error":{"message":` + asJSON("litellm.BadRequestError: litellm.ContentPolicyViolationError: AzureException - "+azureFilter) + `,"type":null,"param":null,"code":"400"}}`},
		Fault{Name: "anthropic", Status: 400, Body: claude("invalid_request_error", "Output blocked by content filtering policy")},
		Fault{Name: "gemini", Status: 400, Body: google(400, "INVALID_ARGUMENT", "The prompt could not be submitted: it contains prohibited content.", "")},
		Fault{Name: "openrouter", Status: 403, Body: `{"error":{"message":"openai/m requires moderation on OpenAI. Your input was flagged for \"violence\"","code":403}}`},
		Fault{Name: "in a 200", Status: 200, Body: `{"error":{"message":"Content violates usage guidelines.","code":"permission-denied"}}`},
		Fault{Name: "deepseek", Status: 400, Body: chat("invalid_request_error", "invalid_request_error", "Content Exists Risk")},
		Fault{Name: "policies", Status: 400, Body: chat("invalid_request_error", "", "Your request was rejected because it may violate our policies.")},
		Fault{Name: "in a choice", Status: 200, Body: `{"choices":[{"error":{"message":"blocked by the safety system","code":400},"finish_reason":"error"}]}`},
	)
	add(Fault{Name: "model", Kind: "provider", Says: "_MODEL ("},
		Fault{Name: "openai project", Status: 403, Body: "{\"error\":{\"message\":\"Project `p` does not have access to model `m`\",\"type\":\"invalid_request_error\",\"code\":\"model_not_found\"}}"},
		Fault{Name: "openai", Status: 404, Body: chat("invalid_request_error", "model_not_found", "The model `m` does not exist or you do not have access to it.")},
		Fault{Name: "openai verified", Status: 403, Body: chat("invalid_request_error", "", "Your organization must be verified to use the model `m`.")},
		Fault{Name: "anthropic", Status: 404, Body: claude("not_found_error", "model: claude-x")},
		Fault{Name: "gemini", Status: 404, Body: google(404, "NOT_FOUND", "models/m is not found for API version v1beta, or is not supported for generateContent.", "")},
		Fault{Name: "xai", Status: 403, Body: xai(xaiDenied, "Your team does not have permission to use this model.")},
		Fault{Name: "litellm", Status: 401, Body: chat("key_model_access_denied", "401", "key not allowed to access model. This key can only access models=['a']. Tried to access m")},
		Fault{Name: "openrouter", Status: 400, Body: `{"error":{"message":"m is not a valid model ID","code":400}}`},
	)
	add(Fault{Name: "parameter", Kind: "provider", Says: "_EFFORT"},
		Fault{Name: "openai", Status: 400, Body: chat("invalid_request_error", "unsupported_value", "Unsupported value: 'temperature' does not support 0.2 with this model.")},
		Fault{Name: "xai", Status: 400, Body: xai("Client specified an invalid argument", "Model m does not support parameter reasoningEffort.")},
		Fault{Name: "anthropic", Status: 400, Body: claude("invalid_request_error", "effort: Extra inputs are not permitted")},
		Fault{Name: "gemini", Status: 400, Body: google(400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model.", "")},
		Fault{Name: "in a 500", Status: 500, Body: chat("server_error", "unsupported_parameter", "no")},
	)
	add(Fault{Name: "account", Kind: "provider", Denied: true, Says: "look at the account"},
		Fault{Name: "gemini service", Status: 403, Body: google(403, "PERMISSION_DENIED", "Generative Language API has not been used in project 1 before or it is disabled. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.", because("SERVICE_DISABLED")), Says: "wait a few minutes"},
		Fault{Name: "gemini service without a reason", Status: 403, Body: google(403, "PERMISSION_DENIED", "Generative Language API has not been used in project 1 before or it is disabled.", "")},
		Fault{Name: "gemini location", Status: 400, Body: google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", "")},
		Fault{Name: "gemini suspended", Status: 403, Body: google(403, "PERMISSION_DENIED", "Permission denied: Consumer 'api_key:x' has been suspended.", because("CONSUMER_SUSPENDED"))},
		Fault{Name: "gemini key of another service", Status: 403, Body: google(403, "PERMISSION_DENIED", "Requests to this API method are blocked.", because("API_KEY_SERVICE_BLOCKED"))},
		Fault{Name: "openai country", Status: 403, Body: `{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}`},
		Fault{Name: "openai account", Status: 401, Body: chat("invalid_request_error", "account_deactivated", "The OpenAI account associated with this API key has been deactivated.")},
		Fault{Name: "openai organization", Status: 401, Body: chat("invalid_request_error", "no_organization", "You must be a member of an organization to use the API.")},
		Fault{Name: "openai address", Status: 401, Body: chat("invalid_request_error", "ip_not_authorized", "Your IP address is not authorized.")},
		Fault{Name: "anthropic organization", Status: 400, Body: claude("invalid_request_error", "This organization has been disabled."), Says: "This organization has been disabled; look at"},
		Fault{Name: "anthropic subscription", Status: 401, Body: claude("authentication_error", "OAuth authentication is currently not allowed for this organization.")},
		Fault{Name: "xai endpoint", Status: 403, Body: xai("permission-denied", "Access to the chat endpoint is denied.")},
		Fault{Name: "azure network", Status: 403, Body: `{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}`},
		Fault{Name: "unknown words", Status: 403, Body: chat("forbidden", "", "Not you."), Says: "Not you"},
	)
	add(Fault{Name: "size", Kind: "provider", Says: "send less market data"},
		Fault{Name: "openai", Status: 429, Body: chat("tokens", "rate_limit_exceeded", bigRequest), Says: "Request too large"},
		Fault{Name: "openai without a payment method", Status: 429, Header: map[string]string{"Retry-After": "60"}, Body: chat("tokens", "rate_limit_exceeded", bigRequest+raiseLimit), Says: "Request too large"},
		Fault{Name: "groq", Status: 413, Body: chat("tokens", "rate_limit_exceeded", "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.")},
		Fault{Name: "openai context", Status: 400, Body: chat("invalid_request_error", "context_length_exceeded", "This model's maximum context length is 8192 tokens.")},
		Fault{Name: "anthropic", Status: 400, Body: claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")},
		Fault{Name: "anthropic context", Status: 400, Body: claude("invalid_request_error", "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000")},
		Fault{Name: "anthropic long", Status: 429, Body: claude("rate_limit_error", "Extra usage is required for long context requests.")},
		Fault{Name: "gemini", Status: 400, Body: google(400, "INVALID_ARGUMENT", "The input token count (314175) exceeds the maximum number of tokens allowed (131072).", "")},
		Fault{Name: "xai", Status: 400, Body: xai("Client specified an invalid argument", "This model's maximum prompt length is 131072 but the request contains 537812 tokens.")},
		Fault{Name: "validation", Status: 422, Body: chat("", "", "Input is too long for requested model.")},
	)
	add(Fault{Name: "rate", Kind: "rate_limit", Retryable: true},
		Fault{Name: "openai without a payment method", Status: 429, RetryAfter: 20 * time.Second, Body: chat("requests", "rate_limit_exceeded", "Rate limit reached for gpt-6-luna in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s."+raiseLimit)},
		Fault{Name: "anthropic", Status: 429, Body: claude("rate_limit_error", "This request would exceed the rate limit for your organization of 20,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested, or try again later.")},
		Fault{Name: "anthropic overloaded", Status: 529, Body: claude("overloaded_error", "Overloaded")},
		Fault{Name: "anthropic overloaded behind a gateway", Status: 500, Body: claude("overloaded_error", "Overloaded")},
		Fault{Name: "openai", Status: 429, RetryAfter: 644 * time.Millisecond, Body: chat("tokens", "rate_limit_exceeded", "Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29937, Requested 385. Please try again in 644ms.")},
		Fault{Name: "gemini minute", Status: 429, RetryAfter: 17500 * time.Millisecond, Body: google(429, "RESOURCE_EXHAUSTED", geminiQuota, `{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]},{"retryDelay":"17.5s"}`)},
		Fault{Name: "header before body", Status: 429, Header: map[string]string{"Retry-After": "3"}, RetryAfter: 3 * time.Second, Body: google(429, "RESOURCE_EXHAUSTED", "slower", `{"retryDelay":"17.5s"}`)},
		Fault{Name: "gemini", Status: 429, Body: google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", "")},
		Fault{Name: "xai", Status: 429, Body: xai(xaiExhausted, "Too many tokens for team 1 and model m. Your team's rate limit is — Tokens per Minute (actual/limit): 65605/16000.")},
		Fault{Name: "openrouter in a 200", Status: 200, Body: `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"m is temporarily rate-limited upstream. Please retry shortly.","provider_name":"p"}}}`, Says: "Provider returned error: m is temporarily rate-limited upstream"},
		Fault{Name: "address", Status: 429, Body: chat("", "", "Too many requests from your IP address.")},
		Fault{Name: "azure", Status: 429, RetryAfter: 30 * time.Second, Body: `{"error":{"code":"429","message":"Requests have exceeded call rate limit. Please retry after 30 seconds."}}`},
		Fault{Name: "type in a 200", Status: 200, Body: claude("rate_limit_error", "Slower.")},
		Fault{Name: "epoch of long ago", Status: 429, Waits: true, Header: map[string]string{"Retry-After": "1795858500"}},
		Fault{Name: "epoch to come", Status: 429, RetryAfter: 15 * time.Minute, Header: map[string]string{"Retry-After": fmt.Sprint(time.Now().Add(48 * time.Hour).Unix())}},
		Fault{Name: "date to come", Status: 429, RetryAfter: 15 * time.Minute, Header: map[string]string{"Retry-After": time.Now().Add(48 * time.Hour).UTC().Format(http.TimeFormat)}},
	)
	add(Fault{Name: "fault", Kind: "provider", Retryable: true},
		Fault{Name: "openai", Status: 500, Body: chat("server_error", "", "The server had an error while processing your request.")},
		Fault{Name: "gemini", Status: 503, Body: google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", `"details of another form"`)},
		Fault{Name: "list", Status: 503, Body: `[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]`, Says: "The model is overloaded"},
		Fault{Name: "in a 200", Status: 200, Body: `{"id":"x","choices":[],"error":{"message":"Internal error","code":500}}`},
		Fault{Name: "gateway in a 200", Status: 200, BillUnknown: true, Body: `{"error":{"message":"Provider returned error","code":502}}`},
	)
	add(Fault{Name: "timeout", Kind: "timeout", Retryable: true},
		Fault{Name: "anthropic", Status: 504, BillUnknown: true, Body: claude("timeout_error", "Request timed out")},
		Fault{Name: "cloudflare", Status: 524, BillUnknown: true, Body: proxyPage},
		Fault{Name: "gemini in a 200", Status: 200, BillUnknown: true, Body: google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", "")},
	)
	add(Fault{Name: "unclear", Kind: "invalid_response", Retryable: true},
		Fault{Name: "words", Status: 200, BillUnknown: true, Body: `{"error":{"message":"Something is odd"}}`, Says: "Something is odd"},
		Fault{Name: "text", Status: 200, BillUnknown: true, Body: `{"error":"Something is odd"}`, Says: "Something is odd"},
	)
	add(Fault{Name: "proxy", Kind: "provider", Says: "_BASE_URL"},
		Fault{Name: "page", Status: 401, Body: proxyPage},
		Fault{Name: "page with words", Status: 403, Body: "<html>Your API key has no credit balance: safety</html>"},
	)
	// What the question holds says nothing: the status decides, and nothing that one
	// caller wrote keeps a provider from the others.
	const asks = "Is the credit balance of this safety check, by our usage guidelines, or an incorrect api key a reason to buy?"
	echo := "The field reads: " + asks
	add(Fault{Name: "echo", Kind: "provider"},
		Fault{Name: "bad request", Status: 400, Question: asks, Body: chat("invalid_request_error", "", echo), Says: "_EFFORT"},
		Fault{Name: "bad request of anthropic", Status: 400, Question: asks, Body: claude("invalid_request_error", echo)},
		Fault{Name: "bad request of gemini", Status: 400, Question: asks, Body: google(400, "INVALID_ARGUMENT", echo, "")},
		Fault{Name: "forbidden", Status: 403, Question: asks, Body: xai(xaiDenied, echo)},
		Fault{Name: "forbidden content with a key's id", Status: 403, Question: asks, Body: xai(xaiDenied, "Content violates usage guidelines. Team: t, API key ID: k")},
	)
	add(Fault{Name: "echo", Kind: "refusal"}, Fault{Name: "code", Status: 400, Question: asks, Body: chat("", "content_filter", echo)})
	add(Fault{Name: "echo", Kind: "authentication"}, Fault{Name: "key", Status: 401, Question: asks, Body: chat("", "", echo)})
	add(Fault{Name: "echo", Kind: "rate_limit", Retryable: true},
		Fault{Name: "rate", Status: 429, Question: asks, Body: chat("", "", echo)},
		Fault{Name: "wait", Status: 429, Question: "Try again in 9h.", Body: chat("", "", "You wrote: try again in 9h.")})
	return all
}
