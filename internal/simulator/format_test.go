package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAnswers compares whole answers with golden files: a good one, one for every reason to
// stop, and the list of models.
func TestAnswers(t *testing.T) {
	for _, provider := range Providers {
		t.Run(provider, func(t *testing.T) {
			endings := []Fault{OK, "thinking_first", "truncated", "refusal", "blocked"}
			s := New(Options{Faults: map[string][]Fault{provider: endings}})
			var out strings.Builder
			for _, ending := range endings {
				out.WriteString(transcript(string(ending), ask(t, s, provider, overbought)))
			}
			out.WriteString(transcript("models", serve(s, listRequest(provider))))
			golden(t, provider+"_answers.txt", []byte(out.String()))
		})
	}
}

// TestErrors compares every error with golden files: body, status and headers.
func TestErrors(t *testing.T) {
	for _, provider := range Providers {
		t.Run(provider, func(t *testing.T) {
			var out strings.Builder
			for _, f := range faults {
				if f.problem == nil || f.problem.wait.form == dateForm || f.problem.wait.form == epochForm { // times: TestRetryDate
					continue
				}
				s := New(Options{Faults: map[string][]Fault{provider: {Fault(f.name)}}})
				out.WriteString(transcript(f.name, ask(t, s, provider, overbought)))
			}
			golden(t, provider+"_errors.txt", []byte(out.String()))
		})
	}
}

func listRequest(provider string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/"+provider+formats[provider].models, nil)
	authorize(r, provider)
	return r
}

// TestUsage: the counts in every format must mean the same tokens.
func TestUsage(t *testing.T) {
	long := overbought + strings.Repeat(" and some more words", 400)
	read := func(t *testing.T, provider string, body []byte) (input, cached, output int) {
		var a struct {
			Usage struct {
				InputTokens      int `json:"input_tokens"`
				CacheRead        int `json:"cache_read_input_tokens"`
				OutputTokens     int `json:"output_tokens"`
				PromptTokens     int `json:"prompt_tokens"`
				CompletionTokens int `json:"completion_tokens"`
				TotalTokens      int `json:"total_tokens"`
				PromptDetails    struct {
					Cached int `json:"cached_tokens"`
				} `json:"prompt_tokens_details"`
				CompletionDetails struct {
					Reasoning int `json:"reasoning_tokens"`
				} `json:"completion_tokens_details"`
				Ticks int `json:"cost_in_usd_ticks"`
			}
			UsageMetadata struct{ PromptTokenCount, CandidatesTokenCount, ThoughtsTokenCount, CachedContentTokenCount, TotalTokenCount int }
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		u, g := a.Usage, a.UsageMetadata
		switch provider {
		case Anthropic:
			return u.InputTokens + u.CacheRead, u.CacheRead, u.OutputTokens
		case Gemini:
			if g.TotalTokenCount != g.PromptTokenCount+g.CandidatesTokenCount+g.ThoughtsTokenCount {
				t.Errorf("gemini: total %d is not the sum of its parts", g.TotalTokenCount)
			}
			return g.PromptTokenCount, g.CachedContentTokenCount, g.CandidatesTokenCount + g.ThoughtsTokenCount
		case OpenAI:
			if u.TotalTokens != u.PromptTokens+u.CompletionTokens {
				t.Errorf("openai: reasoning must lie inside completion_tokens: total %d, completion %d", u.TotalTokens, u.CompletionTokens)
			}
		case Grok:
			if u.TotalTokens != u.PromptTokens+u.CompletionTokens+u.CompletionDetails.Reasoning || u.CompletionDetails.Reasoning == 0 {
				t.Errorf("grok: reasoning must lie beside completion_tokens: %+v", u)
			}
			if want := u.PromptTokens*12_500 + (u.TotalTokens-u.PromptTokens)*25_000; u.Ticks != want {
				t.Errorf("grok: cost_in_usd_ticks = %d, want %d", u.Ticks, want)
			}
		}
		return u.PromptTokens, u.PromptDetails.Cached, u.TotalTokens - u.PromptTokens
	}
	for _, provider := range Providers {
		t.Run(provider, func(t *testing.T) {
			s := New(Options{})
			first := ask(t, s, provider, long).Body.Bytes()
			wantInput := tokens("You judge a market.") + tokens(long)
			wantOutput := tokens(textOf(t, provider, first))
			if provider != Anthropic { // which is asked with thinking disabled
				wantOutput += thinkingTokens("low")
			}
			input, cached, output := read(t, provider, first)
			if input != wantInput || cached != 0 || output != wantOutput {
				t.Errorf("first answer: input, cached, output = %d, %d, %d, want %d, 0, %d", input, cached, output, wantInput, wantOutput)
			}
			input, cached, _ = read(t, provider, ask(t, s, provider, long).Body.Bytes())
			if input != wantInput || cached == 0 || cached >= input {
				t.Errorf("second answer: input, cached = %d, %d, want %d with a part of it cached", input, cached, wantInput)
			}
		})
	}
}

// TestOutputCap: an answer that is longer than the limit is cut, and says so.
func TestOutputCap(t *testing.T) {
	path, body := questionTo(t, OpenAI, overbought)
	body["max_completion_tokens"] = 20
	r := httptest.NewRequest(http.MethodPost, "/openai"+path, strings.NewReader(string(encode(body))))
	authorize(r, OpenAI)
	w := serve(New(Options{}), r)
	if !strings.Contains(w.Body.String(), `"finish_reason":"length"`) || !strings.Contains(w.Body.String(), `"completion_tokens":20`) {
		t.Errorf("with a cap of 20: %s", w.Body)
	}
}
