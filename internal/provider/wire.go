package provider

// The wire format of one provider: it writes and reads bytes. Sending them, deadlines and
// statuses are the same for all providers (remote.go, judge.go).

import (
	"net/http"

	"thalas/internal/signal"
)

// Wire is one wire format. A sub-package implements it.
type Wire interface {
	// BaseURL is the provider's own endpoint, without the version segment.
	BaseURL() string

	// Authorize sets the header with the key, and the others that every request needs.
	Authorize(header http.Header, key Key)

	// Question gives the path below the base URL, with its version segment
	// (/v1/messages), and the body, which is marshalled to JSON. Path and body may depend
	// on the model and the system text; the user text must be in the body once, as a
	// JSON string of its own. So a body can be marshalled once and used again.
	Question(model Model, prompt Prompt) (path string, body any)

	// CheckPath is the path of the free authenticated GET. Its first segment is the
	// version segment, in which a configured base URL may end.
	CheckPath() string

	// Answer reads the body of an answer with a 2xx status. An error means that the body
	// does not have this format; the usage in the Reply counts nevertheless. Usage is
	// read with [Fields] and [TokenUsage], so that its form never spoils an answer. Error
	// bodies are read in the same way for all wire formats.
	Answer(body []byte) (Reply, error)
}

// Reply is what an answer with a 2xx status says.
type Reply struct {
	Text      string             // the model's text: a ballot, if Stopped is empty
	Stopped   signal.FailureKind // empty for a complete answer, else refusal, truncated or invalid_response
	Reason    string             // the provider's word for how the answer ended, not cleaned
	AtLimit   bool               // the output cap truncated the answer, so a higher one helps
	Model     string             // the model that answered
	RequestID string             // empty if the id is in the header
	Usage     Usage
}

// Model is how one model is asked.
type Model struct {
	ID          string
	Effort      string   // empty: not sent
	NoThinking  bool     // thinking is switched off by a field of its own
	MaxTokens   int      // output cap, thinking included
	Temperature *float64 // nil: not sent
}
