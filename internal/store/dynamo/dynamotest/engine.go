package dynamotest

// The two engines: where they are installed, and how they are started.

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// Engine is an implementation of DynamoDB.
type Engine struct {
	Name string

	// Serial means that a condition and its write are not atomic, so that requests must
	// come one after the other.
	Serial bool

	installed string // pattern of a file below the repository that exists if it is installed
	command   func(root string) (arguments []string, address string, err error)
	address   func(output []byte) string // reads the engine's own address in its output; nil: command gives it
	greeting  int                        // status of its answer to a plain GET, by which it is told from another server on the port; 0: any
}

var (
	// Local is DynamoDB Local, from Maven; it needs Java.
	Local = Engine{
		Name:      "DynamoDB Local",
		installed: ".tools/dynamodb/lib/DynamoDBLocal-*.jar",
		greeting:  http.StatusBadRequest,
		command: func(root string) ([]string, string, error) {
			port, err := freePort()
			if err != nil {
				return nil, "", err
			}
			return []string{
				"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", filepath.Join(root, ".tools/dynamodb/lib", "*"),
				"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", strconv.Itoa(port),
			}, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
		},
	}

	// Moto is moto's server, from PyPI.
	Moto = Engine{
		Name:      "moto",
		Serial:    true,
		installed: ".tools/moto/bin/moto_server",
		command: func(root string) ([]string, string, error) {
			return []string{filepath.Join(root, ".tools/moto/bin/moto_server"), "-H", "127.0.0.1", "-p", "0"}, "", nil
		},
		address: func(output []byte) string {
			if said := saysAddress.FindSubmatch(output); said != nil {
				return string(said[1])
			}
			return ""
		},
	}

	// Engines are both.
	Engines = []Engine{Local, Moto}
)

var saysAddress = regexp.MustCompile(`Running on http://(127\.0\.0\.1:\d+)\s`)

// NotInstalled is the error of an engine that is not there.
type NotInstalled struct {
	Engine string
}

func (e *NotInstalled) Error() string {
	return e.Engine + " is not installed: run `make aws-servers`"
}

// find gives the repository's root, if the engine is installed below it.
func (e Engine) find() (root string, err error) {
	root, err = os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		above := filepath.Dir(root)
		if above == root {
			return "", fmt.Errorf("no go.mod above %s", root)
		}
		root = above
	}
	if found, _ := filepath.Glob(filepath.Join(root, e.installed)); len(found) == 0 {
		return "", &NotInstalled{Engine: e.Name}
	}
	return root, nil
}

// freePort gives a free port, chosen by the kernel. DynamoDB Local can't choose one itself.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// tail gives the end of a server's output, for an error.
func tail(output []byte) []byte {
	output = bytes.TrimSpace(output)
	return output[max(0, len(output)-1000):]
}
