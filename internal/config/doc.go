// Package config turns environment variables into one validated Config. The
// environment is read once, at start; afterwards only values are passed on.
//
// The tags of Config and Provider are the single list of variables: reading,
// checking, the warnings about misspelt names and docs/configuration.md all
// follow from them. To add a variable, add a field with its tags.
//
// It must not know which providers exist (they are passed in), read files or
// open connections. Invariants: a Config without an error keeps every limit of
// its tags, and no text that leaves the package holds the value of an API key.
package config
