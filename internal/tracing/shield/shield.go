// Package shield keeps the X-Ray SDK's package initialization from ending the
// process.
//
// The SDK reads AWS_XRAY_DAEMON_ADDRESS while its packages are initialized, before
// any code of ours, and panics where the address is malformed or its host name is
// not known; a name that is slow to look up delays the start. So the variable is
// hidden until the SDK is through, and package tracing puts it back.
//
// That this package comes first is no luck. By the language specification the
// packages of a program are initialized in the order of their import paths, each
// as soon as those that it imports have been. This one needs os alone, and all
// below os sort before "vendor/…"; the SDK needs net/http, which needs packages
// of "vendor/golang.org/x/…". Hence its invariant: it imports os and nothing else.
package shield

import "os"

const daemonAddress = "AWS_XRAY_DAEMON_ADDRESS"

var address, found = hide()

func hide() (string, bool) {
	value, ok := os.LookupEnv(daemonAddress)
	_ = os.Unsetenv(daemonAddress) // fails only for a name that is none
	return value, ok
}

// Lower puts back what was hidden, once the SDK has been initialized.
func Lower() {
	if found {
		_ = os.Setenv(daemonAddress, address) // likewise
	}
}
