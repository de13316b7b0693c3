// Package container tests the image of the Dockerfile: what it holds, what it refuses, and
// that a locked-down container answers, is healthy, and finds its answers again after it was
// replaced. run.sh starts it. It knows the server only through Docker and over HTTP.
package container
