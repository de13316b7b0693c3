package container

// The image, and containers of it.

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"thalas/internal/signal"
)

const (
	user        = 65532
	largest     = 40_000_000 // bytes
	providerKey = "planted-openai-key"
	callerKey   = "test-key-of-a-caller"
	question    = `{"pair":"BTC/USDT","timeframe":"5m","current_price":50000,"market_data":{"rsi":65.5,"macd":12}}`
	patience    = time.Minute
)

// image is the built image, and a volume for its data.
type image struct{ name, volume string }

func TestImage(t *testing.T) {
	if os.Getenv("THALAS_E2E_CONTAINER") == "" {
		t.Skip("it needs a Docker engine: make e2e-container")
	}
	unique := fmt.Sprintf("thalas-test-%d", os.Getpid())
	i := image{name: unique + ":test", volume: unique}
	docker(t, "build", "--quiet", "--target", "prebuilt", "--build-arg", "VERSION=test", "--tag", i.name, "../..")
	docker(t, "volume", "create", i.volume)
	t.Cleanup(func() {
		for _, args := range [][]string{{"volume", "rm", "--force", i.volume}, {"rmi", "--force", i.name}} {
			_ = exec.Command("docker", args...).Run()
		}
	})
	t.Run("holds", i.holds)
	t.Run("refuses", i.refuses)
	t.Run("keeps", i.keeps)
	t.Run("composes", i.composes)
}

// docker runs a command of Docker and returns what it prints.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "docker", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			output = append(output, exit.Stderr...)
		}
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// locked are the options of a container that can do as little as docs/containers.md says.
func (i image) locked(more ...string) []string {
	return append([]string{"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}, more...)
}

// writeKey writes a key that the user of the image may read. Only root can give a file away.
func writeKey(t *testing.T, path, key string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(key), 0o400); err != nil {
		t.Fatal(err)
	}
	if os.Chown(path, user, user) != nil {
		if err := os.Chmod(path, 0o444); err != nil {
			t.Fatal(err)
		}
	}
}

// keyFile gives the options that hand a key over.
func keyFile(t *testing.T, key string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	writeKey(t, path, key)
	const inside = "/run/secrets/openai_api_key"
	return []string{"--volume", path + ":" + inside + ":ro", "--env", "OPENAI_API_KEY_FILE=" + inside}
}

func (i image) holds(t *testing.T) {
	var size int
	var config struct {
		User   string
		Labels map[string]string
	}
	if err := errors.Join(
		json.Unmarshal([]byte(docker(t, "image", "inspect", "--format", "{{.Size}}", i.name)), &size),
		json.Unmarshal([]byte(docker(t, "image", "inspect", "--format", "{{json .Config}}", i.name)), &config),
	); err != nil {
		t.Fatal(err)
	}
	t.Logf("the image has %.1f MB", float64(size)/1e6)
	if size > largest {
		t.Errorf("the image has %d bytes, more than %d", size, largest)
	}
	if config.User != fmt.Sprintf("%d:%d", user, user) || config.Labels["org.opencontainers.image.version"] != "test" {
		t.Errorf("user %s, labels %v", config.User, config.Labels)
	}
	id := docker(t, "create", i.name)
	defer docker(t, "rm", id)
	exported, err := exec.CommandContext(t.Context(), "docker", "export", id).Output()
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(bytes.NewReader(exported))
	var files []string
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		isData := h.Name == "data/"
		if h.Typeflag != tar.TypeSymlink && h.Mode&0o6002 != 0 || (h.Uid != 0) != isData || isData && h.Uid != user {
			t.Errorf("%s has the mode %o and the owner %d", h.Name, h.Mode, h.Uid)
		}
		if strings.HasPrefix(h.Name, "etc/ssl/") && h.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(archive)
			if err != nil || !x509.NewCertPool().AppendCertsFromPEM(text) {
				t.Errorf("%s has no certificate, %v", h.Name, err)
			}
		}
		// The engine makes these in every container.
		made := []string{".dockerenv", "dev/", "proc/", "sys/", "etc/hosts", "etc/hostname", "etc/mtab", "etc/resolv.conf"}
		if !slices.ContainsFunc(made, func(m string) bool { return strings.HasPrefix(h.Name, m) }) && !strings.HasSuffix(h.Name, "/") || isData {
			files = append(files, h.Name)
		}
	}
	want := []string{"data/", "etc/ssl/certs/ca-certificates.crt", "licences/LICENSE", "licences/THIRD_PARTY_LICENCES", "usr/local/bin/thalas"}
	if slices.Sort(files); !slices.Equal(files, want) {
		t.Errorf("the image holds %q, want %q", files, want)
	}
}

func (i image) refuses(t *testing.T) {
	tests := []struct {
		name    string
		options []string
		want    string
	}{
		{"others could ask without a key", nil, "no API_KEYS are set"},
		{"an empty key file", keyFile(t, "\n"), "OPENAI_API_KEY_FILE names a file that is empty"},
		{"the key of the file is set too", append(keyFile(t, providerKey), "--env", "OPENAI_API_KEY="+providerKey), "OPENAI_API_KEY_FILE and OPENAI_API_KEY are both set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"run", "--rm", "--network", "none"}, i.locked(test.options...)...)
			output, err := exec.CommandContext(t.Context(), "docker", append(args, i.name)...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(output), test.want) || strings.Contains(string(output), providerKey) {
				t.Errorf("%v, want exit status 2 and %q:\n%s", err, test.want, output)
			}
		})
	}
}

// keeps asks one container, and finds the answer again in another one that has its volume.
func (i image) keeps(t *testing.T) {
	key := keyFile(t, providerKey+"\n")
	c := i.start(t, key)
	c.waitHealthy(t)
	if who := docker(t, "top", c.id, "-eo", "pid,uid,args"); !strings.Contains(who, fmt.Sprint(user)+" ") {
		t.Errorf("it runs as another user than %d:\n%s", user, who)
	}
	var asked signal.Consensus
	body := c.send(t, http.MethodPost, "/v1/consensus", question)
	if err := json.Unmarshal([]byte(body), &asked); err != nil || !asked.Simulated || len(asked.Responses) != 3 {
		t.Fatalf("got %s, %v", body, err)
	}
	t.Logf("memory after a question: %s", docker(t, "stats", "--no-stream", "--format", "{{.MemUsage}}", c.id))
	c.stop(t)

	c = i.start(t, key)
	c.waitHealthy(t)
	// What is read has the outcome too.
	if read := c.send(t, http.MethodGet, "/v1/consensus/"+asked.ID, ""); !strings.HasPrefix(read, strings.TrimSuffix(strings.TrimSpace(body), "}")) {
		t.Errorf("read back:\n%s\nanswered:\n%s", read, body)
	}
	c.stop(t)
}

// composes runs compose.yaml as it is, but for a free port, the name of the image, and the
// simulator in the place of Ollama, of OpenAI and of the venues.
func (i image) composes(t *testing.T) {
	if os.Getenv("THALAS_COMPOSE") == "" {
		t.Skip("compose.yaml is not run: Compose is missing (Debian: docker-compose)")
	}
	text, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := string(text)
	const elsewhere = "http://ollama:11434/"
	for old, replacement := range map[string]string{
		"    build: .\n":           "",
		"    image: thalas\n":      "    image: " + i.name + "\n",
		"    image: ollama/ollama": "    image: " + i.name + "\n    command: [simulate, --listen, ':11434']",
		"127.0.0.1:8787:8787":      "127.0.0.1::8787",
		"    environment:\n      API_KEYS": "    environment:\n      OPENAI_BASE_URL: " + elsewhere + "openai\n      KRAKEN_BASE_URL: " + elsewhere +
			"\n      COINBASE_BASE_URL: " + elsewhere + "\n      OKX_BASE_URL: " + elsewhere + "\n      API_KEYS",
	} {
		if strings.Count(file, old) != 1 {
			t.Fatalf("compose.yaml does not have %q once", old)
		}
		file = strings.Replace(file, old, replacement, 1)
	}
	folder := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "compose.yaml"), []byte(file), 0o600), os.Mkdir(filepath.Join(folder, "secrets"), 0o700)); err != nil {
		t.Fatal(err)
	}
	writeKey(t, filepath.Join(folder, "secrets", "openai_api_key"), providerKey+"\n")
	compose := func(args ...string) string {
		t.Helper()
		command := append(strings.Fields(os.Getenv("THALAS_COMPOSE")), "--project-name", i.volume, "--file", filepath.Join(folder, "compose.yaml"), "--profile", "ollama")
		run := exec.Command(command[0], append(command[1:], args...)...)
		run.Env = append(os.Environ(), fmt.Sprintf("API_KEYS=%x", sha256.Sum256([]byte(callerKey))),
			`PROVIDERS_FILE={"providers":[{"name":"local","preset":"ollama","model":"qwen3:8b","effort":"none","base_url":"`+elsewhere+`ollama/v1"}]}`)
		var said strings.Builder
		run.Stderr = &said
		output, err := run.Output()
		if err != nil {
			t.Errorf("compose %s: %v\n%s", args, err, said.String())
		}
		return strings.TrimSpace(string(output))
	}
	t.Cleanup(func() { compose("down", "--volumes") })
	compose("up", "--detach")
	c := running{id: compose("ps", "--quiet", "thalas")}
	c.waitLive(t, time.Now())
	c.waitHealthy(t)
	var asked signal.Consensus
	body := c.send(t, http.MethodPost, "/v1/consensus", question)
	if err := json.Unmarshal([]byte(body), &asked); err != nil || len(asked.Responses) != 2 || asked.Responses[0].Provider != "local" || len(asked.Failures) != 0 {
		t.Errorf("got %s, %v, want the votes of local and openai", body, err)
	}
	if bound := docker(t, "inspect", "--format", "{{json .HostConfig.PortBindings}}", c.id); !strings.Contains(bound, `"HostIp":"127.0.0.1"`) {
		t.Errorf("it is open at %s", bound)
	}
	c.stop(t)
}

// running is a container with the server.
type running struct{ id, url string }

func (i image) start(t *testing.T, key []string) running {
	t.Helper()
	began := time.Now()
	args := append([]string{"run", "--detach", "--publish", "127.0.0.1::8787", "--health-interval", "1s", "--volume", i.volume + ":/data",
		"--env", fmt.Sprintf("API_KEYS=%x", sha256.Sum256([]byte(callerKey)))}, i.locked(key...)...)
	c := running{id: docker(t, append(args, i.name, "serve", "--simulate", "true")...)}
	t.Cleanup(func() { _ = exec.Command("docker", "rm", "--force", c.id).Run() })
	c.waitLive(t, began)
	t.Logf("from docker run to the first answer: %s", time.Since(began).Round(time.Millisecond))
	return c
}

// waitLive finds the port and returns when the server answers.
func (c *running) waitLive(t *testing.T, began time.Time) {
	t.Helper()
	address, _, _ := strings.Cut(docker(t, "port", c.id, "8787"), "\n")
	c.url = "http://" + address
	for {
		response, err := client.Get(c.url + "/livez")
		if err == nil {
			response.Body.Close()
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%v; it says:\n%s", err, c.log(t))
		}
	}
}

// waitHealthy returns when the engine says that the container is healthy.
func (c running) waitHealthy(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events := exec.CommandContext(ctx, "docker", "events", "--since", "2m", "--filter", "container="+c.id, "--filter", "event=health_status", "--format", "{{.Action}}")
	output, err := events.StdoutPipe()
	if err != nil || events.Start() != nil {
		t.Fatal("docker events does not start")
	}
	defer func() { cancel(); _ = events.Wait() }()
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if lines.Text() == "health_status: healthy" {
			return
		}
	}
	t.Fatalf("it did not become healthy: %s\n%s", docker(t, "inspect", "--format", "{{json .State.Health}}", c.id), c.log(t))
}

// stop ends the container as docs/containers.md tells, and removes it.
func (c running) stop(t *testing.T) {
	t.Helper()
	docker(t, "stop", "--time", "45", c.id)
	if status := docker(t, "inspect", "--format", "{{.State.ExitCode}}", c.id); status != "0" {
		t.Errorf("it ended with the exit status %s:\n%s", status, c.log(t))
	}
	for _, shown := range []string{c.log(t), docker(t, "inspect", c.id)} {
		if strings.Contains(shown, providerKey) || strings.Contains(shown, callerKey) {
			t.Errorf("a key shows in %s", shown)
		}
	}
	docker(t, "rm", c.id)
}

// log is what the container has written.
func (c running) log(t *testing.T) string {
	output, err := exec.CommandContext(t.Context(), "docker", "logs", c.id).CombinedOutput()
	if err != nil {
		t.Errorf("docker logs: %v", err)
	}
	return string(output)
}

var client = &http.Client{Timeout: patience}

func (c running) send(t *testing.T, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Api-Key", callerKey)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v: %s", method, path, response.StatusCode, err, answer)
	}
	return string(answer)
}
