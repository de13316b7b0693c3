// Package app builds the service out of its parts: a configuration goes in,
// everything that a request needs comes out, built once. It is the one place
// that names every provider, and it knows all other packages but those that only
// the command line links (the simulator, the embedded store), which are passed in.
package app
