package openai

// Servers that are compatible with OpenAI's, by a preset or by the configuration alone.

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"thalas/internal/provider"
)

// NewCompatible makes a provider that speaks a dialect. The maker is the preset, or empty. The
// settings must have a name, a model and a base URL, which may end in any version segment;
// without one, /v1 is meant. Errors are those of [provider.New].
func NewCompatible(maker string, d Dialect, settings provider.Settings, catalog *provider.Catalog, client *http.Client) (provider.Provider, error) {
	settings.Hidden = append(settings.Hidden, d.Hidden()...)
	version := "/v1"
	if found := versionSegment.FindStringSubmatch(settings.BaseURL); found != nil {
		version = found[1]
	}
	return provider.New(maker, &compatible{wire{dialect: d, version: version}}, settings, catalog, client)
}

var versionSegment = regexp.MustCompile(`[^/](/v[0-9][a-z0-9]*)/*$`)

// Hidden lists the texts in the headers and in the further fields, which no message may show.
// Those that a preset sends are public.
func (d Dialect) Hidden() (found []provider.Key) {
	public := map[string]bool{}
	for _, preset := range Presets {
		for _, text := range texts(map[string]any(preset.ExtraBody)) {
			public[text.Reveal()] = true
		}
	}
	for _, object := range [...]Hidden{d.Headers, d.ExtraBody} {
		for _, text := range texts(map[string]any(object)) {
			if !public[text.Reveal()] {
				found = append(found, text)
			}
		}
	}
	return found
}

// texts lists the strings in a JSON value.
func texts(value any) (found []provider.Key) {
	switch value := value.(type) {
	case string:
		found = append(found, provider.NewKey(value))
	case []any:
		for _, member := range value {
			found = append(found, texts(member)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			found = append(found, texts(value[name])...)
		}
	}
	return found
}

// compatible is a wire format that the configuration can change. Behind a pointer fmt does
// not show its hidden texts.
type compatible struct{ wire }

// Fields lists the fields that every question has or may have. ExtraBody must not have them.
func (d Dialect) Fields() []string {
	return []string{"model", "messages", "response_format", "max_tokens", "max_completion_tokens", d.MaxTokensField, "reasoning_effort", "temperature"}
}

// voteIn gives the vote in the text of an answer.
func (d Dialect) voteIn(text string) string {
	if d.Thinking == Strip {
		text = withoutThoughts(text)
	}
	if d.Output != JSONSchema {
		text = withoutFence(text)
	}
	return text
}

// withoutThoughts leaves out what a model thought before its vote. A text that is a JSON
// object already is the vote, whatever is in it.
func withoutThoughts(text string) string {
	const end = "</think>"
	at := strings.LastIndex(text, end)
	if at < 0 || strings.HasPrefix(strings.TrimSpace(text), "{") && json.Valid([]byte(text)) {
		return text
	}
	return text[at+len(end):]
}

// withoutFence takes off one fence of Markdown around the whole text.
func withoutFence(text string) string {
	inner, isOpen := strings.CutPrefix(strings.TrimSpace(text), "```json")
	inner, isClosed := strings.CutSuffix(inner, "```")
	if !isOpen || !isClosed {
		return text
	}
	return inner
}

// advices say what to change if a server's message matches.
var advices = []struct {
	message *regexp.Regexp
	advice  string
}{
	{regexp.MustCompile("response[_ ]format|json_schema|json_object|structured.?output"), `set "structured_output" of $name in PROVIDERS_FILE to another of json_schema, json_object and none, or set $MODEL ($model) to a model that takes it`},
	{regexp.MustCompile("max_(?:completion_)?tokens"), `lower $MAX_TOKENS, or set "max_tokens_field" of $name in PROVIDERS_FILE`},
	{regexp.MustCompile("temperature"), "change or unset $TEMPERATURE"},
	{regexp.MustCompile("reasoning_effort|think value|support thinking"), "change or unset $EFFORT"},
}

// Advice names the settings that a message of the server is about.
func (c compatible) Advice(message string) string {
	var found []string
	for _, row := range advices {
		if row.message.MatchString(message) {
			found = append(found, row.advice)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.dialect.ExtraBody)) {
		if strings.Contains(message, strings.ToLower(name)) {
			found = append(found, `change "extra_body" of $name in PROVIDERS_FILE`)
			break
		}
	}
	return strings.Join(found, "; ")
}
