// Package sam drives the SAM command line, which runs the functions of
// template.yaml in containers: it builds them, starts its copy of API Gateway, and
// finds the address at which a container reaches this machine.
//
// Its test is `make e2e-sam`: run.sh finds or starts a Docker engine first.
package sam
