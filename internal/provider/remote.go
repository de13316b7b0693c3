package provider

// A provider that is asked over HTTP: what is the same for all wire formats.
// One attempt is: write the request, send it, read a bounded answer,
// judge its status, parse it, price it.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// The profiles: which models are asked where none is named.
const (
	ProfileFast     = "fast"
	ProfileFlagship = "flagship"
)

// Settings is what a user configures for one provider. Every zero value means
// the default of the model and the profile, as Catalog.Configure resolves it.
type Settings struct {
	Key         Key      // may be unset: then every attempt fails without being sent
	Profile     string   // ProfileFast if empty
	Model       string   // as the provider calls it
	Effort      string   // in the provider's words
	MaxTokens   int      // output cap, thinking included; 0: the profile's
	Temperature *float64 // 0…2; nil: not sent
	BaseURL     string   // with or without the version segment; empty: the provider's own
}

// maxBody bounds what is read of an answer, in bytes. A vote has some 2 KB.
const maxBody = 1 << 20

// Remote is a Provider behind one wire format. What it is asked with never
// changes; another key is another Remote.
type Remote struct {
	name      string
	wire      Wire
	model     Model
	key       Key
	base      string // without version and trailing slash
	catalog   *Catalog
	transport http.RoundTripper
	clean     cleaner
	form      atomic.Pointer[form] // made by the first question
}

// New makes a provider of that name, which also begins the names of its
// variables: grok → GROK_MODEL. An error names the variable to change; several
// are joined. Of client only the transport is used, so that no call has a timeout
// but its context's, and none can follow a redirect with the key. A provider is
// cheap to make: another key is another provider.
func New(name string, wire Wire, settings Settings, catalog *Catalog, client *http.Client) (Provider, error) {
	model, err := catalog.Configure(name, settings)
	errs := []error{err}
	base := settings.BaseURL
	if base == "" {
		base = wire.BaseURL()
	}
	version, _, _ := strings.Cut(wire.CheckPath()[1:], "/")
	base, err = parseBaseURL(base, "/"+version)
	if err != nil {
		errs = append(errs, fmt.Errorf("%s %w", Variable(name, "BASE_URL"), err))
	}
	key, err := ParseKey(settings.Key.Reveal())
	if err != nil {
		errs = append(errs, fmt.Errorf("%s %w", Variable(name, "API_KEY"), err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Remote{name: name, wire: wire, model: model, key: key, base: base, catalog: catalog, transport: client.Transport, clean: newCleaner(key.Reveal())}
	if r.transport == nil {
		r.transport = http.DefaultTransport
	}
	return r, nil
}

// Name is the provider's name.
func (r *Remote) Name() string { return r.name }

// Model is the model that is asked.
func (r *Remote) Model() string { return r.model.ID }

// Ask makes one attempt.
func (r *Remote) Ask(ctx context.Context, prompt Prompt) (Answer, error) {
	path, payload, err := r.payload(prompt)
	if err != nil {
		return Answer{}, &Error{Kind: signal.FailureProvider, Message: fmt.Sprintf("the question to %s can't be written: %v", r.name, err)}
	}
	header, body, failed := r.send(ctx, http.MethodPost, path, payload, prompt)
	if failed != nil {
		return Answer{}, failed
	}
	reply, err := r.wire.Answer(body)
	answer := Answer{Model: r.clean.text(reply.Model, maxName), Usage: r.usage(reply)}
	isUsual := err == nil && reply.Stopped != signal.FailureInvalidResponse
	if failed = r.errorInside(header, body, prompt, isUsual); failed != nil {
		failed.BillUnknown = failed.BillUnknown && answer.Usage.CostUSD == nil
		failed.Usage, failed.Model = answer.Usage, answer.Model
		return Answer{}, failed
	}
	switch {
	case err != nil:
		failed = r.invalid(r.unreadable(body))
	case reply.Stopped != "":
		failed = r.stopped(reply)
	default:
		if answer.Ballot, err = parseBallot(reply.Text, r.clean); err == nil {
			return answer, nil
		}
		failed = r.invalid(err.Error())
	}
	failed.Status = http.StatusOK
	failed.BillUnknown = answer.Usage.CostUSD == nil
	failed.RequestID = r.requestID(header, reply.RequestID)
	failed.Usage, failed.Model = answer.Usage, answer.Model
	return Answer{}, failed
}

// Check makes the free call that proves the key.
func (r *Remote) Check(ctx context.Context) error {
	header, body, failed := r.send(ctx, http.MethodGet, r.wire.CheckPath(), parts{}, Prompt{})
	if failed == nil {
		failed = r.errorInside(header, body, Prompt{}, true)
	}
	if failed != nil {
		failed.BillUnknown = false // it is free
		return failed
	}
	// A proxy's page with status 200 proves nothing.
	if !json.Valid(body) {
		return &Error{
			Kind: signal.FailureInvalidResponse, Retryable: true, Status: http.StatusOK, RequestID: r.requestID(header, ""),
			Message: fmt.Sprintf("%s did not answer the check with its list of models: %s; check %s", r.name, r.unreadable(body), Variable(r.name, "BASE_URL")),
		}
	}
	return nil
}

// errorInside gives the error that a 2xx answer holds; nil: none. In an answer that has
// the form of a usual one (isUsual) only an error object is one, in another a bare
// message too.
func (r *Remote) errorInside(header http.Header, body []byte, asked Prompt, isUsual bool) *Error {
	if isUsual && !bytes.Contains(body, []byte(`"error"`)) {
		return nil // which spares nearly every answer the reading
	}
	p, isError := readProblem(body)
	if !isUsual && p.message != "" && json.Valid(body) {
		isError = true
	}
	if !isError {
		return nil
	}
	return r.judge(http.StatusOK, header, body, p, asked)
}

// send makes one call and gives the header and the body of a 2xx answer. asked is
// what an error may repeat.
func (r *Remote) send(ctx context.Context, method, path string, payload parts, asked Prompt) (http.Header, []byte, *Error) {
	if !r.key.IsSet() {
		return nil, nil, &Error{Kind: signal.FailureAuthentication, Message: fmt.Sprintf("%s has no key; set %s", r.name, Variable(r.name, "API_KEY"))}
	}
	request, err := http.NewRequestWithContext(withPlainKey(ctx, r.base), method, r.base+path, nil)
	if err != nil {
		return nil, nil, &Error{Kind: signal.FailureProvider, Message: fmt.Sprintf("the address of %s is not usable; check %s and %s", r.name, Variable(r.name, "BASE_URL"), Variable(r.name, "MODEL"))}
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "thalas")
	r.wire.Authorize(request.Header, r.key)
	var sent atomic.Bool
	if payload != (parts{}) {
		request.Header.Set("Content-Type", "application/json")
		request = payload.sendWith(request, &sent)
	}

	response, err := r.transport.RoundTrip(request)
	if err != nil {
		return nil, nil, r.broken(ctx, err, sent.Load())
	}
	defer response.Body.Close()
	body, err := readBody(response)
	if isSuccess := response.StatusCode/100 == 2; !isSuccess {
		// The status says enough where the body broke off, unless we broke it off.
		if ctx.Err() != nil && err != nil {
			ended := r.ended(ctx.Err())
			ended.BillUnknown = slices.Contains(brokeOff, response.StatusCode)
			return nil, nil, ended
		}
		p, _ := readProblem(body)
		return nil, nil, r.judge(response.StatusCode, response.Header, body, p, asked)
	}
	switch {
	case errors.Is(err, errTooLarge):
		failed := r.invalid("its answer is larger than 1 MiB")
		failed.BillUnknown = true
		failed.Status, failed.RequestID = response.StatusCode, r.requestID(response.Header, "")
		return nil, nil, failed
	case err != nil:
		failed := r.broken(ctx, err, true)
		failed.RequestID = r.requestID(response.Header, "")
		return nil, nil, failed
	}
	return response.Header, body, nil
}

var errTooLarge = errors.New("too large")

// readBody reads to the end, so that the connection can be used again, or up to
// one byte more than is allowed.
func readBody(response *http.Response) ([]byte, error) {
	var body bytes.Buffer
	if n := response.ContentLength; n > 0 && n <= maxBody {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(response.Body, maxBody+1))
	if body.Len() > maxBody {
		return body.Bytes()[:maxBody], errTooLarge
	}
	return strictjson.WithoutBOM(body.Bytes()), err
}

// usage gives the usage of an answer. The cost is the provider's own figure if it sends a
// possible one, and otherwise computed.
func (r *Remote) usage(reply Reply) Usage {
	usage := reply.Usage.possible()
	if usage.CostUSD == nil {
		usage.CostUSD = r.catalog.Cost(r.name, reply.Model, r.model.ID, usage, time.Now())
	}
	return usage
}

// requestID gives the provider's id of a call, from the body or the header.
func (r *Remote) requestID(header http.Header, id string) string {
	for _, name := range [...]string{"Request-Id", "X-Request-Id"} {
		if id == "" {
			id = header.Get(name)
		}
	}
	return r.clean.text(id, maxName)
}

// unreadable says what a body is that is not of the wire format.
func (r *Remote) unreadable(body []byte) string {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "its answer is empty"
	case endpoint.IsHTML(body):
		return "its answer is an HTML page, as of a proxy"
	case !json.Valid(body):
		return "its answer is not whole JSON"
	default:
		return "its answer lacks fields, or has them in another form"
	}
}
