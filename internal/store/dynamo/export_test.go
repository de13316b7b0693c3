package dynamo

// EncodeResult is for tests that fill a table without Record.
var EncodeResult = encodeResult
