package provider

// Prompt is what the models are asked: the same words for all of them.
type Prompt struct {
	System string // role, task and rules
	User   string // the market data, fenced as data
}
