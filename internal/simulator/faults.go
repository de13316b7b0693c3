package simulator

// The faults that can be scripted, each with what a client sees of it.

import (
	"encoding/json"
	"strings"
	"time"
)

// fault says how a request goes wrong: by one of the fields below its name.
type fault struct {
	name, what string

	problem  *problem                              // is answered, in the provider's own error body
	reply    func(*reply)                          // how the model ended
	vote     func(vote map[string]any, key string) // what the model says
	envelope func(map[string]any)                  // what lies around the vote
	send     func(*call, message)                  // how the finished answer goes out
}

var faults = []fault{
	{name: "wrong_key", what: "the key is wrong: 401, at Gemini and Grok 400", problem: &problem{condition: wrongKey}},
	{name: "forbidden", what: "403: the key may not do this", problem: &problem{condition: forbidden}},
	{name: "quota", what: "no money left: 429, at Anthropic 402", problem: &problem{condition: outOfQuota}},
	{name: "credit_balance", what: "no money left: Anthropic's 400 form; elsewhere as quota", problem: &problem{condition: creditBalance}},
	{name: "rate_limit", what: "429 with Retry-After: 1, at Gemini with retryDelay 1.5s in the body", problem: limited(1500*time.Millisecond, ownForm)},
	{name: "rate_limit_seconds", what: "429 with Retry-After: 1 at every provider", problem: limited(time.Second, secondForm)},
	{name: "rate_limit_ms", what: "429 with Retry-After-Ms: 20", problem: limited(20*time.Millisecond, milliForm)},
	{name: "rate_limit_date", what: "429 with Retry-After as an HTTP date, 2 s ahead", problem: limited(2*time.Second, dateForm)},
	{name: "rate_limit_epoch", what: "429 with Retry-After as seconds since 1970, 2 s ahead", problem: limited(2*time.Second, epochForm)},
	{name: "rate_limit_long", what: "as rate_limit, with a wait of an hour", problem: limited(time.Hour, ownForm)},
	{name: "rate_limit_bare", what: "429 that tells no wait", problem: limited(0, ownForm)},
	{name: "overloaded", what: "the model is busy: 503, at Anthropic 529", problem: &problem{condition: overloaded}},
	{name: "unavailable", what: "503", problem: &problem{condition: unavailable}},
	{name: "bad_request", what: "400", problem: &problem{condition: badRequest}},
	{name: "not_found", what: "404: no such model", problem: &problem{condition: notFound}},
	{name: "too_large", what: "413", problem: &problem{condition: tooLarge}},
	{name: "unprocessable", what: "422", problem: &problem{condition: unprocessable}},
	{name: "server_error", what: "500", problem: &problem{condition: serverError}},
	{name: "timeout_408", what: "408", problem: &problem{condition: requestTimeout}},
	{name: "timeout_504", what: "504 with the provider's error body", problem: &problem{condition: gatewayTimeout}},
	{name: "content_policy", what: "what was asked is refused: 400, at Grok 403", problem: &problem{condition: contentPolicy}},
	{name: "credits_denied", what: "no money left: 403 at Gemini and Grok; elsewhere as quota", problem: &problem{condition: creditsDenied}},
	{name: "model_denied", what: "the account does not have the model: 403, at Anthropic and Gemini 404", problem: &problem{condition: modelDenied}},
	{name: "region_denied", what: "the country is not served: 403, at Gemini 400", problem: &problem{condition: regionDenied}},
	{name: "usage_limit", what: "a limit of the account is reached: 400, at Gemini and Grok 429", problem: &problem{condition: usageLimit}},
	{name: "account_disabled", what: "nobody with the account is served: 400, 401 or 403", problem: &problem{condition: accountDisabled}},
	{name: "request_too_large", what: "the request has too many tokens: 429, at Gemini and Grok 400", problem: &problem{condition: requestTooLarge}},
	{name: "error_in_200", what: "200 with the error body of quota", problem: &problem{condition: outOfQuota, status: 200}},
	{name: "echo_key_error", what: "as wrong_key, with the key that was sent in the text", problem: &problem{condition: wrongKey, echoKey: true}},

	{name: "html_502", what: "502 with a proxy's HTML page", send: sendBody(502, "text/html", proxyPage)},
	{name: "html_200", what: "200 with an HTML page", send: sendBody(200, "text/html", proxyPage)},
	{name: "not_json", what: "200 with text that is not JSON", send: sendBody(200, "application/json", "upstream connect error or disconnect/reset before headers")},
	{name: "empty_body", what: "200 without a body", send: sendBody(200, "application/json", "")},
	{name: "redirect", what: "307 to " + redirectTarget + ", where no provider is", send: sendRedirect},
	{name: "hang", what: "no answer until the client goes", send: sendNever},
	{name: "slow_headers", what: "the answer starts after the slow time", send: sendLate},
	{name: "slow_drip", what: "the answer trickles, byte by byte, over the slow time", send: sendDrip},
	{name: "reset", what: "the connection is reset before an answer", send: sendReset},
	{name: "cut_body", what: "half of the body that Content-Length promises", send: sendHalf},

	{name: "refusal", what: "the model refuses", reply: func(r *reply) { r.ending = refused }},
	{name: "blocked", what: "a filter stops the answer; at Gemini no candidates", reply: func(r *reply) { r.ending = blocked }},
	{name: "truncated", what: "the answer hits the output cap", reply: func(r *reply) { r.ending = truncated }},
	{name: "thinking_first", what: "a good answer with the model's thoughts before it", reply: func(r *reply) { r.showThink = true }},

	{name: "lower_case", what: "a good vote whose enums have the other case", vote: swapCase},
	{name: "wrong_types", what: "a vote whose fields have other types", vote: func(v map[string]any, _ string) {
		v["decision"], v["confidence"], v["stop_loss"] = 1, "very sure", []int{}
	}},
	{name: "confidence_out_of_range", what: "a vote with confidence 85", vote: func(v map[string]any, _ string) { v["confidence"] = 85 }},
	{name: "missing_fields", what: "a vote without confidence and reasoning", vote: func(v map[string]any, _ string) {
		delete(v, "confidence")
		delete(v, "reasoning")
	}},
	{name: "extra_fields", what: "a good answer with fields that nobody knows", vote: addField, envelope: func(body map[string]any) { addField(body, "") }},
	{name: "echo_key_reasoning", what: "a vote whose reasoning holds the key that was sent", vote: func(v map[string]any, key string) {
		v["reasoning"] = "The key was " + key + ". " + v["reasoning"].(string)
	}},
	{name: "huge_body", what: "a good answer with a field of 5 MB beside it", envelope: func(body map[string]any) {
		body["padding"] = strings.Repeat("padding ", 5_000_000/len("padding "))
	}},
	{name: "no_answer", what: "an answer without what the model said", envelope: drop("content", "choices", "candidates")},
	{name: "no_usage", what: "a good answer that tells no tokens", envelope: drop("usage", "usageMetadata")},
	{name: "usage_decimals", what: "a good answer whose tokens are written 1900.0", envelope: figures(func(n json.Number) any { return n + ".0" })},
	{name: "usage_text", what: "a good answer whose tokens are written \"1900\"", envelope: figures(func(n json.Number) any { return n.String() })},
	{name: "usage_absurd", what: "a good answer whose tokens are below 0 or beyond any number", envelope: figures(func(n json.Number) any {
		if n == "0" {
			return json.Number("-1")
		}
		return json.Number("1e400")
	})},
	{name: "usage_lists", what: "a good answer with [] in place of the details of its tokens", envelope: usageOf(func(usage map[string]any) {
		for name, value := range usage {
			if _, is := value.(json.Number); !is {
				usage[name] = []int{}
			}
		}
	})},
}

// FaultInfo describes a fault, for help texts.
type FaultInfo struct{ Name, What string }

// Faults lists every fault that a script may name, ok aside.
func Faults() []FaultInfo {
	list := make([]FaultInfo, len(faults))
	for i, f := range faults {
		list[i] = FaultInfo{f.name, f.what}
	}
	return list
}

func faultByName(name string) (fault, bool) {
	for _, f := range faults {
		if f.name == name {
			return f, true
		}
	}
	return fault{}, false
}

func limited(after time.Duration, form hintForm) *problem {
	return &problem{condition: rateLimited, wait: retryHint{after, form}}
}

func swapCase(v map[string]any, _ string) {
	v["decision"] = strings.ToLower(v["decision"].(string))
	v["risk_level"] = strings.ToUpper(v["risk_level"].(string))
}

func addField(object map[string]any, _ string) {
	object["unheard_of"] = map[string]any{"nested": []int{1, 2, 3}}
}

func drop(names ...string) func(map[string]any) {
	return func(body map[string]any) {
		for _, name := range names {
			delete(body, name)
		}
	}
}

// usageOf changes the usage of an answer.
func usageOf(change func(map[string]any)) func(map[string]any) {
	return func(body map[string]any) {
		for _, name := range []string{"usage", "usageMetadata"} {
			if usage, is := body[name].(map[string]any); is {
				change(usage)
			}
		}
	}
}

// figures writes every number of an answer's usage in another way.
func figures(write func(json.Number) any) func(map[string]any) {
	var all func(map[string]any)
	all = func(object map[string]any) {
		for name, value := range object {
			switch value := value.(type) {
			case json.Number:
				object[name] = write(value)
			case map[string]any:
				all(value)
			}
		}
	}
	return usageOf(all)
}
