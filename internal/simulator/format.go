package simulator

// What a wire format has to do, and what passes between it and the server.

import (
	"net/http"
	"slices"
	"strings"
)

// The providers, as they are named in paths, scripts and counters.
const (
	Anthropic = "anthropic"
	OpenAI    = "openai"
	Gemini    = "gemini"
	Grok      = "grok"
)

// Providers lists them in the order in which they are always shown.
var Providers = []string{Anthropic, OpenAI, Gemini, Grok}

// format is one provider's wire format. Paths are without the provider's prefix.
type format interface {
	// asks tells whether the path is the one for questions, and the model where
	// the path names it.
	asks(path string) (model string, ok bool)
	// listPath is the path of the list of models.
	listPath() string
	// key gives the key that the header carries, or a problem.
	key(header http.Header) (string, *problem)
	// read checks the body of a question. model is what asks gave.
	read(body fields, model string) (question, *problem)
	// answer writes a reply.
	answer(reply) any
	// list writes the list of models.
	list(models []string) any
	// problem writes an error; retry hints in the header are the server's work,
	// unless the body holds them.
	problem(p *problem, key, id string) (status int, body any)
	// requestID writes the number of a request as an id, and gives the header
	// that carries it; empty: none does.
	requestID(n int) (id, header string)
}

// question is a request that passed the checks.
type question struct {
	model     string
	system    string
	user      string
	maxTokens int // output cap in tokens, thinking included; 0: none
	thinking  int // tokens that the model thinks before it answers
}

// reply is what a model answers, before it is written in a wire format.
type reply struct {
	question
	id        string
	number    int
	text      string // the vote as JSON, unless ending says otherwise
	ending    ending
	showThink bool // what the model thought comes before the text
	usage     usage
}

// ending is how a model stopped.
type ending int

const (
	complete  ending = iota
	truncated        // the output cap was hit
	refused          // the model would not answer
	blocked          // a filter let nothing through
)

const (
	refusalText = "I can't help with this request."
	thoughtText = "Looking at the figures before answering. {\"decision\": \"HOLD\"} would be too early."
)

// usage counts tokens. Input holds cached; output and thinking are apart.
type usage struct{ input, cached, output, thinking int }

// thinkingTokens is how much a model thinks at an effort, in any case of letters.
func thinkingTokens(effort string) int {
	switch strings.ToLower(effort) {
	case "none", "disabled":
		return 0
	case "minimal":
		return 16
	case "low":
		return 64
	case "high":
		return 512
	case "xhigh", "max":
		return 1024
	}
	return 256 // medium, and where none was asked for
}

// tokens is the usual rule of thumb: four characters make a token.
func tokens(text string) int { return (len(text) + 3) / 4 }

// finish fills in the reply's usage, and cuts an answer at the output cap.
func (r *reply) finish() {
	r.usage.input = tokens(r.system) + tokens(r.user)
	if r.number > 1 && r.usage.input >= 1024 { // prompt caches start there and keep whole blocks
		r.usage.cached = r.usage.input / 2 / 128 * 128
	}
	r.usage.thinking = r.thinking
	room := tokens(r.text)
	if r.maxTokens > 0 {
		r.usage.thinking = min(r.thinking, r.maxTokens/2)
		room = r.maxTokens - r.usage.thinking
	}
	switch {
	case r.ending == refused:
		r.text = refusalText
	case r.ending == blocked:
		r.text = ""
	case r.ending == truncated:
		r.text = r.text[:len(r.text)/2]
	case tokens(r.text) > room:
		r.text, r.ending = r.text[:4*room], truncated
	}
	r.text = strings.ToValidUTF8(r.text, "")
	r.usage.output = tokens(r.text)
}

// plausible reports whether the model's name could be one of the provider's.
func plausible(model string, unknown []string, prefixes ...string) bool {
	return !slices.Contains(unknown, model) &&
		slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(model, prefix) })
}
