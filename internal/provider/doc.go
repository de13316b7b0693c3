// Package provider asks language models over their own wire formats. It holds
// what all of them share: the Provider interface and the Registry of those that
// can be asked, the prompt and the JSON schema of an answer, typed errors, the
// one HTTP client and the one retry loop, and the table of models and prices.
//
// Each wire format is a sub-package that implements Wire, about a screen long;
// package providertest is the conformance suite that all of them pass. Nothing
// here knows how votes are counted, or who asks.
package provider
