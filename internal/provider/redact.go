package provider

// Cleaning of text that a provider sends. It may hold the key, control
// characters that rewrite a terminal, or characters that hide what is written.

import (
	"encoding/binary"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of cleaned text, in characters.
const (
	maxMessage   = 200
	maxReasoning = 4000
	maxName      = 100 // a model's name, a request's id
)

// keyFragment is how many consecutive characters of a key are worth hiding.
const keyFragment = 8

// cleaner cleans text of a provider that was asked with one key. The zero
// cleaner knows no key and still hides what looks like one.
type cleaner struct {
	key   string
	pairs *[1 << 16 / 64]uint64 // bit set of the two-byte sequences in key
	parts map[uint64]struct{}   // the sequences of keyFragment bytes in key
}

func newCleaner(key Key) cleaner {
	c := cleaner{key: key.Reveal()}
	if len(c.key) < keyFragment {
		return c
	}
	c.pairs = new([1 << 16 / 64]uint64)
	for i := range len(c.key) - 1 {
		pair := binary.LittleEndian.Uint16([]byte(c.key[i : i+2]))
		c.pairs[pair/64] |= 1 << (pair % 64)
	}
	c.parts = make(map[uint64]struct{}, len(c.key))
	for i := range len(c.key) - keyFragment + 1 {
		c.parts[part(c.key, i)] = struct{}{}
	}
	return c
}

// text gives s without control and invisible characters, without the key or
// eight consecutive characters of it, without anything that looks like a key,
// and cut to limit characters.
func (c cleaner) text(s string, limit int) string {
	if most := 16 * (limit + 256); len(s) > most {
		s = s[:most] // what lies beyond is cut off anyway
	}
	return cutRunes(c.redact(strings.TrimSpace(stripControls(s))), limit)
}

func (c cleaner) redact(s string) string {
	return redactLookalikes(c.redactKey(s))
}

// redactKey replaces every stretch of s that is made of eight or more
// consecutive characters of the key. It looks at every seventh position only,
// until two neighbours there occur in the key.
func (c cleaner) redactKey(s string) string {
	if c.pairs == nil {
		if len(c.key) >= 4 { // a shorter one is in every other word
			return strings.ReplaceAll(s, c.key, redacted)
		}
		return s
	}
	var out strings.Builder
	kept := 0 // s[:kept] is in out
	for i := 0; i+keyFragment <= len(s); {
		pair := uint16(s[i+6]) | uint16(s[i+7])<<8
		if c.pairs[pair/64]&(1<<(pair%64)) == 0 {
			i += keyFragment - 1 // no window that holds this pair is of the key
			continue
		}
		if _, ok := c.parts[part(s, i)]; !ok {
			i++
			continue
		}
		end := i + keyFragment
		for end < len(s) && c.holds(s, end-keyFragment+1) {
			end++
		}
		out.WriteString(s[kept:i])
		out.WriteString(redacted)
		i, kept = end, end
	}
	if kept == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

func (c cleaner) holds(s string, at int) bool {
	_, ok := c.parts[part(s, at)]
	return ok
}

func part(s string, at int) uint64 {
	s = s[at : at+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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

// redactLookalikes replaces what looks like a key of anybody. Nearly no text
// holds one, so a plain search comes first.
func redactLookalikes(s string) string {
	if !strings.Contains(s, "k-") && !strings.Contains(s, "xai-") && !strings.Contains(s, "AIza") && !strings.Contains(s, "AQ.") &&
		!strings.Contains(s, "***") && !containsFold(s, "earer") && !containsFold(s, "api") {
		return s
	}
	return lookalikes.ReplaceAllStringFunc(s, func(match string) string {
		// "bearer certificates" is a word of finance, not a header.
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

// stripControls removes control characters and those that show nothing or turn
// the direction of writing. Line breaks and tabs become spaces.
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

// cutRunes gives the first limit characters of s.
func cutRunes(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}
