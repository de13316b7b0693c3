// Package simulator is an HTTP server that speaks the wire formats of Anthropic, OpenAI,
// Gemini and Grok, and the dialects of servers that are compatible with OpenAI, for
// demonstrations, tests and benchmarks: without keys, costs and a network.
//
// Each provider has its own path (/anthropic/v1/messages, /openai/v1/chat/completions,
// /gemini/v1beta/models/{model}:generateContent, /grok/v1/chat/completions), so its base
// URL is that of the server followed by its name. Requests are checked as the services
// check them, and refused in the words of each service. The votes come from one simple rule
// for each provider, applied to the market data in the prompt. Faults can be scripted by
// provider and request. There are no streams and no tools: their fields are refused as
// unknown.
//
// The package is a second, independent reading of the wire formats. It must not import the
// adapters that are tested with it, nor share their types. The same options and the same
// requests in the same order give the same bodies. Keys are never recorded: a [Request]
// has only the names of its headers. Nothing outlives [Running.Close].
package simulator
