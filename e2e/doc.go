// Package e2e tests the real binary from outside: it is built once and run as a
// child process, with nothing in its environment but what a test says, against
// servers on loopback. What it prints, its exit code and what it sends are all
// that is looked at; what a part does by itself is tested beside that part.
package e2e
