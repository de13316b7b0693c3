package api

// Splitting an object into its keys and values, which keeps the values as they
// were sent, and keys that are there twice.

import (
	"bytes"
	"encoding/json"
)

// member is one key of an object with its value as it was sent.
type member struct {
	name  string
	value json.RawMessage
}

// members splits an object. It gives false for anything but an object. raw has
// been proved to be JSON; the values are parts of it.
func members(raw []byte) ([]member, bool) {
	rest := bytes.TrimSpace(raw)
	if len(rest) == 0 || rest[0] != '{' {
		return nil, false
	}
	var list []member
	for {
		rest = bytes.TrimLeft(rest[1:], " \t\r\n") // behind { or ,
		if len(rest) == 0 || rest[0] != '"' {
			return list, true
		}
		end := textEnd(rest)
		var m member
		if json.Unmarshal(rest[:end], &m.name) != nil {
			return nil, false // not reached: it is JSON
		}
		rest = rest[end:]
		rest = bytes.TrimLeft(rest[bytes.IndexByte(rest, ':')+1:], " \t\r\n")
		end = valueEnd(rest)
		m.value, rest = bytes.TrimRight(rest[:end], " \t\r\n"), rest[end:]
		list = append(list, m)
		if len(rest) == 0 {
			return list, true // not reached: there is a closing brace
		}
	}
}

// textEnd gives the length of the quoted text that raw begins with.
func textEnd(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// valueEnd gives where the value that raw begins with is followed by a comma or
// the end of the object around it.
func valueEnd(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i += textEnd(raw[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(raw)
}
