package secrets_test

// A Secrets Manager that uses the real protocol over connections in memory, so that the
// client of the SDK works with the fake clock of synctest.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"go.uber.org/goleak"

	"thalas/internal/provider"
	"thalas/internal/secrets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretID = "thalas/provider-keys"
	maxAge   = 5 * time.Minute
	keyA     = "planted-test-key-A"
	keyB     = "planted-test-key-B"
	keyO     = "planted-test-key-O"
)

var known = []string{"anthropic", "openai", "gemini", "grok"}

// manager is a Secrets Manager that answers calls by its script.
type manager struct {
	*httptest.Server
	client *secretsmanager.Client
	log    *bytes.Buffer
	logger *slog.Logger

	mu     sync.Mutex
	script func(call int) answer // guarded by mu
	calls  []time.Time           // guarded by mu
}

// answer is one answer of the service.
type answer struct {
	after  time.Duration // how long it takes
	status int           // 0: 200
	body   string
}

func value(document string) answer {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return answer{body: fmt.Sprintf(`{"ARN":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:thalas/provider-keys-AbCdEf","CreatedDate":1.5E9,"Name":"thalas/provider-keys","SecretString":%s,"VersionId":"EXAMPLE1-90ab-cdef-fedc-ba987SECRET1","VersionStages":["AWSCURRENT"]}`, text)}
}

func keysValue(anthropic string) answer {
	return value(fmt.Sprintf(`{"ANTHROPIC_API_KEY":%q,"OPENAI_API_KEY":%q}`, anthropic, keyO))
}

func refusal(status int, code, message string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"__type":%q,"Message":%q}`, code, message)}
}

var (
	noValue   = refusal(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	denied    = refusal(400, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/consensus is not authorized to perform: secretsmanager:GetSecretValue")
	throttled = refusal(400, "ThrottlingException", "Rate exceeded")
	broken    = refusal(500, "InternalServiceError", "An error occurred on the server side.")
	hangs     = answer{after: time.Hour}
)

func always(a answer) func(int) answer { return func(int) answer { return a } }

// first gives the answers one after the other, and repeats the last one.
func first(answers ...answer) func(int) answer {
	return func(call int) answer { return answers[min(call, len(answers))-1] }
}

func (m *manager) answers(script func(call int) answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.script, m.calls = script, nil
}

// count gives the number of calls since the script was set.
func (m *manager) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.calls)
}

func (m *manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ SecretID string }
	err := json.NewDecoder(r.Body).Decode(&asked)
	if target := r.Header.Get("X-Amz-Target"); err != nil || target != "secretsmanager.GetSecretValue" || asked.SecretID != secretID {
		http.Error(w, fmt.Sprintf("%s %q %v", target, asked.SecretID, err), http.StatusNotImplemented)
		return
	}
	m.mu.Lock()
	m.calls = append(m.calls, time.Now())
	a := m.script(len(m.calls))
	m.mu.Unlock()
	select {
	case <-time.After(a.after):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write([]byte(a.body))
}

// source makes a Source over the service.
func (m *manager) source() *secrets.Source {
	return secrets.New(m.client, secrets.Options{Providers: known, SecretID: secretID, MaxAge: maxAge, Logger: m.logger})
}

// withManager runs a test with the fake clock, and a service with keys of two providers.
func withManager(t *testing.T, test func(t *testing.T, m *manager)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &memory{dialled: make(chan net.Conn), closed: make(chan struct{})}
		m := &manager{script: always(keysValue(keyA)), log: &bytes.Buffer{}}
		m.logger = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		m.Server = &httptest.Server{Listener: network, Config: &http.Server{Handler: m}}
		m.Start()
		transport := &http.Transport{DialContext: network.dial}
		m.client = secretsmanager.New(secretsmanager.Options{
			Region: "eu-central-1", BaseEndpoint: aws.String("http://secretsmanager.test"), HTTPClient: &http.Client{Transport: transport},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			}),
		})
		defer m.Close()
		defer transport.CloseIdleConnections()
		test(t, m)
		for _, secret := range []string{keyA, keyB, keyO} {
			if strings.Contains(m.log.String(), secret) {
				t.Errorf("a key is in the log:\n%s", m.log)
			}
		}
	})
}

// memory is a network with one server.
type memory struct {
	dialled chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (n *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.dialled <- server:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *memory) Accept() (net.Conn, error) {
	select {
	case c := <-n.dialled:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *memory) Close() error   { n.once.Do(func() { close(n.closed) }); return nil }
func (n *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }

// revealed gives keys as texts, to compare them.
func revealed(keys map[string]provider.Key) map[string]string {
	texts := map[string]string{}
	for name, key := range keys {
		texts[name] = key.Reveal()
	}
	return texts
}

// wantKeys asks for the keys and compares them.
func wantKeys(t *testing.T, s *secrets.Source, want ...string) {
	t.Helper()
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantPairs(t, keys, want...)
}
