package e2e

import (
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"thalas/internal/signal"
	"thalas/internal/simulator"
)

// maxAttempts is the default of MAX_ATTEMPTS.
const maxAttempts = 3

// twice is how often a provider is asked that does not answer with a vote.
const twice = 2

// judged says what a fault of a provider that repeats it for ever comes to.
type judged struct {
	kind     signal.FailureKind // empty: the answer is a good vote
	attempts int
	timeout  string // of the run; empty: the default
}

// faults holds every fault of the simulator.
var faults = map[string]judged{
	"wrong_key":          {signal.FailureAuthentication, 1, ""},
	"forbidden":          {signal.FailureAuthentication, 1, ""},
	"echo_key_error":     {signal.FailureAuthentication, 1, ""},
	"content_policy":     {signal.FailureRefusal, 1, ""},
	"credits_denied":     {signal.FailureRateLimit, 1, ""},
	"usage_limit":        {signal.FailureRateLimit, 1, ""},
	"error_in_200":       {signal.FailureRateLimit, 1, ""},
	"model_denied":       {signal.FailureProvider, 1, ""},
	"region_denied":      {signal.FailureProvider, 1, ""},
	"account_disabled":   {signal.FailureProvider, 1, ""},
	"request_too_large":  {signal.FailureProvider, 1, ""},
	"quota":              {signal.FailureRateLimit, 1, ""},
	"credit_balance":     {signal.FailureRateLimit, 1, ""},
	"rate_limit":         {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_seconds": {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_ms":      {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_date":    {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_epoch":   {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_bare":    {signal.FailureRateLimit, maxAttempts, ""},
	"rate_limit_long":    {signal.FailureRateLimit, 1, ""}, // the wait does not fit
	"overloaded":         {signal.FailureProvider, maxAttempts, ""},
	"unavailable":        {signal.FailureProvider, maxAttempts, ""},
	"server_error":       {signal.FailureProvider, maxAttempts, ""},
	"html_502":           {signal.FailureProvider, maxAttempts, ""},
	"reset":              {signal.FailureProvider, maxAttempts, ""},
	"cut_body":           {signal.FailureProvider, maxAttempts, ""},
	"bad_request":        {signal.FailureProvider, 1, ""},
	"not_found":          {signal.FailureProvider, 1, ""},
	"too_large":          {signal.FailureProvider, 1, ""},
	"unprocessable":      {signal.FailureProvider, 1, ""},
	"redirect":           {signal.FailureProvider, 1, ""},
	"timeout_408":        {signal.FailureTimeout, maxAttempts, ""},
	"timeout_504":        {signal.FailureTimeout, maxAttempts, ""},
	"hang":               {signal.FailureTimeout, 1, "1"},
	"slow_headers":       {signal.FailureTimeout, 1, "1"},
	"slow_drip":          {signal.FailureTimeout, 1, "1"},
	"refusal":            {signal.FailureRefusal, 1, ""},
	"blocked":            {signal.FailureRefusal, 1, ""},
	"truncated":          {signal.FailureTruncated, 1, ""},

	"html_200":                {signal.FailureInvalidResponse, twice, ""},
	"not_json":                {signal.FailureInvalidResponse, twice, ""},
	"empty_body":              {signal.FailureInvalidResponse, twice, ""},
	"huge_body":               {signal.FailureInvalidResponse, twice, ""},
	"no_answer":               {signal.FailureInvalidResponse, twice, ""},
	"wrong_types":             {signal.FailureInvalidResponse, twice, ""},
	"missing_fields":          {signal.FailureInvalidResponse, twice, ""},
	"confidence_out_of_range": {signal.FailureInvalidResponse, twice, ""},

	"thinking_first":     {"", 1, ""},
	"lower_case":         {"", 1, ""},
	"extra_fields":       {"", 1, ""},
	"echo_key_reasoning": {"", 1, ""},
	"no_usage":           {"", 1, ""},
	"usage_decimals":     {"", 1, ""},
	"usage_text":         {"", 1, ""},
	"usage_absurd":       {"", 1, ""},
	"usage_lists":        {"", 1, ""},
}

// wantOf is what the fault comes to at one provider.
func wantOf(fault, provider string) judged {
	want := faults[fault]
	switch {
	case fault == "overloaded" && provider == simulator.Anthropic: // its own status, 529
		want.kind = signal.FailureRateLimit
	case fault == "forbidden" && provider != simulator.Anthropic: // of the model, the country, the API
		want.kind = signal.FailureProvider
	case fault == "no_answer" && provider == simulator.Gemini: // no candidates are how it refuses
		want = judged{signal.FailureRefusal, 1, ""}
	}
	return want
}

// A provider's fault is reported as what it is and costs the others nothing;
// nobody is asked more often than allowed.
func TestFaultOfOne(t *testing.T) {
	for _, fault := range simulator.Faults() {
		if _, known := faults[fault.Name]; !known {
			t.Errorf("fault %s is not in the table", fault.Name)
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup // not subtests, of which only a few run at a time
			for _, provider := range simulator.Providers {
				all.Go(func() { faultOfOne(t, fault.Name, provider) })
			}
			all.Wait()
		})
	}
}

func faultOfOne(t *testing.T, fault, provider string) {
	want := wantOf(fault, provider)
	s, err := simulator.Start(simulator.Options{Faults: map[string][]simulator.Fault{provider: {simulator.Fault(fault + "*")}}})
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	args := question("--json")
	if want.timeout != "" {
		args = append(args, "--timeout", want.timeout)
	}
	o := thalas(t, s.Env(), indicators, args...)
	if o.code != 0 {
		t.Errorf("%s: the others' votes are lost: %s", provider, o)
		return
	}
	c := decisionOf(t, o)
	requests := maps.Clone(s.Requests())
	if requests[provider] != want.attempts {
		t.Errorf("%s was asked %d times, want %d", provider, requests[provider], want.attempts)
	}
	delete(requests, provider)
	if len(requests) != 3 || requests[simulator.Providers[0]] > 1 || len(c.Responses)+len(c.Failures) != 4 {
		t.Errorf("%s: the others got %v; the document holds %d votes and %d failures", provider, requests, len(c.Responses), len(c.Failures))
	}
	switch {
	case want.kind == "":
		if c.Status != signal.Complete || len(c.Responses) != 4 {
			t.Errorf("%s: a good answer does not count: %s", provider, o)
		}
	case len(c.Failures) != 1 || c.Status != signal.Degraded || len(c.Responses) != 3:
		t.Errorf("%s: status %s with %d votes and failures %+v, want it alone to fail", provider, c.Status, len(c.Responses), c.Failures)
	default:
		f := c.Failures[0]
		if f.Provider != provider || f.Error != want.kind || f.Attempts != want.attempts || f.Message == "" {
			t.Errorf("failure %+v, want %s of %s after %d", f, want.kind, provider, want.attempts)
		}
	}
}

// One attempt more is made where it is allowed, and it helps.
func TestRetryHelps(t *testing.T) {
	t.Parallel()
	s := simulated(t, "anthropic=rate_limit_ms,server_error,reset,ok;openai=overloaded,ok;gemini=html_200,ok;grok=timeout_504,ok")
	c := decisionOf(t, thalas(t, append(s.Env(), "MAX_ATTEMPTS=4"), indicators, question("--json")...))
	got := map[string]int{}
	for _, v := range c.Responses {
		got[v.Provider] = v.Attempts
	}
	want := map[string]int{"anthropic": 4, "openai": 2, "gemini": 2, "grok": 2}
	if !maps.Equal(got, want) || !maps.Equal(s.Requests(), want) || c.Status != signal.Complete {
		t.Errorf("attempts %v, requests %v, status %s; want %v", got, s.Requests(), c.Status, want)
	}
}

// Even where many attempts are allowed, a wrong key, a used-up quota and an answer
// that is no vote are not asked about again and again.
func TestNoUseInAskingAgain(t *testing.T) {
	t.Parallel()
	s := simulated(t, "anthropic=wrong_key*;openai=quota*;gemini=wrong_key*;grok=not_json*")
	o := thalas(t, append(s.Env(), "MAX_ATTEMPTS=10"), indicators, question()...)
	if want := map[string]int{"anthropic": 1, "openai": 1, "gemini": 1, "grok": 2}; !maps.Equal(s.Requests(), want) {
		t.Errorf("requests %v, want %v", s.Requests(), want)
	}
	if o.code != 3 || o.out != "" || !strings.Contains(o.err, "Insufficient successful provider responses: 0 < 1") {
		t.Errorf("want exit code 3 and no decision: %s", o)
	}
	for _, advice := range []string{"check ANTHROPIC_API_KEY", "check GEMINI_API_KEY", "openai: rate_limit after", "add credit"} {
		if !strings.Contains(o.err, advice) {
			t.Errorf("nothing says %q: %s", advice, o)
		}
	}
}

// A missing quorum is never a HOLD.
func TestQuorum(t *testing.T) {
	t.Parallel()
	s := simulated(t, "anthropic=bad_request*;openai=refusal*")
	if o := thalas(t, s.Env(), indicators, question("--min-providers", "3", "--json")...); o.code != 3 || o.out != "" || !strings.Contains(o.err, "Insufficient successful provider responses: 2 < 3") {
		t.Errorf("want exit code 3: %s", o)
	}
	if c := decisionOf(t, thalas(t, s.Env(), indicators, question("--min-providers", "2", "--json")...)); c.ParticipatingProviders != 2 {
		t.Errorf("%d votes", c.ParticipatingProviders)
	}
}

func TestEverybodyHangs(t *testing.T) {
	t.Parallel()
	s := simulated(t, "anthropic=hang*;openai=slow_drip*;gemini=slow_headers*;grok=hang*")
	o := thalas(t, s.Env(), indicators, question("--timeout", "1")...)
	told := regexp.MustCompile(`: no answer within (1s|[0-9.]+ms); give it more time with --timeout`) // less than 1 s where a call begins late
	if o.code != 3 || o.out != "" || len(told.FindAllString(o.err, -1)) != 4 {
		t.Errorf("want four timeouts: %s", o)
	}
}

// With decided nobody is waited for who can't change the decision.
func TestWaitDecided(t *testing.T) {
	t.Parallel()
	s := simulated(t, "grok=hang*")
	c := decisionOf(t, thalas(t, append(s.Env(), "GROK_WEIGHT=0"), `{"rsi": 20, "macd": 900}`, question("--wait", "decided", "--min-confidence", "0", "--json")...))
	if !c.DecidedEarly || c.Status != signal.Complete || c.ConfidenceRange == nil {
		t.Errorf("decided early %t, status %s, range %v", c.DecidedEarly, c.Status, c.ConfidenceRange)
	}
	spared := map[string]bool{}
	for _, f := range c.Failures { // others that were no longer needed may be among them
		spared[f.Provider] = f.Error == signal.FailureNotNeeded
	}
	if !spared[simulator.Grok] || len(c.Responses)+len(c.Failures) != 4 {
		t.Errorf("failures %+v, want grok among those that were not needed", c.Failures)
	}
	for provider, ok := range spared {
		if !ok {
			t.Errorf("%s failed otherwise: %+v", provider, c.Failures)
		}
	}
}
