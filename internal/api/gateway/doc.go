// Package gateway lets an http.Handler answer requests that API Gateway brings:
// proxy events of a REST API (payload format 1.0) become http.Requests, and what
// the handler writes becomes the event's answer. The handler runs in the
// invocation's own goroutine and under its context, and that context ends with
// the answer.
//
// What API Gateway sends, and what is made of it:
//   - path is as the client sent it, with its percent escapes: %2F in an id stays
//     a part of the id. It lacks the stage, but under a custom domain it has the
//     base path mapping in front, which is cut off by holding it against the
//     resource that API Gateway has matched. requestContext.path has stage and
//     base path and is used only where there is no path.
//   - query strings arrive decoded, and are encoded again.
//   - headers and query strings come twice, as lists and with one value each. The
//     lists count; what only the other map has is added.
//   - a body may be in base64.
//   - sam local decodes the path. What no path can hold unescaped is escaped again,
//     but a %2F that it has decoded is a slash there.
//
// The request id of API Gateway takes the place of any X-Request-Id that the
// client has sent, because it is the one in the access log and in the answers that
// API Gateway gives by itself. API Gateway has checked the API key: the header
// x-api-key is not passed on, and who has sent the request is what CallerFrom
// gives, the id of the key. Events hold the key itself and are never logged.
package gateway
