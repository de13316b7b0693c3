package simulator

// The faults, each with what a client sees of it, and the scripts that say which request
// of which provider has which fault.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// fault is how a request goes wrong. One of the fields below the description is set.
type fault struct {
	name, what string

	problem  *problem                      // the answer is this error
	reply    func(*reply)                  // changes how the model ended
	vote     func(vote fields, key string) // changes what the model says
	envelope func(fields)                  // changes what surrounds the vote
	send     func(*call, message)          // sends the answer in this way
}

// failing is a fault that is answered with the error of its name.
func failing(name, what string) fault {
	return fault{name: name, what: what, problem: &problem{condition: name}}
}

func limited(after time.Duration, form hintForm) *problem {
	return &problem{condition: "rate_limit", wait: retryHint{after, form}}
}

var faults = []fault{
	failing("wrong_key", "the key is wrong: 401, at Gemini and Grok 400"),
	failing("forbidden", "403: the key may not do this"),
	failing("quota", "no money left: 429, at Anthropic 402"),
	failing("credit_balance", "no money left: Anthropic's 400 form; elsewhere as quota"),
	{name: "rate_limit", what: "429 with Retry-After: 1, at Gemini with retryDelay 1.5s in the body", problem: limited(1500*time.Millisecond, ownForm)},
	{name: "rate_limit_seconds", what: "429 with Retry-After: 1 at every provider", problem: limited(time.Second, secondForm)},
	{name: "rate_limit_ms", what: "429 with Retry-After-Ms: 20", problem: limited(20*time.Millisecond, milliForm)},
	{name: "rate_limit_date", what: "429 with Retry-After as an HTTP date, 2 s ahead", problem: limited(2*time.Second, dateForm)},
	{name: "rate_limit_epoch", what: "429 with Retry-After as seconds since 1970, 2 s ahead", problem: limited(2*time.Second, epochForm)},
	{name: "rate_limit_long", what: "as rate_limit, with a wait of an hour", problem: limited(time.Hour, ownForm)},
	{name: "rate_limit_bare", what: "429 that does not say how long to wait", problem: limited(0, ownForm)},
	failing("overloaded", "the model is busy: 503, at Anthropic 529"),
	failing("unavailable", "503"),
	failing("bad_request", "400"),
	failing("not_found", "404: no such model"),
	failing("too_large", "413"),
	failing("unprocessable", "422"),
	failing("server_error", "500"),
	failing("timeout_408", "408"),
	failing("timeout_504", "504 with the provider's error body"),
	failing("content_policy", "what was asked is refused: 400, at Grok 403"),
	failing("credits_denied", "no money left: 403 at Gemini and Grok; elsewhere as quota"),
	failing("model_denied", "the account does not have the model: 403, at Anthropic and Gemini 404"),
	failing("region_denied", "the country is not served: 403, at Gemini 400"),
	failing("usage_limit", "a limit of the account is reached: 400, at Gemini and Grok 429"),
	failing("account_disabled", "nobody with the account is served: 400, 401 or 403"),
	failing("request_too_large", "the request has too many tokens: 429, at Gemini and Grok 400"),
	{name: "error_in_200", what: "200 with the error body of quota", problem: &problem{condition: "quota", status: 200}},
	{name: "echo_key_error", what: "as wrong_key, with the key that was sent in the text", problem: &problem{condition: "wrong_key", echoKey: true}},

	{name: "html_502", what: "502 with a proxy's HTML page", send: sendBody(502, "text/html", proxyPage)},
	{name: "html_200", what: "200 with an HTML page", send: sendBody(200, "text/html", proxyPage)},
	{name: "not_json", what: "200 with text that is not JSON", send: sendBody(200, "application/json", "upstream connect error or disconnect/reset before headers")},
	{name: "empty_body", what: "200 without a body", send: sendBody(200, "application/json", "")},
	{name: "redirect", what: "307 to " + redirectTarget + ", where no provider is", send: sendRedirect},
	{name: "hang", what: "no answer until the client leaves", send: sendNever},
	{name: "slow_headers", what: "the answer starts after the slow time", send: sendLate},
	{name: "slow_drip", what: "the answer trickles, byte by byte, over the slow time", send: sendDrip},
	{name: "reset", what: "the connection is reset before an answer", send: sendReset},
	{name: "cut_body", what: "half of the body that Content-Length promises", send: sendHalf},

	{name: "refusal", what: "the model refuses", reply: func(r *reply) { r.stop = refused }},
	{name: "blocked", what: "a filter stops the answer; at Gemini no candidates", reply: func(r *reply) { r.stop = blocked }},
	{name: "truncated", what: "the answer reaches the output limit", reply: func(r *reply) { r.stop = truncated }},
	{name: "thinking_first", what: "a good answer with the model's thoughts before it", reply: func(r *reply) { r.showThinking = true }},

	{name: "lower_case", what: "a good vote whose enums have the other case", vote: swapCase},
	{name: "wrong_types", what: "a vote whose fields have other types", vote: func(v fields, _ string) {
		v["decision"], v["confidence"], v["stop_loss"] = 1, "very sure", []int{}
	}},
	{name: "confidence_out_of_range", what: "a vote with confidence 85", vote: func(v fields, _ string) { v["confidence"] = 85 }},
	{name: "missing_fields", what: "a vote without confidence and reasoning", vote: func(v fields, _ string) {
		delete(v, "confidence")
		delete(v, "reasoning")
	}},
	{name: "extra_fields", what: "a good answer with fields that nobody knows", vote: addField, envelope: func(body fields) { addField(body, "") }},
	{name: "echo_key_reasoning", what: "a vote whose reasoning holds the key that was sent", vote: func(v fields, key string) {
		v["reasoning"] = "The key was " + key + ". " + v["reasoning"].(string)
	}},
	{name: "huge_body", what: "a good answer with a field of 5 MB beside it", envelope: func(body fields) {
		body["padding"] = strings.Repeat("padding ", 5_000_000/len("padding "))
	}},
	{name: "no_answer", what: "an answer without what the model said", envelope: drop("content", "choices", "candidates")},
	{name: "no_usage", what: "a good answer that does not say how many tokens it cost", envelope: drop("usage", "usageMetadata")},
	{name: "usage_decimals", what: "a good answer whose tokens are written 1900.0", envelope: figures(func(n json.Number) any { return n + ".0" })},
	{name: "usage_text", what: "a good answer whose tokens are written \"1900\"", envelope: figures(func(n json.Number) any { return n.String() })},
	{name: "usage_absurd", what: "a good answer whose tokens are below 0 or beyond any number", envelope: figures(func(n json.Number) any {
		if n == "0" {
			return json.Number("-1")
		}
		return json.Number("1e400")
	})},
	{name: "usage_lists", what: "a good answer with [] in place of the details of its tokens", envelope: usageOf(func(usage fields) {
		for name, value := range usage {
			if _, is := value.(json.Number); !is {
				usage[name] = []int{}
			}
		}
	})},
}

// FaultInfo describes a fault, for help texts.
type FaultInfo struct{ Name, What string }

// Faults lists every fault that a script may name besides ok.
func Faults() []FaultInfo {
	list := make([]FaultInfo, len(faults))
	for i, f := range faults {
		list[i] = FaultInfo{f.name, f.what}
	}
	return list
}

func faultByName(name string) (fault, bool) {
	i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
	if i < 0 {
		return fault{}, false
	}
	return faults[i], true
}

func swapCase(v fields, _ string) {
	v["decision"] = strings.ToLower(v["decision"].(string))
	v["risk_level"] = strings.ToUpper(v["risk_level"].(string))
}

func addField(object fields, _ string) {
	object["unheard_of"] = fields{"nested": []int{1, 2, 3}}
}

func drop(names ...string) func(fields) {
	return func(body fields) {
		for _, name := range names {
			delete(body, name)
		}
	}
}

// usageOf changes the usage of an answer.
func usageOf(change func(fields)) func(fields) {
	return func(body fields) {
		for _, name := range []string{"usage", "usageMetadata"} {
			if usage, is := body[name].(fields); is {
				change(usage)
			}
		}
	}
}

// figures writes every number in the usage of an answer in another way.
func figures(write func(json.Number) any) func(fields) {
	var all func(fields)
	all = func(object fields) {
		for name, value := range object {
			switch value := value.(type) {
			case json.Number:
				object[name] = write(value)
			case fields:
				all(value)
			}
		}
	}
	return usageOf(all)
}

// Fault is the name of a fault as in [Faults], or ok for none. A star at its end, as in
// hang*, repeats it for all later requests.
type Fault string

// OK is a request that is answered as usual.
const OK Fault = "ok"

func (f Fault) name() string { return strings.TrimSuffix(string(f), "*") }

func (f Fault) repeats() bool { return strings.HasSuffix(string(f), "*") }

// ParseFaults reads a script such as "anthropic=rate_limit,ok;grok=hang*": the first
// request of a provider has the first fault of its list, and so on. After the list,
// requests are answered as usual, unless the last fault has a star. Every request of a
// provider counts, also for the list of models. An empty script has no faults.
func ParseFaults(script string) (map[string][]Fault, error) {
	faults := make(map[string][]Fault)
	if strings.TrimSpace(script) == "" {
		return faults, nil
	}
	for part := range strings.SplitSeq(script, ";") {
		provider, list, found := strings.Cut(part, "=")
		provider = strings.ToLower(strings.TrimSpace(provider))
		if !found {
			return nil, fmt.Errorf("fault script %q: write provider=fault,fault, with ; between providers", strings.TrimSpace(part))
		}
		if _, twice := faults[provider]; twice {
			return nil, fmt.Errorf("fault script: %s is there twice: put all its faults into one list", provider)
		}
		for name := range strings.SplitSeq(list, ",") {
			faults[provider] = append(faults[provider], Fault(strings.ToLower(strings.TrimSpace(name))))
		}
	}
	return faults, checkScript(faults)
}

// checkScript gives an error for a script that no server can follow.
func checkScript(script map[string][]Fault) error {
	for _, provider := range sortedKeys(script) {
		if _, known := formats[provider]; !known {
			return fmt.Errorf("fault script: %q is not a provider: known are %s", provider, strings.Join(slices.Concat(Providers, Presets), ", "))
		}
		for i, fault := range script[provider] {
			if _, known := faultByName(fault.name()); !known && fault.name() != string(OK) {
				names := string(OK)
				for _, f := range faults {
					names += ", " + f.name
				}
				return fmt.Errorf("fault script: %q of %s is not a fault: known are %s", fault.name(), provider, names)
			}
			if fault.repeats() && i < len(script[provider])-1 {
				return fmt.Errorf("fault script: %s of %s repeats for ever, so nothing may follow it", fault, provider)
			}
		}
	}
	return nil
}

// scripted gives the fault of the nth request, counted from 1.
func scripted(list []Fault, n int) string {
	switch {
	case n <= len(list):
		return list[n-1].name()
	case len(list) > 0 && list[len(list)-1].repeats():
		return list[len(list)-1].name()
	}
	return string(OK)
}
