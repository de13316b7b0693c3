package config

// PROVIDERS_FILE: further providers beside the built-in ones. Their variables exist because
// of it, so it is read before all others, and every mistake in it is told with its place.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
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
	if p.Key.IsSet() {
		p.Further.KeyVariable = provider.Variable(p.Name, "API_KEY")
		return
	}
	key, err := provider.ParseKey(r.values[p.Further.KeyVariable])
	if err == nil {
		p.Key = key
	} else if mistake := p.Further.KeyVariable + " " + err.Error(); !slices.Contains(r.mistakes, mistake) {
		r.mistakes = append(r.mistakes, mistake)
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

const exampleEntry = `{"name": "local", "preset": "ollama", "model": "qwen3:32b"}`

// readFurther reads PROVIDERS_FILE, which is JSON or a file's path, and the key files of its
// providers. known are the built-in providers.
func (r *reader) readFurther(known []Known) (further []Provider) {
	const variable = "PROVIDERS_FILE"
	text, isSet := r.values[variable]
	delete(r.values, variable)
	if !isSet {
		return nil
	}
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		data, err := os.ReadFile(text)
		if err != nil {
			r.wrongFurther("the file %s can't be read: %v", r.quote(text), causeOf(err))
			return nil
		}
		text = string(strictjson.WithoutBOM(data))
	}
	document, err := strictjson.Parse(text)
	if err != nil {
		r.wrongFurther(`it is not JSON such as {"providers": [%s]}: %v`, exampleEntry, err)
		return nil
	}
	e := entry{taken: map[string]bool{"consensus": true}, reserved: r.known}
	for _, k := range known {
		e.builtIn = append(e.builtIn, k.Name)
		e.taken[k.Name] = true
	}
	r.addVariables(text)
	r.readKeyFiles() // before anything is quoted, so that no mistake shows a key
	members, _ := document.Members()
	list := r.sectionOf("", members, []string{"providers"}).values["providers"]
	if list.Kind() != '[' {
		r.wrongFurther("providers is not a list of objects such as [%s]", exampleEntry)
		return nil
	}
	items := list.Reader()
	for items.Open(); items.More(); {
		e.read(r, fmt.Sprintf("providers[%d]", len(further)), items.Value())
		further = append(further, e.Provider)
	}
	if len(further) > MaxFurther {
		r.wrongFurther("there are %d providers: at most %d are allowed beside the built-in ones", len(further), MaxFurther)
	}
	return further
}

// addVariables adds the variables of the providers in a document to the known ones.
func (r *reader) addVariables(document string) {
	var named struct {
		Providers []struct {
			Name        string `json:"name"`
			KeyVariable string `json:"api_key_env"`
		} `json:"providers"`
	}
	_ = json.Unmarshal([]byte(document), &named) // fields of another type are told later
	for _, p := range named.Providers {
		if furtherName.MatchString(p.Name) {
			r.known = append(r.known, namesOfProvider(p.Name)...)
		}
		if keyVariable.MatchString(p.KeyVariable) {
			r.known = append(r.known, p.KeyVariable, p.KeyVariable+"_FILE")
		}
	}
}

func (r *reader) wrongFurther(format string, values ...any) {
	r.mistakes = append(r.mistakes, "PROVIDERS_FILE: "+fmt.Sprintf(format, values...))
}

func unknown(name string, known []string) string {
	if near := strictjson.Nearest(name, known, max(2, len(name)/3)); near != "" {
		return fmt.Sprintf("is not known: did you mean %q?", near)
	}
	return "is not known: known are " + strings.Join(known, ", ")
}

// section is an object of the document.
type section struct {
	r      *reader
	place  string                      // such as providers[0]; empty: the whole document
	values map[string]strictjson.Value // by field, without those that are null
}

// sectionOf reads an object. It tells the fields that are not known or there twice.
func (r *reader) sectionOf(place string, members []strictjson.Member, known []string) section {
	s := section{r, place, map[string]strictjson.Value{}}
	for _, m := range members {
		switch {
		case !slices.Contains(known, m.Name):
			s.wrong(m.Name, "%s", unknown(m.Name, known))
		case m.Twice:
			s.wrong(m.Name, "is there twice: give each field once")
		case !m.Value.IsNull():
			s.values[m.Name] = m.Value
		}
	}
	return s
}

// wrong adds a mistake in a field. A key may stand in the place of the field's name.
func (s section) wrong(field, format string, values ...any) {
	if s.r.holdsKey(field) {
		field = "[redacted]"
	}
	place := strings.Trim(s.place+"."+strictjson.Cut(field, 60), ".")
	s.r.wrongFurther("%s", place+" "+fmt.Sprintf(format, values...))
}

func (s section) has(field string) bool {
	_, has := s.values[field]
	return has
}

// text gives the text of a field. A mistake does not quote the value, which may be a key.
func (s section) text(field, allowed string, isAllowed func(text string) bool) string {
	text, isText := s.values[field].Text()
	if s.has(field) && (!isText || !isAllowed(text)) {
		s.wrong(field, "is not right: allowed is %s", allowed)
		return ""
	}
	return text
}

// object gives the object in a field. It reports false if there is none.
func (s section) object(field, example string, known ...string) (section, bool) {
	members, isObject := s.values[field].Members()
	if s.has(field) && !isObject {
		s.wrong(field, "is not an object such as %s", example)
	}
	return s.r.sectionOf(s.place+"."+field, members, known), isObject
}

// fill sets the fields of a tagged struct as if the values were those of its variables.
func (s section) fill(target any) {
	settings := reader{values: maps.Clone(s.r.values)} // with the keys, which no message quotes
	for _, f := range fieldsOf(reflect.TypeOf(target).Elem()) {
		variable := f.Tag.Get("env")
		field := strings.ToLower(variable)
		if !s.has(field) {
			continue
		}
		v := s.values[field]
		value, want := v.String(), "a number"
		_, isRight := v.Number()
		switch f.Type.Kind() {
		case reflect.String:
			value, isRight = v.Text()
			isRight, want = isRight && value != "", "a text"
		case reflect.Bool:
			isRight, want = v.Kind() == 't' || v.Kind() == 'f', "true or false"
		}
		if !isRight {
			s.wrong(field, "is not %s", want)
			continue
		}
		settings.values[s.place+"."+variable] = value
	}
	settings.read(target, s.place+".")
	for _, mistake := range settings.mistakes {
		place, what, _ := strings.Cut(mistake, " ")
		s.r.wrongFurther("%s %s", strings.ToLower(place), what)
	}
}

// entry reads one provider of the document.
type entry struct {
	builtIn  []string        // names of the built-in providers
	taken    map[string]bool // names that no other provider can have
	reserved []string        // variables that exist already

	section
	Provider
}

func (e *entry) read(r *reader, place string, v strictjson.Value) {
	e.Provider = Provider{Enabled: true, Weight: provider.DefaultWeight, Further: &Further{Place: place, Dialect: openai.Custom()}}
	members, isObject := v.Members()
	if !isObject {
		r.wrongFurther("%s is not an object such as %s", place, exampleEntry)
		return
	}
	e.section = r.sectionOf(place, members, entryFields)
	e.readName()
	isBuiltIn := e.readPreset()
	e.readSettings(isBuiltIn)
	e.readKeyVariable(isBuiltIn)
	if !isBuiltIn {
		e.readDialect()
	}
	e.readPrice()
}

func (e *entry) readName() {
	const allowed = "1 to 31 lower case letters, digits and -, with a letter first"
	if !e.has("name") {
		e.wrong("name", "is missing: it is what votes and variables are called by, %s", allowed)
	}
	name := e.text("name", allowed, furtherName.MatchString)
	switch {
	case name == "":
	case e.taken[name]:
		e.wrong("name", "is %s, which is taken: choose another one", name)
	case slices.ContainsFunc(namesOfProvider(name), func(v string) bool { return slices.Contains(e.reserved, v) }):
		e.wrong("name", "is %s, but variables that begin with %s exist already: choose another one", name, provider.Variable(name, ""))
	default:
		e.taken[name] = true
		e.Name = name
	}
}

func (e *entry) readPreset() (isBuiltIn bool) {
	if !e.has("preset") {
		return false
	}
	name, _ := e.values["preset"].Text()
	row, isRow := openai.Presets[name]
	isBuiltIn = slices.Contains(e.builtIn, name)
	switch {
	case isBuiltIn:
		for _, field := range dialectFields {
			if e.has(field) {
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
		e.wrong("preset", "%s", unknown(name, append(openai.PresetNames(), e.builtIn...)))
		return false
	}
	e.Further.Preset = name
	return isBuiltIn
}

func (e *entry) readSettings(isBuiltIn bool) {
	e.fill(&e.Provider)
	if !e.has("model") {
		e.wrong("model", "is missing: give the model's name as the server calls it")
	}
	switch err := provider.CheckBaseURL(e.BaseURL); {
	case e.BaseURL == "" && !isBuiltIn && !e.has("base_url"):
		e.wrong("base_url", "is missing: give the server's address, such as https://host/v1, or a preset that has one")
	case e.BaseURL != "" && err != nil:
		e.wrong("base_url", "%v", err)
	}
}

// readKeyVariable reads which variable holds the key.
func (e *entry) readKeyVariable(isBuiltIn bool) {
	variable := provider.Variable(e.Name, "API_KEY")
	switch {
	case isBuiltIn:
		variable = provider.Variable(e.Further.Preset, "API_KEY")
	case e.Further.Dialect.Local:
		variable = ""
	}
	text := e.text("api_key_env", "the name of a variable that ends in _API_KEY, such as LOCAL_API_KEY, and not the key itself; or none",
		func(text string) bool { return text == "none" || keyVariable.MatchString(text) })
	if e.Further.KeyVariable = cmp.Or(text, variable); text == "none" {
		e.Further.KeyVariable = ""
	}
}

func (e *entry) readPrice() {
	const example = `{"input": 0.5, "output": 1.5}, USD for a million tokens`
	given, isObject := e.object("price", example, "input", "output", "cached_input")
	if !isObject {
		return
	}
	for _, field := range [...]string{"input", "output"} {
		if !given.has(field) {
			given.wrong(field, "is missing: give a price such as %s, or none at all", example)
		}
	}
	var p struct {
		Input  float64  `env:"INPUT" min:"0" max:"10000"`
		Output float64  `env:"OUTPUT" min:"0" max:"10000"`
		Cached *float64 `env:"CACHED_INPUT" min:"0" max:"10000"`
	}
	given.fill(&p)
	e.Further.Price = &provider.Price{Input: p.Input, Output: p.Output, Cached: *cmp.Or(p.Cached, &p.Input)}
}
