package dynamo

// EncodeResult is for a benchmark that fills a table without Record.
var EncodeResult = encodeResult
