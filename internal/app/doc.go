// Package app builds the service from a configuration: everything that requests need is
// made once. It is the only package that names every provider. It knows all other packages
// but the simulator and the embedded store: only the command line links those, and passes
// them in.
package app
