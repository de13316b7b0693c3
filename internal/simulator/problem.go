package simulator

// What can be wrong with a request or a service, and how each provider says it.

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problem is an error before it is written in a wire format.
type problem struct {
	condition string    // a name in errors.csv
	status    int       // replaces the provider's status for the condition; 0: it does not
	message   string    // replaces the provider's words for the condition; empty: it does not
	param     string    // the field that is wrong; empty: none
	wait      retryHint // of rate_limit
	echoKey   bool      // the message repeats the key that was sent
}

// bad is a problem with a field of the request.
func bad(param, message string) *problem {
	return &problem{condition: "bad_request", message: message, param: param}
}

//go:embed errors.csv
var errorsCSV string

// errorRow is how one provider reports one condition: a row of errors.csv.
type errorRow struct {
	status  int
	kind    string // error.type, error.status or code
	code    string // error.code of OpenAI, reason of Gemini
	message string
}

// errorRows has the rows by condition and provider.
var errorRows = func() map[[2]string]errorRow {
	table, err := csv.NewReader(strings.NewReader(errorsCSV)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("simulator: errors.csv: %v", err)) // every test of this package reads it
	}
	rows := make(map[[2]string]errorRow, len(table))
	for _, cells := range table[1:] {
		status, err := strconv.Atoi(cells[2])
		if err != nil {
			panic(fmt.Sprintf("simulator: errors.csv: %v", err))
		}
		rows[[2]string{cells[0], cells[1]}] = errorRow{status, cells[3], cells[4], cells[5]}
	}
	return rows
}()

// row gives the words of a provider for a problem. The key is in them if the problem
// repeats it.
func (p *problem) row(provider, key string) errorRow {
	r := rowOf(p.condition, provider)
	if p.message != "" {
		r.message = p.message
	}
	if p.echoKey {
		r.message += " The key was: " + key
	}
	return r
}

// retryHint is how long to wait, and where the answer says so.
type retryHint struct {
	after time.Duration // 0: the answer does not say
	form  hintForm
}

type hintForm int

const (
	ownForm    hintForm = iota // as the provider does it: Gemini in the body, the others in Retry-After
	milliForm                  // Retry-After-Ms
	dateForm                   // Retry-After as an HTTP date
	secondForm                 // Retry-After in seconds, at all providers
	epochForm                  // Retry-After as seconds since 1970
)

// setHeader writes the hint into a header.
func (h retryHint) setHeader(header http.Header) {
	then := time.Now().Add(h.after)
	switch {
	case h.after == 0:
	case h.form == milliForm:
		header.Set("Retry-After-Ms", strconv.FormatInt(h.after.Milliseconds(), 10))
	case h.form == dateForm:
		header.Set("Retry-After", then.UTC().Format(http.TimeFormat))
	case h.form == epochForm:
		header.Set("Retry-After", strconv.FormatInt(then.Unix(), 10))
	default:
		header.Set("Retry-After", strconv.Itoa(int(h.after.Seconds())))
	}
}
