package config

// The limits in the tags: checking a value, and saying which values are allowed.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"thalas/internal/endpoint"
	"thalas/internal/provider"
)

// forms has the values of the tag form: what is allowed in words, and a check. SETTINGS is
// checked by expandSettings.
var forms = map[string]struct {
	allowed string
	check   func(text string) bool
}{
	"word":    {"one word without white space", isWord},
	"url":     {"an address such as https://host/path, without user, query and fragment", isBaseURL},
	"address": {"host:port, such as 127.0.0.1:8787", isAddress},
	"names": {"names separated by commas, such as kraken,coinbase", func(text string) bool {
		return !slices.ContainsFunc(strings.Split(text, ","), func(name string) bool { return !isWord(name) })
	}},
	"providers": {"JSON or a file's path", nil},
	"settings":  {"NAME=value words, separated by white space, which no value may contain", nil},
	"hashes": {"SHA-256 hashes of 64 hex digits, separated by commas", func(text string) bool {
		return !slices.ContainsFunc(strings.Split(text, ","), func(hash string) bool { return !isHash(hash) || isHashOfNothing(hash) })
	}},
}

// within reports whether a converted value is within the limits of its tags.
func (r *reader) within(value reflect.Value, tag reflect.StructTag, raw string) bool {
	if words := tag.Get("oneof"); words != "" && !slices.Contains(strings.Fields(words), raw) {
		return false
	}
	if form, has := forms[tag.Get("form")]; has {
		return form.check(raw)
	}
	n, isNumber := numberOf(value)
	if !isNumber {
		return true
	}
	least, hasLeast := r.limit(tag, "min")
	most, hasMost := r.limit(tag, "max")
	above, hasAbove := r.limit(tag, "above")
	// NaN compares false with everything, so it is never within limits.
	return (!hasLeast || n >= least) && (!hasMost || n <= most) && (!hasAbove || n > above)
}

// numberOf gives the number that stands in the variable. Durations are in seconds.
func numberOf(value reflect.Value) (float64, bool) {
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case time.Duration:
		return v.Seconds(), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (r *reader) limit(tag reflect.StructTag, key string) (limit float64, exists bool) {
	switch text := tag.Get(key); text {
	case "":
		return 0, false
	case "providers":
		return float64(r.providers), true
	default:
		limit, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic("config: tag " + key + " is not a number: " + text)
		}
		return limit, true
	}
}

// isWord reports whether text has only visible characters.
func isWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

func isBaseURL(text string) bool {
	_, err := endpoint.ParseBase(text)
	return err == nil && isWord(text)
}

// isAddress reports whether text is host:port, or :port.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

// isHash reports whether text is a SHA-256 in hex. White space around it is fine.
func isHash(text string) bool {
	hash, err := hex.DecodeString(strings.TrimSpace(text))
	return err == nil && len(hash) == sha256.Size
}

// isHashOfNothing reports whether a hash is that of an empty key or of white space. A shell
// makes one if the variable with the key is not set.
func isHashOfNothing(hash string) bool {
	for _, nothing := range [...]string{"", "\n", "\r\n", " ", " \n", " \r\n", "\t", "\t\n", "\n\n"} {
		if strings.EqualFold(strings.TrimSpace(hash), fmt.Sprintf("%x", sha256.Sum256([]byte(nothing)))) {
			return true
		}
	}
	return false
}

// mistake says what is wrong with a variable and what is allowed. It never contains a key.
func (r *reader) mistake(name, raw string, f reflect.StructField) string {
	switch {
	case f.Type == reflect.TypeFor[provider.Key]():
		_, err := provider.ParseKey(raw)
		return fmt.Sprintf("%s %v", name, err)
	case f.Tag.Get("form") != "hashes":
		return fmt.Sprintf("%s is %s: allowed is %s", name, r.quote(raw), r.allowed(f))
	case slices.ContainsFunc(strings.Split(raw, ","), isHashOfNothing):
		return name + " holds the hash of an empty key, which a variable that is not set leads to: hash the caller's key itself by: printf %s KEY | sha256sum"
	default: // the value may be the keys themselves
		return name + " is not right: allowed is " + r.allowed(f) + "; make one by: printf %s KEY | sha256sum"
	}
}

// quote gives a value for a message, or a placeholder if it may contain a secret.
func (r *reader) quote(value string) string {
	const shown = 60 // characters
	const hidden = "a value that is not shown"
	if strings.ContainsAny(value, "@?") || r.holdsKey(value) { // perhaps an address with credentials
		return hidden
	}
	if characters := []rune(value); len(characters) > shown {
		return strconv.Quote(string(characters[:shown])) + "…"
	}
	return strconv.Quote(value)
}

// holdsKey reports whether a key is part of a text, in any letter case.
func (r *reader) holdsKey(text string) bool {
	for name, secret := range r.values {
		if strings.HasSuffix(name, "_API_KEY") && strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			return true
		}
	}
	return false
}

// allowed says in words which values a field may have.
func (r *reader) allowed(f reflect.StructField) string {
	if words := strings.Fields(f.Tag.Get("oneof")); len(words) > 0 {
		last := len(words) - 1
		return strings.Join(words[:last], ", ") + " or " + words[last]
	}
	if form, has := forms[f.Tag.Get("form")]; has {
		return form.allowed
	}
	kind := f.Type
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	switch kind {
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[provider.Key]():
		return "a key"
	case reflect.TypeFor[string]():
		return "any text"
	case reflect.TypeFor[time.Duration]():
		return "a number of seconds" + r.bounds(f.Tag)
	case reflect.TypeFor[int]():
		return "a whole number" + r.bounds(f.Tag)
	}
	return "a number" + r.bounds(f.Tag)
}

func (r *reader) bounds(tag reflect.StructTag) string {
	least, most, above := tag.Get("min"), tag.Get("max"), tag.Get("above")
	if most == "providers" {
		most = "the number of providers"
		if r.providers > 0 {
			most += ", " + strconv.Itoa(r.providers)
		}
	}
	switch {
	case above != "" && most != "":
		return fmt.Sprintf(" above %s and at most %s", above, most)
	case least != "" && most != "":
		return fmt.Sprintf(" from %s to %s", least, most)
	case least != "":
		return " of at least " + least
	}
	return ""
}
