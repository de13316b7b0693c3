// Package gateway lets an http.Handler answer requests from API Gateway: proxy events of a
// REST API (payload format 1.0) become http.Requests, and what the handler writes becomes
// the answer to the event. The handler runs in the goroutine and under the context of the
// invocation, and that context ends with the answer.
//
// What API Gateway sends, and how it is used:
//   - The path is escaped as the client has sent it, so %2F in an id stays a part of the
//     id. It has no stage, but under a custom domain it begins with the base path mapping,
//     which is removed by comparing the path with the resource that API Gateway has
//     matched. requestContext.path has stage and base path, and is used only if there is
//     no path.
//   - Query strings are decoded, and are encoded again.
//   - Headers and query strings come twice: as lists and with one value each. The lists
//     count, and names that only the other map has are added.
//   - A body may be in base64.
//   - sam local decodes the path. Bytes that are not allowed in a path are escaped again,
//     but a decoded %2F stays a slash.
//
// The request id of API Gateway replaces any X-Request-Id of the client, because the access
// log and the answers of API Gateway itself have that id. API Gateway has checked the API
// key, so the header x-api-key is not passed on; [CallerFrom] gives the id of the key.
// Events hold the key itself and are never logged.
package gateway
