// Package config makes one valid [Config] of the environment variables. They are read once, at
// the start; later code gets values.
//
// The tags of [Config], [Provider] and [Venues] are the only list of variables. Reading,
// checking, the warnings about misspelt names and docs/configuration.md use it. To add a
// variable, add a field with its tags.
//
// It does not know which built-in providers exist, reads no files but PROVIDERS_FILE and those
// with keys, and opens no connections.
// Invariants: a Config without an error is within all limits of its tags, and no text that
// the package gives contains an API key.
package config
