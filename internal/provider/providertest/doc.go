// Package providertest is the conformance suite of wire formats: Run holds a
// provider against what all of them must do, over real HTTP servers on loopback.
//
// A wire format brings a Spec and files in its testdata folder: golden requests
// (request.json, request_flagship.json, request_temperature.json; go test -update
// writes them) and answers as the provider sends them. The suite knows no wire
// format; the Spec says what differs.
package providertest
