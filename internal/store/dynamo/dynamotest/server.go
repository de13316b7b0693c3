package dynamotest

// A server, from its start to its end.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"thalas/internal/store/dynamo"
)

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

// startTime is how long a server may take to answer.
const startTime = time.Minute

// Required is the variable that makes tests fail if an engine is missing; otherwise they
// are skipped. `make e2e` and CI set it to required.
const Required = "THALAS_E2E"

// Start starts an engine and waits until it answers. The error is a [*NotInstalled] if the
// engine is missing and not required.
func Start(ctx context.Context, engine Engine) (*Server, error) {
	root, err := engine.find()
	if err != nil {
		if os.Getenv(Required) == "required" {
			return nil, fmt.Errorf("%s=required: %s", Required, err)
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
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
	arguments, address, err := e.command(root)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "aws-server-")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Engine: e, folder: folder, ended: make(chan struct{}),
		command:   exec.Command("sh", append([]string{"-c", guarded, "sh"}, arguments...)...),
		transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}
	output, err := os.Create(s.output())
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
	if err := s.waitUntilUp(ctx, address); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) output() string { return filepath.Join(s.folder, "output") }

// waitUntilUp sends requests until the engine answers.
func (s *Server) waitUntilUp(ctx context.Context, address string) error {
	for {
		if address == "" {
			said, _ := os.ReadFile(s.output())
			address = s.Engine.address(said)
		}
		if address != "" && s.answers(ctx, "http://"+address) {
			s.URL = "http://" + address
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-s.ended:
		case <-ctx.Done():
		}
		said, _ := os.ReadFile(s.output())
		return fmt.Errorf("%s did not come up; it said: %s", s.Engine.Name, tail(said))
	}
}

func (s *Server) answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := s.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return s.Engine.greeting == 0 || answer.StatusCode == s.Engine.greeting
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

// Do sends a request. It waits for the answer to the one before if the engine is Serial.
func (s *Server) Do(request *http.Request) (*http.Response, error) {
	if s.Engine.Serial {
		s.oneByOne.Lock()
		defer s.oneByOne.Unlock()
	}
	return (&http.Client{Transport: s.transport}).Do(request)
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
