// Package contract compares the wire formats with the official Go SDKs of Anthropic, OpenAI
// and Google. The types of the SDKs must know every field of the requests that the adapters
// send, and their clients must send the same method, path and headers. They must read the
// fixtures of answers, the error bodies and the simulator as the adapters do.
//
// It has only tests. It is a module of its own, so that no SDK is linked into the product or
// affects the versions of its modules. It uses no network but 127.0.0.1, takes no key
// from the environment, and makes each call once. xAI has no Go SDK and recommends that of
// OpenAI for Grok. So Grok is compared with that one; the tests name the fields of xAI that
// go beyond it.
//
// To compare with newer SDKs: in this folder, go get the new versions of the three modules
// (github.com/anthropics/anthropic-sdk-go, github.com/openai/openai-go/v3,
// google.golang.org/genai), then go mod tidy and go test. If an SDK no longer has a field, the
// two requests differ. Add a new word for the end of an answer, a new effort or a new type
// of error to the tables in the file of the provider. After a change of the requirements in
// the go.mod of the repository, run go mod tidy here too.
package contract
