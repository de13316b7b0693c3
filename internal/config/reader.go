package config

// Reading the fields of a tagged struct: caarlos0/env converts, this file holds
// the values against the limits of the tags and words the mistakes itself,
// since the library's own texts quote values, which may be keys.

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
	values     map[string]string // by variable, trimmed and unquoted, none empty
	inSettings map[string]bool   // variables whose value is of SETTINGS
	providers  int               // what max:"providers" stands for
	known      []string          // every variable
	mistakes   Mistakes
}

// valuesOf gives the variables that are not empty, without white space and a pair of
// quotation marks around them. Where a name is there twice the first one counts, as for os.Getenv.
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

// read fills the fields of target, a pointer to a tagged struct, and collects
// the mistakes. An error means that the tags themselves are wrong.
func (r *reader) read(target any, prefix string) error {
	fields := fieldsOf(reflect.TypeOf(target).Elem())
	for _, f := range fields {
		name := prefix + f.Tag.Get("env")
		if value, set := r.values[name]; set && f.Tag.Get("oneof") != "" {
			r.values[name] = strings.ToLower(value)
		}
	}
	broken, err := r.convert(target, prefix)
	if err != nil {
		return err
	}
	values := reflect.ValueOf(target).Elem()
	for _, f := range fields {
		name := prefix + f.Tag.Get("env")
		raw, set := r.values[name]
		if set && (broken[f.Name] || !r.within(values.FieldByIndex(f.Index), f.Tag, raw)) {
			mistake := r.mistake(name, raw, f)
			if r.inSettings[name] {
				mistake = "SETTINGS: " + mistake
			}
			r.mistakes = append(r.mistakes, mistake)
		}
	}
	return nil
}

// namesOf lists every variable, where these are the providers.
func namesOf(providers []Known) []string {
	var names []string
	add := func(t reflect.Type, prefix string) {
		for _, f := range fieldsOf(t) {
			names = append(names, prefix+f.Tag.Get("env"))
		}
	}
	add(reflect.TypeFor[Config](), "")
	for _, k := range providers {
		add(reflect.TypeFor[Provider](), k.prefix())
	}
	add(reflect.TypeFor[Venues](), "")
	return names
}

// fieldsOf lists the fields that have a variable.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("env"); name != "" && name != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

// convert sets the fields and gives the names of those whose value has the wrong form.
func (r *reader) convert(target any, prefix string) (broken map[string]bool, err error) {
	err = env.ParseWithOptions(target, env.Options{
		Environment: r.values,
		Prefix:      prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[time.Duration](): parseSeconds,
			reflect.TypeFor[provider.Key]():  parseKey,
		},
	})
	if err == nil {
		return nil, nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return nil, fmt.Errorf("config: %w", err)
	}
	broken = map[string]bool{}
	for _, one := range all.Errors {
		var wrong env.ParseError
		if !errors.As(one, &wrong) {
			return nil, fmt.Errorf("config: %w", one)
		}
		broken[wrong.Name] = true
	}
	return broken, nil
}

func parseSeconds(text string) (any, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(seconds) < 1e6) { // so that NaN is refused too
		return nil, errors.New("not seconds")
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

func parseKey(text string) (any, error) { return provider.ParseKey(text) }
