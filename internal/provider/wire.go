package provider

// A Wire is one provider's wire format. It writes and reads bytes; sending them,
// deadlines and statuses are the same for all and lie in remote.go and judge.go.

import (
	"net/http"

	"thalas/internal/signal"
)

// Wire is what a sub-package implements for one wire format.
type Wire interface {
	// BaseURL is the provider's own endpoint, without the version segment.
	BaseURL() string

	// Authorize puts the key, and what else every request carries, into the header.
	Authorize(header http.Header, key Key)

	// Question gives the path below the base URL, with its version segment
	// (/v1/messages), and the body, which is marshalled to JSON. They depend on
	// model and system text only, but for the user text as a JSON string at its
	// place in the body: so a body is marshalled once and reused.
	Question(model Model, prompt Prompt) (path string, body any)

	// CheckPath is the path of the free authenticated GET. Its first segment is
	// the version segment, which a configured base URL may end in.
	CheckPath() string

	// Answer reads the body of a 2xx answer. An error means that the body is not
	// of the format; a Reply may come with it, for the usage that it told, which is
	// read with Fields and TokenUsage: its form never spoils an answer. Error bodies
	// are read for all wire formats alike.
	Answer(body []byte) (Reply, error)
}

// Reply is a 2xx answer as the wire format has it.
type Reply struct {
	Text      string             // the model's text: a ballot, if Stopped is empty
	Stopped   signal.FailureKind // empty for a complete answer, else refusal, truncated or invalid_response
	Reason    string             // the provider's word for Stopped; cleaned by the caller
	AtLimit   bool               // truncated by the output cap, so a higher one helps
	Model     string             // the model that answered
	RequestID string             // where the body holds it; else the header has it
	Usage     Usage
}

// Model is how one model is asked: its identity, its limits and what may be sent to it.
type Model struct {
	ID          string
	Effort      string   // sent where not empty
	NoThinking  bool     // thinking is switched off by a field of its own
	MaxTokens   int      // output cap, thinking included
	Temperature *float64 // nil: not sent
}
