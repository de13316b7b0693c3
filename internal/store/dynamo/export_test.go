package dynamo

// EncodeResult gives a result's item to tests that fill a table faster than runs do.
var EncodeResult = encodeResult
