// Package api is the HTTP contract. It reads requests strictly, asks the service, and
// answers in the documented shapes. The OpenAPI document is made from the same Go types,
// the same tables of fields and the one table of problems.
//
// Every mistake of a request is found before the service is asked, and all are reported
// together with their places. No answer shows internal text: an unexpected error is logged
// with the request id, and the caller gets that id. A run that failed is an error here, and
// never a HOLD.
//
// The handler has no state besides the service, and does not know whether net/http, a
// Lambda adapter or a test calls it.
package api
