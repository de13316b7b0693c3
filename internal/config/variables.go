package config

// The list of variables for people to read, taken from the tags.

import "reflect"

// Variable describes one environment variable.
type Variable struct {
	Name    string // as it is set, or {PROVIDER}_… where each provider has one
	About   string // what it means
	Allowed string // the values that it may have
	Default string // the value, or in words what holds, while it is not set
}

// Variables lists every variable: those of a provider first, of venues last.
func Variables() []Variable {
	list := variablesOf(reflect.TypeFor[Provider](), "{PROVIDER}_")
	list = append(list, variablesOf(reflect.TypeFor[Config](), "")...)
	return append(list, variablesOf(reflect.TypeFor[Venues](), "")...)
}

func variablesOf(t reflect.Type, prefix string) []Variable {
	var list []Variable
	for _, f := range fieldsOf(t) {
		preset, fixed := f.Tag.Lookup("envDefault")
		if !fixed {
			preset = f.Tag.Get("default")
		}
		list = append(list, Variable{
			Name:    prefix + f.Tag.Get("env"),
			About:   f.Tag.Get("about"),
			Allowed: (&reader{}).allowed(f),
			Default: preset,
		})
	}
	return list
}
