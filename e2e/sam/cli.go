package sam

// The command line as a child process.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Architecture is the template's word for the processor of this machine: a
// container runs nothing else at full speed.
func Architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// CLI is the command line, on the stack in a folder.
type CLI struct {
	tool   string
	root   string // with template.yaml
	folder string // what it builds, and its settings
}

// New finds the command line, in .tools/sam below root or in the path. What it
// makes goes into folder.
func New(root, folder string) (*CLI, error) {
	tool := filepath.Join(root, ".tools/sam/bin/sam")
	if _, err := os.Stat(tool); err != nil {
		if tool, err = exec.LookPath("sam"); err != nil {
			return nil, errors.New("the SAM command line is neither in .tools/sam nor in the path: run e2e/template/install.sh")
		}
	}
	return &CLI{tool: tool, root: root, folder: folder}, nil
}

// command is sam about to be run. Nothing of the caller's AWS set-up gets to it,
// since it would hand real credentials on to the functions.
func (c *CLI) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, c.tool, args...)
	command.Dir = c.root
	command.Env = slices.DeleteFunc(os.Environ(), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SAM_") || strings.HasSuffix(name, "_API_KEY")
	})
	command.Env = append(command.Env,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=eu-central-1",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		// sam local asks whose account it is: ten seconds each time where no AWS answers.
		"AWS_ENDPOINT_URL_STS=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1",
		"SAM_CLI_TELEMETRY=0", "PYTHONUNBUFFERED=1", "GOARCH="+runtime.GOARCH)
	// As Ctrl-C does: sam then removes its containers. What stays is killed.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	alone(command)
	return command
}

// Run runs it to the end and gives what it prints. An error has the end of that.
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

// Configure gives all functions these variables. Only those that the template
// declares have an effect.
func (c *CLI) Configure(environment map[string]string) error {
	text, err := json.MarshalIndent(map[string]map[string]string{"Parameters": Declared(environment)}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.settings(), text, 0o600)
}

func (c *CLI) settings() string { return filepath.Join(c.folder, "env.json") }

// local are the flags of sam local on what has been built. The image has to be
// there: fetching it is not tried.
func (c *CLI) local(command string, more ...string) []string {
	return append([]string{
		"local", command, "--template", filepath.Join(c.folder, "build/template.yaml"), "--env-vars", c.settings(),
		"--parameter-overrides", "Architecture=" + Architecture(), "--skip-pull-image",
	}, more...)
}

// Invoke runs a function once in a container of its own, and gives its answer.
func (c *CLI) Invoke(ctx context.Context, function, event string) (answer []byte, err error) {
	output, err := c.Run(ctx, c.local("invoke", function, "--event", event)...)
	return bytes.TrimSpace([]byte(output)), err
}

// Image is what sam local runs the functions in.
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
