// Package simulator is an HTTP server that speaks the wire formats of Anthropic,
// OpenAI, Gemini and Grok, for demonstrations, tests and benchmarks: no key, no
// cost, no network.
//
// Each provider lies below a path of its name (/anthropic/v1/messages,
// /openai/v1/chat/completions, /gemini/v1beta/models/{model}:generateContent,
// /grok/v1/chat/completions), so that its base URL is the server's with that
// name. Requests are checked as the services check them, and refused in each
// service's own words. The votes come from one plain rule a provider, computed
// from the market data in the prompt; faults can be scripted by provider and
// request. Streams and tools are not spoken: their fields are refused like
// unknown ones.
//
// The package is a second, independent reading of the wire formats: it must not
// import the adapters that it is there to test, nor share their types. The same
// options and the same requests in the same order give the same bodies. Keys are
// never kept: a recorded request holds the names of its headers only. Nothing
// outlives Running.Close.
package simulator
