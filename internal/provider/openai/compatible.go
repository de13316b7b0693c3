package openai

// The wire format of servers that are compatible with OpenAI's. It differs from OpenAI's only
// by its [Dialect]. The built-in providers don't pass through this file.

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
	return provider.New(maker, &compatible{dialect: d, version: version}, settings, catalog, client)
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

type compatible struct {
	dialect Dialect
	version string // with a slash before it
}

// BaseURL is empty: the settings have it.
func (c *compatible) BaseURL() string   { return "" }
func (c *compatible) CheckPath() string { return c.version + "/models" }

func (c *compatible) Authorize(header http.Header, key provider.Key) {
	for name, value := range c.dialect.Headers {
		text, _ := value.(string)
		header.Set(name, text)
	}
	if key.IsSet() {
		header.Set(c.dialect.Auth.Header, c.dialect.Auth.Prefix+key.Reveal())
	}
}

// schemaInPrompt follows the system text where the server does not take the schema itself.
// Several servers demand the word JSON.
const schemaInPrompt = "\n\nAnswer in JSON that follows this JSON schema:\n"

func (c *compatible) Question(model provider.Model, prompt provider.Prompt) (string, any) {
	body := maps.Clone(map[string]any(c.dialect.ExtraBody))
	if body == nil {
		body = map[string]any{}
	}
	system := prompt.System
	switch c.dialect.Output {
	case JSONSchema:
		body["response_format"] = map[string]any{"type": JSONSchema, JSONSchema: schema{provider.SchemaName, true, provider.Schema}}
	case JSONObject:
		body["response_format"] = map[string]any{"type": JSONObject}
	}
	if c.dialect.Output != JSONSchema {
		system += schemaInPrompt + string(provider.Schema)
	}
	body["model"], body["messages"] = model.ID, [2]message{{"system", system}, {"user", prompt.User}}
	body[c.dialect.MaxTokensField] = model.MaxTokens
	if model.Effort != "" {
		body["reasoning_effort"] = model.Effort
	}
	if model.Temperature != nil {
		body["temperature"] = *model.Temperature
	}
	return c.version + "/chat/completions", body
}

// Fields lists the fields that every question has or may have. ExtraBody must not have them.
func (d Dialect) Fields() []string {
	return []string{"model", "messages", "response_format", "max_tokens", "max_completion_tokens", d.MaxTokensField, "reasoning_effort", "temperature"}
}

func (c *compatible) Answer(body []byte) (provider.Reply, error) {
	end := ""
	if c.dialect.Local {
		end = "stop"
	}
	reply, r, err := answer(body, end)
	reply.Usage = usageOf(r)
	if c.dialect.Thinking == Strip {
		reply.Text = withoutThoughts(reply.Text)
	}
	if c.dialect.Output != JSONSchema {
		reply.Text = withoutFence(reply.Text)
	}
	return reply, err
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
func (c *compatible) Advice(message string) string {
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
