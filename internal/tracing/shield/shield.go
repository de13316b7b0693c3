// Package shield keeps the X-Ray SDK's package initialization from ending the
// process.
//
// The SDK reads AWS_XRAY_DAEMON_ADDRESS while its packages are initialized, before main.
// It panics if the address is malformed or its host name is unknown, and a slow name
// server delays the start. So this package removes the variable before the SDK reads it,
// and package tracing restores it.
//
// This package is initialized before the SDK. By the language specification packages are
// initialized in the order of their import paths, each after those that it imports. This
// one imports only os, and os imports only packages that sort before "vendor/…"; the SDK
// imports net/http, which imports packages of "vendor/golang.org/x/…". Hence the
// invariant: this package imports os and nothing else.
package shield

import "os"

const daemonAddress = "AWS_XRAY_DAEMON_ADDRESS"

var address, found = hide()

func hide() (string, bool) {
	value, ok := os.LookupEnv(daemonAddress)
	_ = os.Unsetenv(daemonAddress) // fails only for a name that is none
	return value, ok
}

// Lower restores the variable after the SDK has been initialized.
func Lower() {
	if found {
		_ = os.Setenv(daemonAddress, address) // likewise
	}
}
