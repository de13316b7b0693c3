package gateway

// One invocation: an event in, an answer out, whatever happens between.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/uuid"
)

// Options are the choices of a Handler.
type Options struct {
	Logger *slog.Logger // nil: no log
}

// Handler makes a Lambda handler of h. It is safe for concurrent use and never
// gives an error: what cannot be answered is a problem+json answer, 400 for an
// event that is no request, 500 after a panic or for an answer that is larger
// than Lambda lets through.
func Handler(h http.Handler, o Options) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		id := requestID(ctx, &event)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // what the handler left behind ends with the answer
		r, problem := requestOf(context.WithValue(ctx, callerKey{}, event.RequestContext.Identity.APIKeyID), &event, id)
		if problem != nil {
			o.Logger.LogAttrs(ctx, slog.LevelWarn, "Event refused:", slog.String("request_id", id), slog.String("detail", problem.Detail))
			return problem.response(id), nil
		}
		w := &answer{header: http.Header{}, head: r.Method == http.MethodHead}
		if problem = run(h, w, r, id, o.Logger); problem != nil {
			return problem.response(id), nil
		}
		response, fits := w.response()
		if !fits {
			o.Logger.LogAttrs(ctx, slog.LevelError, "Answer too large:", slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", cut(r.URL.EscapedPath(), 200)))
			return answerTooLarge(r).response(id), nil
		}
		return response, nil
	}
}

// run lets h answer. A panic gives a problem; half an answer is thrown away.
func run(h http.Handler, w *answer, r *http.Request, id string, log *slog.Logger) (p *problem) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		p = panicked(r)
		attrs := []slog.Attr{slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", cut(r.URL.EscapedPath(), 200))}
		if cause == http.ErrAbortHandler { // who panics with it has said why
			log.LogAttrs(r.Context(), slog.LevelWarn, "Answer broken off:", attrs...)
			return
		}
		log.LogAttrs(r.Context(), slog.LevelError, "Handler panicked:", append(attrs, slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))...)
	}()
	h.ServeHTTP(w, r)
	return nil
}

type callerKey struct{}

// CallerFrom gives who has sent the request that a context belongs to: the id of
// the API key that API Gateway has accepted, never the key. It is empty where API
// Gateway asked for none, and for contexts of other requests.
func CallerFrom(ctx context.Context) string {
	caller, _ := ctx.Value(callerKey{}).(string)
	return caller
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`) // safe in a header, a log line and a JSON text

// requestID is API Gateway's id of the request, else Lambda's of the invocation.
func requestID(ctx context.Context, event *events.APIGatewayProxyRequest) string {
	if id := event.RequestContext.RequestID; plainID.MatchString(id) {
		return id
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok && plainID.MatchString(lambda.AwsRequestID) {
		return lambda.AwsRequestID
	}
	return uuid.NewString()
}
