package provider

import "thalas/internal/signal"

// Unexported parts of the prompt, for its tests.

// PromptWithin is NewPrompt with another bound of the document.
func PromptWithin(limit int, pair signal.Pair, timeframe signal.Timeframe, price signal.Number, data signal.MarketData) Prompt {
	return newPrompt(pair, timeframe, price, data, limit)
}

// VersionOf is PromptVersion for another wording.
func VersionOf(system, question, schema string) string {
	return promptVersion(system, question, []byte(schema))
}
