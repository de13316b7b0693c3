// Package dynamotest gives tests a DynamoDB without an account: it starts one of two
// servers on this machine, and makes the tables that package dynamo needs.
//
// DynamoDB Local has the real engine for expressions and indexes. Moto is another
// implementation, so that the tests do not depend on the peculiarities of one. Neither of
// them throttles or lags, and neither removes expired items.
//
// `make aws-servers` installs both. A test that needs a missing server is skipped, or
// fails if THALAS_E2E=required is set.
package dynamotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"thalas/internal/store/dynamo"
)

// Engine is an implementation of DynamoDB.
type Engine struct {
	Name string

	// Serial means that a condition and its write are not atomic, so that requests must
	// come one after the other.
	Serial bool

	installed string // pattern of a file below the repository that exists if it is installed
	command   func(root, port string) []string
	greeting  int // status of its answer to a plain GET, which another server on the port is unlikely to give
}

var (
	// Local is DynamoDB Local, from Maven; it needs Java.
	Local = Engine{
		Name: "DynamoDB Local", installed: ".tools/dynamodb/lib/DynamoDBLocal-*.jar", greeting: http.StatusBadRequest,
		command: func(root, port string) []string {
			return []string{
				"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", filepath.Join(root, ".tools/dynamodb/lib", "*"),
				"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port,
			}
		},
	}

	// Moto is moto's server, from PyPI.
	Moto = Engine{
		Name: "moto", Serial: true, installed: ".tools/moto/bin/moto_server", greeting: http.StatusOK,
		command: func(root, port string) []string {
			return []string{filepath.Join(root, ".tools/moto/bin/moto_server"), "-H", "127.0.0.1", "-p", port}
		},
	}

	// Engines are both.
	Engines = []Engine{Local, Moto}
)

// NotInstalled is the error of an engine that is not there.
type NotInstalled struct {
	Engine string
}

func (e *NotInstalled) Error() string {
	return e.Engine + " is not installed: run `make aws-servers`"
}

// root gives the folder below which the engine is installed: the working directory or one
// above it.
func (e Engine) root() (string, error) {
	folder, err := os.Getwd()
	for ; err == nil; folder = filepath.Dir(folder) {
		if found, _ := filepath.Glob(filepath.Join(folder, e.installed)); len(found) > 0 {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", &NotInstalled{Engine: e.Name}
		}
	}
	return "", err
}

// freePort gives a free port, chosen by the kernel.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), listener.Close()
}

// Region is what the servers take requests for.
const Region = "eu-central-1"

// Server is a running engine.
type Server struct {
	Engine Engine
	URL    string

	command   *exec.Cmd
	folder    string         // its output
	alive     io.WriteCloser // the server ends when this is closed, or when this process ends
	ended     chan struct{}
	transport *http.Transport
	oneByOne  sync.Mutex
}

// Required is the variable that makes tests fail if an engine is missing; otherwise they
// are skipped. `make e2e` and CI set it to required.
const Required = "THALAS_E2E"

// Start starts an engine and waits until it answers. The error is a [*NotInstalled] if the
// engine is missing and not required.
func Start(ctx context.Context, engine Engine) (*Server, error) {
	root, err := engine.root()
	if err != nil {
		if os.Getenv(Required) == "required" {
			return nil, fmt.Errorf("%s=required: %s", Required, err)
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// Another process may take the port between its choice and the server's start.
	for attempt := 0; ; attempt++ {
		server, err := engine.start(ctx, root)
		if err == nil || attempt == 2 || ctx.Err() != nil {
			return server, err
		}
	}
}

// guarded is a script that runs a command until the standard input ends. That happens when
// the process at the other end of the pipe ends, even if it is killed.
const guarded = `exec 3<&0; "$@" </dev/null & server=$!
{ cat <&3 >/dev/null; kill -9 "$server" 2>/dev/null; } & wait "$server"`

func (e Engine) start(ctx context.Context, root string) (server *Server, err error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "aws-server-")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Engine: e, URL: "http://" + net.JoinHostPort("127.0.0.1", port), folder: folder, ended: make(chan struct{}),
		command: exec.Command("sh", append([]string{"-c", guarded, "sh"}, e.command(root, port)...)...),
		// A serial engine may close a connection while a request is on its way. The client would
		// send it again, although it may have been counted.
		transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableKeepAlives: e.Serial},
	}
	output, err := os.Create(filepath.Join(folder, "output"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	defer output.Close()
	s.command.Dir, s.command.Stdout, s.command.Stderr = folder, output, output
	if s.alive, err = s.command.StdinPipe(); err == nil {
		err = s.command.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	go func() {
		_ = s.command.Wait()
		close(s.ended)
	}()
	if err := s.waitUntilUp(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// waitUntilUp sends requests until the engine answers.
func (s *Server) waitUntilUp(ctx context.Context) error {
	for !s.answers(ctx) {
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-s.ended:
		case <-ctx.Done():
		}
		output, _ := os.ReadFile(filepath.Join(s.folder, "output"))
		output = bytes.TrimSpace(output)
		return fmt.Errorf("%s did not come up; the end of its output: %s", s.Engine.Name, output[max(0, len(output)-1000):])
	}
	return nil
}

func (s *Server) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return false
	}
	answer, err := s.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == s.Engine.greeting
}

// Stop ends the server and waits for its end.
func (s *Server) Stop() error {
	err := s.alive.Close()
	<-s.ended
	s.transport.CloseIdleConnections()
	return errors.Join(err, os.RemoveAll(s.folder))
}

// Client makes a client of the server, with the options that package dynamo needs and the
// given ones.
func (s *Server) Client(options ...func(*dynamodb.Options)) *dynamodb.Client {
	return Client(s.URL, s, append([]func(*dynamodb.Options){dynamo.Retrying}, options...)...)
}

// Do sends a request. If the engine is Serial, it waits for the whole answer to the one
// before.
func (s *Server) Do(request *http.Request) (*http.Response, error) {
	client := &http.Client{Transport: s.transport}
	if !s.Engine.Serial {
		return client.Do(request)
	}
	s.oneByOne.Lock()
	defer s.oneByOne.Unlock()
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

// Client makes a client of any endpoint, with made-up credentials.
func Client(endpoint string, sender dynamodb.HTTPClient, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: Region, BaseEndpoint: aws.String(endpoint), HTTPClient: sender,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}, options...)
}
