package provider

// The JSON schema of a ballot: the common denominator of the providers' strict
// modes. Ranges are not in it, since Anthropic refuses them; ParseBallot checks.

import "encoding/json"

// SchemaName is the schema's name, where a wire format wants one.
const SchemaName = "trading_vote"

// Schema is sent with every question, as it stands.
var Schema = json.RawMessage(`{"type":"object","properties":{` +
	`"decision":{"type":"string","enum":["BUY","SELL","HOLD"],"description":"BUY: the price is expected higher, SELL: lower, over the next three candles; HOLD: otherwise or unsure"},` +
	`"confidence":{"type":"number","description":"0 to 1"},` +
	`"reasoning":{"type":"string","description":"the reasons in the data, in at most 80 words"},` +
	`"risk_level":{"type":"string","enum":["low","medium","high"]},` +
	`"stop_loss":{"anyOf":[{"type":"number"},{"type":"null"}],"description":"a price; null for HOLD"},` +
	`"take_profit":{"anyOf":[{"type":"number"},{"type":"null"}],"description":"a price; null for HOLD"}},` +
	`"required":["decision","confidence","reasoning","risk_level","stop_loss","take_profit"],"additionalProperties":false}`)
