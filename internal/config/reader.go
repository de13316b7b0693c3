package config

// Reading the fields of a tagged struct, and listing them. caarlos0/env converts the values.
// This package checks the limits of the tags and writes the messages itself, since those of
// the library quote values, which may be keys.

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"thalas/internal/provider"
)

type reader struct {
	values     map[string]string // by variable, as valuesOf gives them
	inSettings map[string]bool   // variables with a value from SETTINGS
	providers  int               // the value of max:"providers"
	known      []string          // every variable
	mistakes   Mistakes
	warnings   []string
}

// valuesOf gives the variables that are not empty, without white space and a pair of
// quotation marks around their values. The first of two variables with the same name
// counts, as for os.Getenv.
func valuesOf(environ []string) map[string]string {
	values, seen := map[string]string{}, map[string]bool{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value = provider.Unquoted(value); value != "" && !seen[name] {
			values[name] = value
		}
		seen[name] = true
	}
	return values
}

// read fills the fields of target, a pointer to a tagged struct, and collects the mistakes.
func (r *reader) read(target any, prefix string) {
	fields := fieldsOf(reflect.TypeOf(target).Elem())
	for _, f := range fields {
		name := prefix + f.Tag.Get("env")
		if value, set := r.values[name]; set && f.Tag.Get("oneof") != "" {
			r.values[name] = strings.ToLower(value)
		}
	}
	wrong := r.convert(target, prefix)
	values := reflect.ValueOf(target).Elem()
	for _, f := range fields {
		name := prefix + f.Tag.Get("env")
		raw, set := r.values[name]
		if set && (wrong[f.Name] || !r.within(values.FieldByIndex(f.Index), f.Tag, raw)) {
			mistake := r.mistake(name, raw, f)
			if r.inSettings[name] {
				mistake = "SETTINGS: " + mistake
			}
			r.mistakes = append(r.mistakes, mistake)
		}
	}
}

// namesOf lists every variable of a program with these providers.
func namesOf(providers []Known) []string {
	var names []string
	add := func(t reflect.Type, prefix string) {
		for _, f := range fieldsOf(t) {
			names = append(names, prefix+f.Tag.Get("env"))
		}
	}
	add(reflect.TypeFor[Config](), "")
	for _, k := range providers {
		names = append(names, namesOfProvider(k.Name)...)
	}
	add(reflect.TypeFor[Venues](), "")
	return names
}

func namesOfProvider(name string) (names []string) {
	for _, f := range fieldsOf(reflect.TypeFor[Provider]()) {
		names = append(names, provider.Variable(name, f.Tag.Get("env")))
	}
	return names
}

// fieldsOf lists the fields with a variable.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("env"); name != "" && name != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

// convert sets the fields, and gives the names of those whose value has the wrong form.
func (r *reader) convert(target any, prefix string) (wrong map[string]bool) {
	err := env.ParseWithOptions(target, env.Options{
		Environment: r.values,
		Prefix:      prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[time.Duration](): parseSeconds,
			reflect.TypeFor[provider.Key]():  func(text string) (any, error) { return provider.ParseKey(text) },
		},
	})
	wrong = map[string]bool{}
	var all env.AggregateError
	if err != nil && !errors.As(err, &all) {
		panic(fmt.Sprintf("config: wrong tags: %v", err))
	}
	for _, one := range all.Errors {
		var parse env.ParseError
		if !errors.As(one, &parse) {
			panic(fmt.Sprintf("config: wrong tags: %v", one))
		}
		wrong[parse.Name] = true
	}
	return wrong
}

func parseSeconds(text string) (any, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(seconds) < 1e6) { // which NaN is not either
		return nil, errors.New("not seconds")
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// Variable describes one environment variable.
type Variable struct {
	Name    string // as it is set; {PROVIDER}_… if each provider has one
	About   string // what it means
	Allowed string // the values that it may have
	Default string // the value if it is not set, or what happens then
}

// Variables lists every variable: those of a provider first, and those of the venues last.
func Variables() []Variable {
	list := variablesOf(reflect.TypeFor[Provider](), "{PROVIDER}_")
	list = append(list, variablesOf(reflect.TypeFor[Config](), "")...)
	return append(list, variablesOf(reflect.TypeFor[Venues](), "")...)
}

func variablesOf(t reflect.Type, prefix string) []Variable {
	var list []Variable
	for _, f := range fieldsOf(t) {
		value, fixed := f.Tag.Lookup("envDefault")
		if !fixed {
			value = f.Tag.Get("default")
		}
		list = append(list, Variable{prefix + f.Tag.Get("env"), f.Tag.Get("about"), (&reader{}).allowed(f), value})
	}
	return list
}
