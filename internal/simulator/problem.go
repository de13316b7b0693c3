package simulator

// What can be wrong with a request or a service, by meaning: each wire format
// has its own status and words for it.

import (
	"net/http"
	"time"
)

// condition names what went wrong.
type condition int

const (
	badRequest condition = iota
	missingKey
	wrongKey
	forbidden
	outOfQuota
	creditBalance // Anthropic's second form of outOfQuota
	rateLimited
	overloaded
	unavailable
	notFound
	methodNotAllowed
	tooLarge
	unprocessable
	serverError
	requestTimeout
	gatewayTimeout
	contentPolicy   // what was asked is refused
	creditsDenied   // outOfQuota as a refusal of access
	modelDenied     // the account does not have the model
	regionDenied    // the country is not served
	usageLimit      // a limit that the account set itself
	accountDisabled // nobody with this account is served
	requestTooLarge // more tokens than a minute's limit
)

// problem is one error before it is written in a wire format.
type problem struct {
	condition condition
	status    int       // in place of the format's own; 0: that one
	message   string    // empty: the format's own words for the condition
	param     string    // the field that is wrong; empty: none
	wait      retryHint // of rateLimited
	echoKey   bool      // the message repeats the key that was sent
}

// retryHint is how long to wait, and where the answer says so.
type retryHint struct {
	after time.Duration // 0: not told
	form  hintForm
}

type hintForm int

const (
	ownForm    hintForm = iota // as the provider does: Gemini in the body, the others in Retry-After
	milliForm                  // Retry-After-Ms
	dateForm                   // Retry-After as an HTTP date
	secondForm                 // Retry-After in seconds, at all providers
	epochForm                  // Retry-After as seconds since 1970
)

// header puts the hint into the header where its form has it there.
func (h retryHint) header(header http.Header, now time.Time) {
	switch {
	case h.after == 0:
	case h.form == milliForm:
		header.Set("Retry-After-Ms", decimal(h.after.Milliseconds()))
	case h.form == dateForm:
		header.Set("Retry-After", now.Add(h.after).UTC().Format(http.TimeFormat))
	case h.form == epochForm:
		header.Set("Retry-After", decimal(now.Add(h.after).Unix()))
	default:
		header.Set("Retry-After", decimal(int64(h.after/time.Second)))
	}
}

// bad is a badRequest about a field.
func bad(param, message string) *problem {
	return &problem{condition: badRequest, message: message, param: param}
}

// row is a format's status, words and machine-readable names for a condition.
type row struct {
	status  int
	kind    string // error.type, error.status or code
	code    string // OpenAI's error.code, Gemini's reason
	message string
}

// words gives the message of p, or else the row's, with the key where p echoes it.
func (p *problem) words(r row, key string) string {
	message := r.message
	if p.message != "" {
		message = p.message
	}
	if p.echoKey {
		message += " The key was: " + key
	}
	return message
}
