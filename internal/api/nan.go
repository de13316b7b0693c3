package api

// Finding NaN and Infinity where a number should be. Python's json writes them,
// and an indicator is NaN while it warms up: it is the mistake that bots make.

import (
	"strconv"
	"strings"
)

// FindNaN looks for a bare NaN, Infinity or the like outside of texts, and gives
// the place of the first in the document: .market_data.rsi, .market_data.closes[3].
func FindNaN(body []byte) (place string, found bool) {
	s := nanScanner{body: body}
	for s.at < len(body) {
		switch c := body[s.at]; {
		case c == '"':
			s.text()
			continue
		case c == '{', c == '[':
			s.levels = append(s.levels, level{list: c == '['})
		case c == '}', c == ']':
			if len(s.levels) > 0 {
				s.levels = s.levels[:len(s.levels)-1]
			}
		case c == ',':
			if n := len(s.levels); n > 0 {
				s.levels[n-1].index++
				s.levels[n-1].key = ""
			}
		case isLetter(c):
			switch strings.ToLower(s.word()) {
			case "nan", "infinity", "inf":
				return s.place(), true
			}
			continue
		}
		s.at++
	}
	return "", false
}

// nanScanner goes through a document that need not be JSON.
type nanScanner struct {
	body   []byte
	at     int
	levels []level
}

// level is an object or a list that is open.
type level struct {
	list  bool
	key   string // the last text read in it: the key, until a value that is a text
	index int
}

// text passes over a quoted text and remembers it where it may be a key.
func (s *nanScanner) text() {
	start := s.at
	for s.at++; s.at < len(s.body) && s.body[s.at] != '"'; s.at++ {
		if s.body[s.at] == '\\' {
			s.at++
		}
	}
	s.at = min(s.at+1, len(s.body))
	if n := len(s.levels); n > 0 && !s.levels[n-1].list && s.levels[n-1].key == "" {
		if key, err := strconv.Unquote(string(s.body[start:s.at])); err == nil {
			s.levels[n-1].key = key
		}
	}
}

// word passes over letters and digits and gives them.
func (s *nanScanner) word() string {
	start := s.at
	for s.at < len(s.body) && (isLetter(s.body[s.at]) || '0' <= s.body[s.at] && s.body[s.at] <= '9') {
		s.at++
	}
	return string(s.body[start:s.at])
}

func (s *nanScanner) place() string {
	var b strings.Builder
	for _, l := range s.levels {
		if l.list {
			b.WriteString("[" + strconv.Itoa(l.index) + "]")
		} else if l.key != "" {
			b.WriteString("." + cut(l.key, maxValue))
		}
	}
	return b.String()
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
