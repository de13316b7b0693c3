// Package endpoint has what is the same for every foreign HTTP service that this
// program calls, a model provider or a venue: the notations of its base URL, how long
// it asks to be left alone, and the pages that proxies send in its place.
//
// It makes no request, and it knows neither keys nor what the services answer.
package endpoint
