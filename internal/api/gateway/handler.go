package gateway

// One invocation: an event is answered, whatever happens. Answers that the handler has not
// given have the shape of all other refusals: RFC 9457.

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/uuid"

	"thalas/internal/api"
	"thalas/internal/strictjson"
)

// Handler makes a Lambda handler of h. It is safe for concurrent use and never returns an
// error. It answers with problem+json if h can't: 400 for an event that is not a request,
// 500 after a panic or for an answer that is larger than Lambda allows. A nil log logs
// nothing.
func Handler(h http.Handler, log *slog.Logger) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		id := requestID(ctx, &event)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // work that the handler did not wait for ends with the answer
		if location := withSlash(&event); location != "" {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusPermanentRedirect, MultiValueHeaders: map[string][]string{
				"Location": {location}, "Cache-Control": {"no-store"}, requestIDHeader: {id},
			}}, nil
		}
		r, problem := requestOf(context.WithValue(ctx, callerKey{}, event.RequestContext.Identity.APIKeyID), &event, id)
		if problem != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "Event refused:", slog.String("request_id", id), slog.String("detail", problem.Detail))
			return refuse(problem, id), nil
		}
		attrs := []slog.Attr{slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", strictjson.Cut(r.URL.EscapedPath(), 200))}
		w := &answer{header: http.Header{}, isHead: r.Method == http.MethodHead}
		if problem = serve(h, w, r, log, attrs); problem != nil {
			return refuse(problem, id), nil
		}
		response, fits := w.response()
		if !fits {
			log.LogAttrs(ctx, slog.LevelError, "Answer too large:", attrs...)
			return refuse(api.Refusal("answer-too-large", r.URL.EscapedPath(),
				"The answer is larger than the 6 MB that can be sent from here: ask for less at once, with a smaller limit or a shorter time."), id), nil
		}
		return response, nil
	}
}

// serve lets h answer. After a panic it returns a problem, and the part of an answer that h
// has written is not sent.
func serve(h http.Handler, w *answer, r *http.Request, log *slog.Logger, attrs []slog.Attr) (p *api.Problem) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		p = api.Refusal("internal-error", r.URL.EscapedPath(), "")
		if cause == http.ErrAbortHandler { // whoever panics with it has logged the reason
			log.LogAttrs(r.Context(), slog.LevelWarn, "Answer broken off:", attrs...)
			return
		}
		log.LogAttrs(r.Context(), slog.LevelError, "Handler panicked:", append(attrs, slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))...)
	}()
	h.ServeHTTP(w, r)
	return nil
}

type callerKey struct{}

// CallerFrom gives the sender of the request that a context belongs to: the id of the API
// key that API Gateway has accepted, never the key. It is empty if API Gateway required no
// key, and for contexts of other requests.
func CallerFrom(ctx context.Context) string {
	caller, _ := ctx.Value(callerKey{}).(string)
	return caller
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`) // safe in a header, a log line and a JSON text

// requestID gives API Gateway's id of the request, or else Lambda's id of the invocation.
func requestID(ctx context.Context, event *events.APIGatewayProxyRequest) string {
	if id := event.RequestContext.RequestID; plainID.MatchString(id) {
		return id
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok && plainID.MatchString(lambda.AwsRequestID) {
		return lambda.AwsRequestID
	}
	return uuid.NewString()
}

// refuse makes a problem the answer to the request with an id.
func refuse(p *api.Problem, id string) events.APIGatewayProxyResponse {
	p.RequestID = id
	body, err := json.Marshal(p)
	if err != nil {
		body = nil // unreachable: it holds texts and a number
	}
	return events.APIGatewayProxyResponse{StatusCode: p.Status, Body: string(body), MultiValueHeaders: map[string][]string{
		"Content-Type": {p.ContentType("")}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, requestIDHeader: {id},
	}}
}
