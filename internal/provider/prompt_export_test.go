package provider

import "thalas/internal/signal"

// The parts of the prompt that the outside has no say in, for its tests.

// PromptWithin is NewPrompt for another bound of the document.
func PromptWithin(limit int, pair signal.Pair, timeframe signal.Timeframe, price signal.Number, data signal.MarketData) Prompt {
	return newPrompt(pair, timeframe, price, data, limit)
}

// VersionOf is the version that other words would have.
func VersionOf(system, question, schema string) string {
	return promptVersion(system, question, []byte(schema))
}
