package config

// PROVIDERS_FILE: further providers beside the built-in ones. Their variables exist because
// of it, so it is read before all others, and every mistake in it is told with its place.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"thalas/internal/provider"
	"thalas/internal/provider/openai"
	"thalas/internal/strictjson"
)

// MaxFurther is how many further providers there may be.
const MaxFurther = 12

// Further is what PROVIDERS_FILE says of a provider, beside the settings that all have.
type Further struct {
	Place       string // in the document, such as providers[0]
	Preset      string // a built-in provider or a row of [openai.Presets]; empty: none
	KeyVariable string // where the key is; empty: the server needs none
	Price       *provider.Price
	Dialect     openai.Dialect // zero if Preset is a built-in provider
}

// KeyVariable is the variable, and the entry of the secret, that holds the provider's key.
// It is empty for a server that needs none.
func (p Provider) KeyVariable() string {
	if p.Further != nil {
		return p.Further.KeyVariable
	}
	return provider.Variable(p.Name, "API_KEY")
}

// WithoutHeaders gives p without the headers of PROVIDERS_FILE.
func (p Provider) WithoutHeaders() Provider {
	if p.Further != nil {
		further := *p.Further
		further.Dialect.Headers = nil
		p.Further = &further
	}
	return p
}

// findKey takes the key of a further provider from another variable than its own, which
// wins.
func (r *reader) findKey(p *Provider) {
	if p.Further == nil {
		return
	}
	own := provider.Variable(p.Name, "API_KEY")
	if p.Key.IsSet() {
		p.Further.KeyVariable = own
		return
	}
	if other := p.Further.KeyVariable; other != "" && other != own {
		key, err := provider.ParseKey(r.values[other])
		if err != nil && !slices.Contains(r.mistakes, other+" "+err.Error()) {
			r.mistakes = append(r.mistakes, other+" "+err.Error())
		}
		if err == nil && key.IsSet() {
			p.Key = key
		}
	}
}

var (
	furtherName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	keyVariable  = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,60}_API_KEY$`)
	fieldName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,60}$`)
	headerName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$`)
	headerValue  = regexp.MustCompile(`^[ -~]*$`)
	fixedHeaders = regexp.MustCompile(`(?i)^(?:host|content-.*|connection|transfer-encoding|te|trailer|upgrade|accept-encoding)$`)
)

// settingFields are the fields with a variable of their own, whose rules are in the tags of
// [Provider].
var settingFields = []string{"base_url", "model", "effort", "max_tokens", "temperature", "weight", "enabled", "timeout_seconds"}

// dialectFields are the fields about OpenAI's wire format.
var dialectFields = []string{"auth", "structured_output", "thinking", "max_tokens_field", "headers", "extra_body"}

var entryFields = slices.Concat([]string{"name", "preset"}, settingFields, []string{"api_key_env", "price"}, dialectFields)

// readFurther reads PROVIDERS_FILE, which is JSON or a file's path. known are the built-in
// providers.
func (r *reader) readFurther(known []Known) (further []Provider) {
	const variable = "PROVIDERS_FILE"
	text, isSet := r.values[variable]
	delete(r.values, variable)
	if !isSet {
		return nil
	}
	wrong := func(format string, values ...any) {
		r.addWithoutKeys(fmt.Sprintf(format, values...))
	}
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		data, err := os.ReadFile(text)
		if err != nil {
			wrong("the file %s can't be read: %v", r.quote(text), causeOf(err))
			return nil
		}
		text = string(strictjson.WithoutBOM(data))
	}
	document, err := strictjson.Parse(text)
	if err != nil {
		wrong(`it is not JSON such as {"providers": [{"name": "local", "preset": "ollama", "model": "qwen3:32b"}]}: %v`, err)
		return nil
	}
	members, _ := document.Members()
	var list strictjson.Value
	for _, m := range members {
		switch {
		case m.Name != "providers":
			wrong("%s %s", strictjson.Cut(m.Name, 60), unknown(m.Name, []string{"providers"}))
		case m.Twice:
			wrong("providers is there twice: give one list")
		default:
			list = m.Value
		}
	}
	if list.Kind() != '[' {
		wrong(`providers is not a list of objects such as [{"name": "local", "preset": "ollama", "model": "qwen3:32b"}]`)
		return nil
	}
	names := map[string]bool{"consensus": true}
	for _, k := range known {
		names[k.Name] = true
	}
	reserved := namesOf(known)
	items := list.Reader()
	for items.Open(); items.More(); {
		e := entry{r: r, place: fmt.Sprintf("providers[%d]", len(further)), names: names, reserved: reserved, known: known}
		further = append(further, e.read(items.Value()))
	}
	if len(further) > MaxFurther {
		wrong("there are %d providers: at most %d are allowed beside the built-in ones", len(further), MaxFurther)
	}
	return further
}

// addWithoutKeys adds a mistake in PROVIDERS_FILE. A key may stand in the place of a name.
func (r *reader) addWithoutKeys(mistake string) {
	for name, secret := range r.values {
		if strings.HasSuffix(name, "_API_KEY") {
			mistake = strings.ReplaceAll(mistake, secret, "[redacted]")
		}
	}
	r.mistakes = append(r.mistakes, "PROVIDERS_FILE: "+mistake)
}

// causeOf gives an error without the path that it quotes.
func causeOf(err error) error {
	if path, is := errors.AsType[*fs.PathError](err); is {
		return path.Err
	}
	return err
}

func unknown(name string, known []string) string {
	if near := strictjson.Nearest(name, known, max(2, len(name)/3)); near != "" {
		return fmt.Sprintf("is not known: did you mean %q?", near)
	}
	return "is not known: known are " + strings.Join(known, ", ")
}

// entry reads one provider of the document.
type entry struct {
	r        *reader
	place    string
	names    map[string]bool // that are taken
	reserved []string        // variables that exist already
	known    []Known
	values   map[string]strictjson.Value
	Provider
}

func (e *entry) wrong(field, format string, values ...any) {
	place := e.place
	if field != "" {
		place += "." + field
	}
	e.r.addWithoutKeys(place + " " + fmt.Sprintf(format, values...))
}

func (e *entry) read(v strictjson.Value) Provider {
	e.Enabled, e.Weight = true, provider.DefaultWeight
	e.Further = &Further{Place: e.place}
	members, isObject := v.Members()
	if !isObject {
		e.wrong("", `is not an object such as {"name": "local", "preset": "ollama", "model": "qwen3:32b"}`)
		return e.Provider
	}
	e.values = e.membersOf("", members, entryFields)
	e.readName()
	isBuiltIn := e.readPreset()
	e.readSettings(isBuiltIn)
	e.readKeyVariable(isBuiltIn)
	if !isBuiltIn {
		e.readDialect()
	}
	e.readPrice()
	return e.Provider
}

// membersOf gives the members of an object that are not null. It tells those that are not
// known or there twice.
func (e *entry) membersOf(of string, members []strictjson.Member, known []string) map[string]strictjson.Value {
	values := map[string]strictjson.Value{}
	for _, m := range members {
		field := strings.TrimPrefix(of+"."+strictjson.Cut(m.Name, 60), ".")
		switch {
		case !slices.Contains(known, m.Name):
			e.wrong(field, "%s", unknown(m.Name, known))
		case m.Twice:
			e.wrong(field, "is there twice: give each field once")
		case !m.Value.IsNull():
			values[m.Name] = m.Value
		}
	}
	return values
}

// text gives the text of a field. A mistake does not quote the value, which may be a key.
func (e *entry) text(field, allowed string, isAllowed func(text string) bool) string {
	v, isSet := e.values[field]
	if !isSet {
		return ""
	}
	text, isText := v.Text()
	if !isText || !isAllowed(text) {
		e.wrong(field, "is not right: allowed is %s", allowed)
		return ""
	}
	return text
}

func (e *entry) readName() {
	const allowed = "1 to 31 lower case letters, digits and -, with a letter first"
	if _, isSet := e.values["name"]; !isSet {
		e.wrong("name", "is missing: it is what votes and variables are called by, %s", allowed)
	}
	name := e.text("name", allowed, furtherName.MatchString)
	prefix := provider.Variable(name, "")
	switch {
	case name == "":
		return
	case e.names[name]:
		e.wrong("name", "is %s, which is taken: choose another one", name)
		return
	case slices.ContainsFunc(namesOfProvider(name), func(v string) bool { return slices.Contains(e.reserved, v) }):
		e.wrong("name", "is %s, but variables that begin with %s exist already: choose another one", name, prefix)
		return
	}
	e.names[name] = true
	e.Name = name
}

func (e *entry) readPreset() (isBuiltIn bool) {
	e.Further.Dialect = openai.Custom()
	v, isSet := e.values["preset"]
	if !isSet {
		return false
	}
	name, _ := v.Text()
	isBuiltIn = slices.ContainsFunc(e.known, func(k Known) bool { return k.Name == name })
	row, isRow := openai.Presets[name]
	switch {
	case isBuiltIn:
		for _, field := range dialectFields {
			if _, isSet := e.values[field]; isSet {
				e.wrong(field, "does not go with the preset %s, which has a wire format of its own: leave it out", name)
			}
		}
		e.Further.Dialect = openai.Dialect{}
	case isRow:
		e.BaseURL, e.Further.Dialect = row.BaseURL, row.Dialect
		if row.Local {
			e.Further.Price = &provider.Price{}
		}
	default:
		known := openai.PresetNames()
		for _, k := range e.known {
			known = append(known, k.Name)
		}
		e.wrong("preset", "%s", unknown(name, known))
		return false
	}
	e.Further.Preset = name
	return isBuiltIn
}

// readSettings reads the fields with a variable as if they were that variable.
func (e *entry) readSettings(isBuiltIn bool) {
	settings := reader{values: map[string]string{}}
	for name, value := range e.r.values {
		if strings.HasSuffix(name, "_API_KEY") { // which no message quotes
			settings.values[name] = value
		}
	}
	for _, field := range settingFields {
		v, isSet := e.values[field]
		if !isSet {
			continue
		}
		value, want := v.String(), "a number"
		_, isRight := v.Number()
		switch field {
		case "base_url", "model", "effort":
			value, isRight = v.Text()
			isRight, want = isRight && value != "", "a text"
		case "enabled":
			isRight, want = v.Kind() == 't' || v.Kind() == 'f', "true or false"
		}
		if !isRight {
			e.wrong(field, "is not %s", want)
			continue
		}
		settings.values[strings.ToUpper(field)] = value
	}
	settings.read(&e.Provider, "")
	for _, mistake := range settings.mistakes {
		variable, what, _ := strings.Cut(mistake, " ")
		e.wrong(strings.ToLower(variable), "%s", what)
	}
	if e.Model == "" && e.values["model"].IsNull() {
		e.wrong("model", "is missing: give the model's name as the server calls it")
	}
	switch err := provider.CheckBaseURL(e.BaseURL); {
	case e.BaseURL == "" && !isBuiltIn && e.values["base_url"].IsNull():
		e.wrong("base_url", "is missing: give the server's address, such as https://host/v1, or a preset that has one")
	case e.BaseURL != "" && err != nil:
		e.wrong("base_url", "%v", err)
	}
}

// readKeyVariable reads which variable holds the key.
func (e *entry) readKeyVariable(isBuiltIn bool) {
	owner := e.Name
	if isBuiltIn {
		owner = e.Further.Preset
	}
	e.Further.KeyVariable = provider.Variable(owner, "API_KEY")
	if e.Further.Dialect.Local {
		e.Further.KeyVariable = ""
	}
	switch text := e.text("api_key_env", "the name of a variable that ends in _API_KEY, such as LOCAL_API_KEY, and not the key itself; or none",
		func(text string) bool { return text == "none" || keyVariable.MatchString(text) }); text {
	case "":
	case "none":
		e.Further.KeyVariable = ""
	default:
		e.Further.KeyVariable = text
	}
}

func (e *entry) readPrice() {
	v, isSet := e.values["price"]
	if !isSet {
		return
	}
	const example = `{"input": 0.5, "output": 1.5}, USD for a million tokens`
	members, isObject := v.Members()
	if !isObject {
		e.wrong("price", "is not an object such as %s", example)
		return
	}
	values := e.membersOf("price", members, []string{"input", "output", "cached_input"})
	number := func(field string, otherwise float64) (usd float64) {
		v, isSet := values[field]
		if !isSet {
			return otherwise
		}
		const most = 10_000
		if _, isNumber := v.Number(); !isNumber || v.Decode(&usd) != nil || usd < 0 || usd > most {
			e.wrong("price."+field, "is %s: allowed is a number from 0 to %d", e.r.quote(v.Scalar()), most)
		}
		return usd
	}
	for _, field := range []string{"input", "output"} {
		if _, isSet := values[field]; !isSet {
			e.wrong("price."+field, "is missing: give a price such as %s, or none at all", example)
		}
	}
	p := provider.Price{Input: number("input", 0), Output: number("output", 0)}
	p.Cached = number("cached_input", p.Input)
	e.Further.Price = &p
}
