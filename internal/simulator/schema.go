package simulator

// The JSON schema that a request asks the answer to follow, held against the
// common denominator of the four strict modes.

import (
	"fmt"
	"slices"
)

// refusedKeywords are constraints that at least one strict mode answers 400 to.
var refusedKeywords = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"}

// checkSchema reports the first thing that a strict mode refuses; empty: nothing.
func checkSchema(schema any, at string) string {
	object, ok := schema.(map[string]any)
	if !ok {
		return at + ": a JSON schema object is required"
	}
	f := fields(object)
	for _, keyword := range refusedKeywords {
		if f.has(keyword) {
			return fmt.Sprintf("%s: property '%s' is not supported", at, keyword)
		}
	}
	if f["type"] == "object" {
		if complaint := checkObject(f, at); complaint != "" {
			return complaint
		}
	}
	if choices, ok := f.objects("anyOf"); ok {
		for i, choice := range choices {
			if complaint := checkSchema(map[string]any(choice), fmt.Sprintf("%s.anyOf[%d]", at, i)); complaint != "" {
				return complaint
			}
		}
	}
	if f.has("items") {
		return checkSchema(f["items"], at+".items")
	}
	return ""
}

// checkObject wants every property required and no others allowed.
func checkObject(f fields, at string) string {
	if f["additionalProperties"] != false {
		return at + ": 'additionalProperties' is required to be supplied and to be false"
	}
	properties, ok := f.object("properties")
	if !ok {
		return at + ": 'properties' is required"
	}
	required, _ := f["required"].([]any)
	for _, name := range sortedKeys(properties) {
		if !slices.Contains(required, any(name)) {
			return fmt.Sprintf("%s: 'required' must include every property; '%s' is missing", at, name)
		}
		if complaint := checkSchema(properties[name], at+".properties."+name); complaint != "" {
			return complaint
		}
	}
	return ""
}
