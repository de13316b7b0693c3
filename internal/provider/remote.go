package provider

// Asking a provider over HTTP, in the steps that are the same for all wire formats: write
// the request, send it, read a bounded answer, judge its status, parse it, compute its cost.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"thalas/internal/endpoint"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// The profiles, each of which has a default model for every provider.
const (
	ProfileFast     = "fast"
	ProfileFlagship = "flagship"
)

// Settings is the configuration of one provider. A zero value means the default of the
// model and the profile, as [Catalog.Configure] resolves it.
type Settings struct {
	Key         Key      // without one, every attempt fails before anything is sent, unless Keyless
	Profile     string   // ProfileFast if empty
	Model       string   // in the provider's words
	Effort      string   // in the provider's words
	MaxTokens   int      // output cap, thinking included; 0: the profile's
	Temperature *float64 // 0…2; nil: not sent
	BaseURL     string   // with or without the version segment; empty: the provider's own

	// The rest is for further providers. The zero values are those of a built-in one.
	Name        string // in place of the maker's, for votes and variables
	KeyVariable string // where messages say that the key belongs; empty: {NAME}_API_KEY
	Keyless     bool   // the server needs no key
	Price       *Price // of every model that answers, in place of the Catalog's
	Hidden      []Key  // texts besides the key that no message and no reasoning may repeat
}

// maxBody bounds what is read of an answer, in bytes. A vote has some 2 KB.
const maxBody = 1 << 20

// Remote is a [Provider] behind one wire format. Its settings never change; for another key,
// another Remote is made.
type Remote struct {
	name      string
	maker     string
	wire      Wire
	model     Model
	key       Key
	base      string // without version and trailing slash
	catalog   *Catalog
	settings  Settings
	transport http.RoundTripper
	clean     cleaner
	form      atomic.Pointer[form] // made by the first question
}

// New makes a provider of one maker, whose models and prices in the catalog count. The maker's
// name, or that of the settings, is the provider's and also begins the names of its
// variables: grok, GROK_MODEL. Errors name the variable to change; several are joined. Of client only the
// transport is used, so that a call has no other timeout than its context's and can't follow
// a redirect with the key.
func New(maker string, wire Wire, settings Settings, catalog *Catalog, client *http.Client) (Provider, error) {
	model, err := catalog.Configure(maker, settings)
	name := cmp.Or(settings.Name, maker)
	errs := []error{err}
	version, _, _ := strings.Cut(wire.CheckPath()[1:], "/")
	base, err := parseBaseURL(cmp.Or(settings.BaseURL, wire.BaseURL()), "/"+version)
	if err != nil {
		errs = append(errs, fmt.Errorf("%s %w", Variable(name, "BASE_URL"), err))
	}
	key, err := ParseKey(settings.Key.Reveal())
	if err != nil {
		errs = append(errs, fmt.Errorf("%s %w", cmp.Or(settings.KeyVariable, Variable(name, "API_KEY")), err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Remote{name: name, maker: maker, wire: wire, model: model, key: key, base: base, catalog: catalog, settings: settings, transport: client.Transport, clean: newCleaner(key.Reveal(), settings.Hidden...)}
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
		return Answer{}, r.fail(signal.FailureProvider, false, "the question to $name can't be written: %v", err)
	}
	header, body, failed := r.send(ctx, http.MethodPost, path, payload, prompt)
	if failed != nil {
		return Answer{}, failed
	}
	reply, err := r.wire.Answer(body)
	answer := Answer{Model: r.clean.text(reply.Model, maxName), Usage: r.usage(reply)}
	isUsual := err == nil && reply.Stopped != signal.FailureInvalidResponse
	if failed = r.errorInside(header, body, prompt, isUsual); failed == nil {
		if answer.Ballot, failed = r.ballot(reply, body, err); failed == nil {
			return answer, nil
		}
		failed.Status, failed.BillUnknown = http.StatusOK, true
	}
	failed.BillUnknown = failed.BillUnknown && answer.Usage.CostUSD == nil
	failed.RequestID = r.requestID(header, reply.RequestID)
	failed.Usage, failed.Model = answer.Usage, answer.Model
	return Answer{}, failed
}

// ballot gives the vote in an answer. err is the error of reading the answer.
func (r *Remote) ballot(reply Reply, body []byte, err error) (Ballot, *Error) {
	if err != nil {
		return Ballot{}, r.invalid(unreadable(body))
	}
	if reply.Stopped != "" {
		return Ballot{}, r.stopped(reply)
	}
	ballot, err := parseBallot(reply.Text, r.clean)
	if _, hasSetting := r.wire.(adviser); err != nil && hasSetting && strings.Contains(reply.Text, "</think>") {
		err = fmt.Errorf(`%w, because it begins with thoughts: set "thinking" of %s to strip in PROVIDERS_FILE`, err, r.name)
	}
	if err != nil {
		return Ballot{}, r.invalid(err.Error())
	}
	return ballot, nil
}

// Check makes the free call that proves the key.
func (r *Remote) Check(ctx context.Context) error {
	header, body, failed := r.send(ctx, http.MethodGet, r.wire.CheckPath(), parts{}, Prompt{})
	if failed == nil {
		failed = r.errorInside(header, body, Prompt{}, true)
	}
	if failed == nil && !json.Valid(body) { // a proxy's page with status 200 proves nothing
		failed = r.fail(signal.FailureInvalidResponse, true, "$name did not answer the check with its list of models: %s; check $BASE_URL", unreadable(body))
		failed.Status = http.StatusOK
	}
	if failed == nil {
		return nil
	}
	failed.BillUnknown = false // the call is free
	// Some servers that are compatible with OpenAI's have no such route.
	switch failed.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		if _, failed.NoRoute = r.wire.(adviser); failed.NoRoute {
			failed.Message += "; or the server has no list of models, which it need not have"
		}
	}
	failed.RequestID = cmp.Or(failed.RequestID, r.requestID(header, ""))
	return failed
}

// errorInside gives the error in an answer with a 2xx status; nil if there is none. In an
// answer of the usual form only an error object is one, in any other also a bare message.
func (r *Remote) errorInside(header http.Header, body []byte, asked Prompt, isUsual bool) *Error {
	if isUsual && !bytes.Contains(body, []byte(`"error"`)) {
		return nil // without reading nearly every answer twice
	}
	p, isError := readProblem(body)
	if isError || !isUsual && p.message != "" && json.Valid(body) {
		return r.judge(http.StatusOK, header, body, p, asked)
	}
	return nil
}

// send makes one call and gives the header and the body of an answer with a 2xx status. An
// error message may repeat words of asked.
func (r *Remote) send(ctx context.Context, method, path string, payload parts, asked Prompt) (http.Header, []byte, *Error) {
	if !r.key.IsSet() && !r.settings.Keyless {
		return nil, nil, r.fail(signal.FailureAuthentication, false, "$name has no key; set $API_KEY")
	}
	request, err := http.NewRequestWithContext(withPlainKey(ctx, r.base), method, r.base+path, nil)
	if err != nil {
		return nil, nil, r.fail(signal.FailureProvider, false, "the address of $name is not usable; check $BASE_URL and $MODEL")
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
	status := response.StatusCode
	body, err := readBody(response)
	var failed *Error
	switch isSuccess := status/100 == 2; {
	case !isSuccess && err != nil && ctx.Err() != nil:
		failed = r.ended(ctx.Err())
		failed.BillUnknown = slices.Contains(brokeOff, status)
	case !isSuccess: // the status says enough even if the body broke off
		p, _ := readProblem(body)
		failed = r.judge(status, response.Header, body, p, asked)
	case errors.Is(err, errTooLarge):
		failed = r.invalid("its answer is larger than 1 MiB")
		failed.Status, failed.BillUnknown = status, true
	case err != nil:
		failed = r.broken(ctx, err, true)
	default:
		return response.Header, body, nil
	}
	failed.RequestID = r.requestID(response.Header, "")
	return nil, nil, failed
}

var errTooLarge = errors.New("too large")

// readBody reads to the end, so that the connection can be used again, or to one byte more
// than is allowed.
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
		usage.CostUSD = r.cost(reply.Model, usage)
	}
	return usage
}

// requestID gives the provider's id of a call, from the body or the header.
func (r *Remote) requestID(header http.Header, id string) string {
	return r.clean.text(cmp.Or(id, header.Get("Request-Id"), header.Get("X-Request-Id")), maxName)
}

// unreadable says what is wrong with a body that does not have the wire format.
func unreadable(body []byte) string {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "its answer is empty"
	case endpoint.IsHTML(body):
		return "its answer is an HTML page, probably of a proxy"
	case !json.Valid(body):
		return "its answer is not whole JSON"
	default:
		return "its answer lacks fields, or has them in another form"
	}
}
