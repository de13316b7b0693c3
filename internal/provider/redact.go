package provider

// Cleaning of text that a provider sends. It may hold the key, control characters that
// rewrite a terminal, or characters that hide what is written.

import (
	"regexp"
	"strings"
	"unicode"
)

// Limits of cleaned text, in characters.
const (
	maxMessage   = 200
	maxReasoning = 4000
	maxName      = 100 // the name of a model, the id of a request
)

// keyFragment is the number of consecutive characters of a key that must not be shown.
const keyFragment = 8

// cleaner cleans the text of a provider that was asked with one key. The zero cleaner
// knows no key, but also replaces what looks like one.
type cleaner struct {
	key   string
	pairs *[1 << 14]bool // the pairs of neighbours in key, of which all are ASCII

	hidden *strings.Replacer // of other texts that are not shown; may be nil
}

// leastHidden is the least length of a hidden text, in bytes. A shorter one is in every other
// word.
const leastHidden = 6

func newCleaner(key string, hidden ...Key) cleaner {
	c := cleaner{key: key, pairs: &[1 << 14]bool{}}
	var pairs []string
	for _, text := range hidden {
		if text := text.Reveal(); len(text) >= leastHidden {
			pairs = append(pairs, text, redacted)
		}
	}
	if pairs != nil {
		c.hidden = strings.NewReplacer(pairs...)
	}
	for i := range len(key) - 1 {
		c.pairs[pair(key, i)] = true
	}
	return c
}

func pair(s string, at int) uint16 { return uint16(s[at]&127) | uint16(s[at+1]&127)<<7 }

// text gives s without control and invisible characters, without the key or eight
// consecutive characters of it, without anything that looks like a key, and cut to
// limit characters.
func (c cleaner) text(s string, limit int) string {
	if most := 16 * (limit + 256); len(s) > most {
		s = s[:most] // the rest would be cut off below
	}
	s = c.redactKey(strings.TrimSpace(stripControls(s)))
	if c.hidden != nil {
		s = c.hidden.Replace(s)
	}
	s = redactLookalikes(s)
	if len(s) <= limit {
		return s
	}
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}

// redactKey replaces every part of s that consists of eight or more consecutive
// characters of the key. It looks only at the end of each stretch of eight: two
// neighbours that are not in the key rule out every stretch that holds them.
func (c cleaner) redactKey(s string) string {
	if len(c.key) < keyFragment {
		if len(c.key) >= 4 { // a shorter one is in every other word
			return strings.ReplaceAll(s, c.key, redacted)
		}
		return s
	}
	var out strings.Builder
	done := 0 // s[:done] is in out
	for i := 0; i+keyFragment <= len(s); {
		end := i + keyFragment
		if !c.pairs[pair(s, end-2)] {
			i = end - 1
			continue
		}
		if !strings.Contains(c.key, s[i:end]) {
			i++
			continue
		}
		for end < len(s) && strings.Contains(c.key, s[end+1-keyFragment:end+1]) {
			end++
		}
		out.WriteString(s[done:i])
		out.WriteString(redacted)
		i, done = end, end
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

var lookalikes = regexp.MustCompile(strings.Join([]string{
	`\b(?:sk|pk|rk)-[A-Za-z0-9_*.…-]{5,}`,                                            // OpenAI, Anthropic and many others, masked too
	`\bxai-[A-Za-z0-9_*.…-]{5,}`,                                                     // xAI
	`\bAIza[A-Za-z0-9_*.…-]{5,}`,                                                     // Google
	`\bAQ\.[A-Za-z0-9_*-]{20,}`,                                                      // Google's newer keys
	`(?i:\bbearer\s+)[A-Za-z0-9._~+/*=-]{6,}`,                                        // a header
	`[A-Za-z0-9_-]+\*{3,}[A-Za-z0-9_-]+`,                                             // any other key, masked
	`(?i:\b(?:x-)?(?:goog-)?api[-_]?key["']?\s*[:=]\s*["']?)[A-Za-z0-9._~+/*=-]{6,}`, // a named key
}, "|"))

// redactLookalikes replaces everything that looks like a key. A plain search comes first,
// since the regular expression is slow and hardly any text holds a key.
func redactLookalikes(s string) string {
	if !strings.Contains(s, "sk-") && !strings.Contains(s, "pk-") && !strings.Contains(s, "rk-") && !strings.Contains(s, "xai-") && !strings.Contains(s, "AIza") && !strings.Contains(s, "AQ.") &&
		!strings.Contains(s, "***") && !containsFold(s, "earer") && !containsFold(s, "api") {
		return s
	}
	return lookalikes.ReplaceAllStringFunc(s, func(match string) string {
		// "bearer certificates" are a security, not a header.
		if word := strings.ToLower(match); strings.HasPrefix(word, "bearer") {
			if token := strings.TrimSpace(word[len("bearer"):]); len(token) < 20 && !strings.ContainsAny(token, "0123456789*_") {
				return match
			}
		}
		return redacted
	})
}

// containsFold reports whether s holds word, in lower, upper or title case.
func containsFold(s, word string) bool {
	return strings.Contains(s, word) || strings.Contains(s, strings.ToUpper(word)) ||
		strings.Contains(s, strings.ToUpper(word[:1])+word[1:])
}

// stripControls removes control characters, invisible ones, and those that change the
// direction of writing. Line breaks and tabs become spaces.
func stripControls(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return strings.Map(visible, strings.ToValidUTF8(s, ""))
		}
	}
	return s
}

func visible(r rune) rune {
	switch {
	case r == '\n', r == '\r', r == '\t', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
		return ' '
	case r < 0x7f && r >= ' ':
		return r
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return -1
	}
	return r
}
