package config

// The fields of PROVIDERS_FILE about the dialect of OpenAI's wire format that a server speaks.
// The values of headers and extra_body may be secrets, so no mistake quotes them.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"thalas/internal/provider/openai"
)

// fixedFields are fields of a request that change what an answer is. Nobody can set them.
var fixedFields = []string{"stream", "n", "tools"}

func (e *entry) readDialect() {
	d := &e.Further.Dialect
	word := func(field string, into *string, allowed ...string) {
		last := len(allowed) - 1
		text := e.text(field, strings.Join(allowed[:last], ", ")+" or "+allowed[last], func(text string) bool { return slices.Contains(allowed, text) })
		if text != "" {
			*into = text
		}
	}
	word("structured_output", &d.Output, openai.JSONSchema, openai.JSONObject, openai.NoSchema)
	word("thinking", &d.Thinking, openai.Strip, openai.Reject)
	if text := e.text("max_tokens_field", "the name of a field such as max_tokens or max_completion_tokens", func(text string) bool {
		others := append(openai.Dialect{}.Fields(), fixedFields...)
		return fieldName.MatchString(text) && (text == "max_tokens" || text == "max_completion_tokens" || !slices.Contains(others, text))
	}); text != "" {
		d.MaxTokensField = text
	}
	e.readAuth(d)
	if headers := e.anyMembers("headers", func(name string, value any) string {
		text, isText := value.(string)
		switch {
		case !headerName.MatchString(name):
			return "is not the name of a header"
		case fixedHeaders.MatchString(name) || strings.EqualFold(name, d.Auth.Header):
			return "can't be set here: the program sets it"
		case !isText || !headerValue.MatchString(text):
			return "is not right: allowed is a text of visible ASCII characters"
		}
		return ""
	}); headers != nil {
		d.Headers = headers
	}
	d.ExtraBody = d.ExtraBody.Merge(e.anyMembers("extra_body", func(name string, _ any) string {
		if slices.Contains(d.Fields(), name) || slices.Contains(fixedFields, name) {
			return "can't be set here: the program sets it, or depends on its default"
		}
		return ""
	}))
}

func (e *entry) readAuth(d *openai.Dialect) {
	const example = `{"header": "api-key", "prefix": ""}`
	given, isObject := e.object("auth", example, "header", "prefix")
	if !isObject {
		return
	}
	if !given.has("header") {
		given.wrong("header", "is missing: give the header that carries the key, such as in %s", example)
	}
	const allowed = "a text, such as in " + example
	header := given.text("header", allowed, func(text string) bool { return headerName.MatchString(text) && !fixedHeaders.MatchString(text) })
	prefix := given.text("prefix", allowed, headerValue.MatchString)
	if !given.has("prefix") && http.CanonicalHeaderKey(header) == d.Auth.Header {
		prefix = d.Auth.Prefix
	}
	d.Auth = openai.Auth{Header: header, Prefix: prefix}
}

// anyMembers reads an object of any members. wrong says what is wrong with one; empty: nothing.
func (e *entry) anyMembers(field string, wrong func(name string, value any) string) map[string]any {
	members, isObject := e.values[field].Members()
	if !isObject {
		if e.has(field) {
			e.wrong(field, "is not an object")
		}
		return nil
	}
	object := map[string]any{}
	for i, m := range members {
		decoder := json.NewDecoder(strings.NewReader(m.Value.String()))
		decoder.UseNumber() // so that large numbers keep their digits
		var value any
		_ = decoder.Decode(&value) // can't fail: the document is valid
		what := wrong(m.Name, value)
		if m.Twice {
			what = "is there twice: give each name once"
		}
		if what != "" {
			place := fmt.Sprintf("%s[%d]", field, i) // a name that is not one may be a key
			if headerName.MatchString(m.Name) {
				place = field + "." + m.Name
			}
			e.wrong(place, "%s", what)
			continue
		}
		object[m.Name] = value
	}
	return object
}
