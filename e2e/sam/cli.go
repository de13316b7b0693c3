// Package sam runs the SAM command line, which runs the functions of template.yaml in
// containers. It builds them, starts SAM's copy of API Gateway, and finds the address at
// which a container reaches this machine.
//
// Its test is `make e2e-sam`; run.sh finds or starts a Docker engine first.
package sam

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"thalas/e2e/backends"
)

// Architecture is this machine's processor as the template names it. A container runs
// programs for another one slowly or not at all.
func Architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// CLI runs the command line.
type CLI struct {
	tool   string
	root   string // with template.yaml
	folder string // for what it builds, and for its settings
}

// New finds the command line, in .tools/sam below root or in the path. It builds into
// folder.
func New(root, folder string) (*CLI, error) {
	tool := filepath.Join(root, ".tools/sam/bin/sam")
	if _, err := os.Stat(tool); err != nil {
		if tool, err = exec.LookPath("sam"); err != nil {
			return nil, errors.New("the SAM command line is neither in .tools/sam nor in the path: run e2e/template/install.sh")
		}
	}
	return &CLI{tool: tool, root: root, folder: folder}, nil
}

// command prepares a run of sam. It leaves out the caller's AWS variables and provider
// keys, since sam would hand real credentials on to the functions.
func (c *CLI) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, c.tool, args...)
	command.Dir = c.root
	command.Env = slices.DeleteFunc(os.Environ(), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SAM_") || strings.HasSuffix(strings.TrimSuffix(name, "_FILE"), "_API_KEY")
	})
	command.Env = append(command.Env,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=eu-central-1",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		// sam local asks AWS for the account, and waits ten seconds each time if nobody answers.
		"AWS_ENDPOINT_URL_STS=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1",
		"SAM_CLI_TELEMETRY=0", "PYTHONUNBUFFERED=1", "GOARCH="+runtime.GOARCH)
	// An interrupt, as Ctrl-C sends it, makes sam remove its containers. After a minute sam is killed.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	alone(command)
	return command
}

// Run runs sam to its end and returns its standard output. An error has the end of its
// output.
func (c *CLI) Run(ctx context.Context, args ...string) (output string, err error) {
	command := c.command(ctx, args...)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("sam %s: %w\n%s%s", strings.Join(args, " "), err, tail(log.Bytes()), tail(out.Bytes()))
	}
	return out.String(), nil
}

func tail(output []byte) []byte { return output[max(0, len(output)-4000):] }

// Build builds the functions for this machine.
func (c *CLI) Build(ctx context.Context) error {
	_, err := c.Run(ctx, "build", "--build-dir", filepath.Join(c.folder, "build"), "--cache-dir", filepath.Join(c.folder, "cache"),
		"--parameter-overrides", "Architecture="+Architecture())
	return err
}

// Configure sets these variables for all functions. Only variables that the template
// declares have an effect.
func (c *CLI) Configure(environment map[string]string) error {
	text, err := json.MarshalIndent(map[string]map[string]string{"Parameters": Declared(environment)}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.settings(), text, 0o600)
}

func (c *CLI) settings() string { return filepath.Join(c.folder, "env.json") }

// local returns the arguments of sam local for the built functions. It does not fetch the
// image.
func (c *CLI) local(command string, more ...string) []string {
	return append([]string{
		"local", command, "--template", filepath.Join(c.folder, "build/template.yaml"), "--env-vars", c.settings(),
		"--parameter-overrides", "Architecture=" + Architecture(), "--skip-pull-image",
	}, more...)
}

// Invoke runs a function once in a container of its own, and returns its answer.
func (c *CLI) Invoke(ctx context.Context, function, event string) (answer []byte, err error) {
	output, err := c.Run(ctx, c.local("invoke", function, "--event", event)...)
	return bytes.TrimSpace([]byte(output)), err
}

// Image is the image in which sam local runs the functions.
func Image() string { return "public.ecr.aws/lambda/provided:al2023-" + Architecture() }

// Pull fetches the image unless it is there.
func Pull(ctx context.Context, progress io.Writer) error {
	if exec.CommandContext(ctx, "docker", "image", "inspect", Image()).Run() == nil {
		return nil
	}
	pull := exec.CommandContext(ctx, "docker", "pull", Image())
	pull.Stdout, pull.Stderr = progress, progress
	if err := pull.Run(); err != nil {
		return fmt.Errorf("docker pull %s: %w. Without a registry e2e/sam/image.sh makes a stand-in", Image(), err)
	}
	return nil
}

// Reach asks the Docker engine how a container reaches this machine. If the engine's
// bridge is on this machine, as on Linux, it is at the bridge's address, where nobody else
// can reach it. If the engine is in a virtual machine, as with Docker Desktop, there is a
// name for this machine.
func Reach(ctx context.Context) (backends.Reach, error) {
	output, err := exec.CommandContext(ctx, "docker", "network", "inspect", "bridge", "--format", `{{index .Options "com.docker.network.bridge.name"}}`).CombinedOutput()
	said := strings.TrimSpace(string(output))
	if err != nil {
		return backends.Reach{}, fmt.Errorf("no Docker engine answers (%w): %s", err, said)
	}
	if bridge, err := net.InterfaceByName(said); err == nil {
		addresses, err := bridge.Addrs()
		if err != nil {
			return backends.Reach{}, err
		}
		for _, address := range addresses {
			if ip, _, err := net.ParseCIDR(address.String()); err == nil && ip.To4() != nil {
				return backends.Reach{Listen: ip.String()}, nil
			}
		}
	}
	return backends.Reach{Listen: "127.0.0.1", Name: "host.docker.internal"}, nil
}
