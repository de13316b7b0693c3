// Package api is the HTTP contract: it reads requests strictly, asks the
// service, and answers in the documented shapes. The OpenAPI document is made of
// the same Go types and of the one table of problems, never written by hand.
//
// Every mistake of a request is found before the service is asked, and all are
// reported together with their places. No answer shows internal text: what is
// unexpected is logged with the request id, and the caller gets the id to quote.
// A run that failed is an error here, never a HOLD.
//
// The handler keeps no state beyond the service and knows nothing of how it is
// reached: net/http, a Lambda adapter and a test look the same to it.
package api
