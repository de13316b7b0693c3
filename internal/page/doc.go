// Package page is what a person opens in a browser: a shell of static files
// that is embedded in the program and reads the public API with the caller's
// key. It holds no data, so it needs no key itself.
//
// It knows nothing of the other packages. Its files are served as they are
// written: there is no build step, no inline script or style, and no address of
// another host, so that the strictest policy works. libraries.txt names the
// libraries among them with version, licence and checksum.
package page
