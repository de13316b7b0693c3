// Package contract holds the wire shapes against something that this project did
// not write: the official Go SDKs of Anthropic, OpenAI and Google. Their types
// must understand every field of the questions that the adapters send, and their
// clients must send the same method, path and headers; they must read the answer
// fixtures, the error bodies and the simulator as the adapters do. It is tests
// only, in a module of its own, so that no SDK is ever linked into the product or
// steers the versions that the product is built with. It reaches no network but
// 127.0.0.1, takes no key from the environment and asks everything once. xAI has
// no Go SDK and documents OpenAI's for Grok, so Grok is held against that one;
// where xAI's own fields go beyond it, the test says so.
//
// To check against newer SDKs: in this folder, go get the three modules
// (github.com/anthropics/anthropic-sdk-go, github.com/openai/openai-go/v3,
// google.golang.org/genai) at their new versions, then go mod tidy and go test.
// A field that an SDK has dropped or renamed shows as a difference between the
// two requests; a new word for the end of an answer, a new effort or error type
// has to be added to the tables of that provider's file by hand. After a change
// of the requirements in the repository's go.mod, run go mod tidy here too.
package contract
