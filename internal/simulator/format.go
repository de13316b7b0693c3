package simulator

// What a wire format consists of, and what passes between it and the server.

import (
	"net/http"
	"strings"
)

// The providers, as they are named in paths, scripts and counters.
const (
	Anthropic = "anthropic"
	OpenAI    = "openai"
	Gemini    = "gemini"
	Grok      = "grok"
)

// Providers lists the built-in ones in the order in which they are always shown.
var Providers = []string{Anthropic, OpenAI, Gemini, Grok}

var formats = withDialects(map[string]format{Anthropic: anthropicFormat, OpenAI: openaiFormat, Gemini: geminiFormat, Grok: grokFormat})

// format is the wire format of one provider.
type format struct {
	questions string // the path of questions below the provider's prefix; * stands for the model's name
	models    string // the path of the list of models
	idForm    string // how the number of a request is written as its id
	idHeader  string // the header of an answer with the id; empty: there is none
	keyHeader string // the header of a request with the key
	keyPrefix string // what precedes the key in it
	keyless   bool   // no key is needed

	modelPrefix string   // what the names of models begin with
	listed      []string // the models in the list; others are answered too
	rules       []rule   // for the body of a question

	read    func(body fields, model string) (question, *problem)  // reads a question that keeps the rules; model is that of the path
	answer  func(reply) fields                                    // writes a reply
	list    func(models []string) fields                          // writes the list of models
	problem func(r errorRow, p *problem, id string) (body fields) // writes an error
}

// asks reports whether a path is that of questions, and gives the model in the path.
func (f format) asks(path string) (model string, ok bool) {
	before, after, hasModel := strings.Cut(f.questions, "*")
	if !hasModel {
		return "", path == f.questions
	}
	model, begins := strings.CutPrefix(path, before)
	model, ends := strings.CutSuffix(model, after)
	return model, begins && ends && model != "" && !strings.Contains(model, "/")
}

// key gives the key in a header. It is empty if there is none.
func (f format) key(header http.Header) string {
	key, found := strings.CutPrefix(header.Get(f.keyHeader), f.keyPrefix)
	if !found {
		return ""
	}
	return strings.TrimSpace(key)
}

// question is a request that has passed all checks.
type question struct {
	model     string
	system    string
	user      string
	maxTokens int // the output limit in tokens, which thinking counts towards; 0: none
	thinking  int // tokens that the model thinks before it answers

	fenced      bool // nothing holds the model to JSON, so it puts the vote into a fence of Markdown
	thinksAloud bool // the thoughts are a part of the text
}

// reply is what a model answers, before it is written in a wire format.
type reply struct {
	question
	id           string
	number       int
	text         string // the vote as JSON, unless stop says otherwise
	stop         stop
	showThinking bool // the model's thoughts are sent before the text
	usage        usage
}

// stop is why a model stopped.
type stop int

const (
	finished  stop = iota
	truncated      // the output limit was reached
	refused        // the model would not answer
	blocked        // a filter let nothing through
)

const (
	refusalText = "I can't help with this request."
	thoughtText = "Looking at the figures before answering. {\"decision\": \"HOLD\"} would be too early."
)

// usage counts tokens. Cached tokens are a part of the input. Thinking is not a part of
// the output.
type usage struct{ input, cached, output, thinking int }

// thinkingTokens is how much a model thinks at an effort, in any letter case.
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
	return 256 // medium, and the default
}

// tokens estimates the tokens of a text: four bytes make a token.
func tokens(text string) int { return (len(text) + 3) / 4 }

// finish computes the usage of a reply, and cuts its text at the output limit.
func (r *reply) finish() {
	r.usage.input = tokens(r.system) + tokens(r.user)
	if r.number > 1 && r.usage.input >= 1024 { // the smallest prompt that providers cache, in whole blocks
		r.usage.cached = r.usage.input / 2 / 128 * 128
	}
	r.usage.thinking = r.thinking
	room := tokens(r.text)
	if r.maxTokens > 0 {
		r.usage.thinking = min(r.thinking, r.maxTokens/2)
		room = r.maxTokens - r.usage.thinking
	}
	switch {
	case r.stop == refused:
		r.text = refusalText
	case r.stop == blocked:
		r.text = ""
	case r.stop == truncated:
		r.text = r.text[:len(r.text)/2]
	case tokens(r.text) > room:
		r.text, r.stop = r.text[:4*room], truncated
	}
	r.text = strings.ToValidUTF8(r.text, "")
	r.usage.output = tokens(r.text)
}
