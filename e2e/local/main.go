// Command local runs the stack of template.yaml on this machine, by sam local in Docker,
// so that it can be tried without an account. It starts DynamoDB Local, moto's Secrets
// Manager and, if no provider key is given, the simulator in place of the models. It runs
// until Ctrl-C and stores nothing.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"thalas/e2e/backends"
	"thalas/e2e/sam"
)

func main() {
	port := flag.Int("port", 3000, "where the API is served on this machine")
	envFile := flag.String("env-file", ".env", "variables of the functions, NAME=value in each line; keys of providers go into the secret")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, *port, *envFile, os.Stdout, os.Stderr)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, port int, envFile string, out, log io.Writer) (err error) {
	keys, variables, err := readEnv(envFile)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "thalas-local-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	cli, err := sam.New(root, folder)
	if err != nil {
		return err
	}
	reach, err := sam.Reach(ctx)
	if err != nil {
		return fmt.Errorf("%w: start Docker", err)
	}
	if err := sam.Pull(ctx, log); err != nil {
		return err
	}
	fmt.Fprintln(log, "Building the functions and starting DynamoDB Local and moto …")
	if err := cli.Build(ctx); err != nil {
		return err
	}
	servers, err := backends.Start(ctx, backends.Options{Reach: reach, Keys: keys})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.Close()) }()
	environment := servers.Environment()
	maps.Copy(environment, variables)
	if err := cli.Configure(environment); err != nil {
		return err
	}
	api, err := cli.StartAPI(ctx, port, log)
	if err != nil {
		return err
	}
	defer api.Stop()
	if len(keys) == 0 {
		fmt.Fprintf(out, "\nSIMULATED: %s has no key of a provider, so the built-in simulator answers in the place of the models.\nThe functions can't know that: the answers do not say so.\n", envFile)
	}
	fmt.Fprintf(out, `
The stack answers at %s, with no API key. The first request of each function starts its container. Try:

  curl -s %s/v1/consensus -H 'content-type: application/json' \
    -d '{"pair": "BTC/USDT", "timeframe": "5m", "current_price": 50000, "market_data": {"rsi": 28.5, "macd": -150}}'

Ctrl-C ends it. Nothing is kept.
`, api.URL, api.URL)
	select {
	case <-ctx.Done():
		fmt.Fprintln(log, "Ending: containers and servers are removed.")
		return nil
	case <-api.Ended():
		return errors.New("sam local start-api has ended; what it said is above")
	}
}

// readEnv reads NAME=value lines, and returns the keys of providers and the other
// variables. The file may be missing.
func readEnv(path string) (keys, variables map[string]string, err error) {
	keys, variables = map[string]string{}, map[string]string{}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keys, variables, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !found {
			return nil, nil, fmt.Errorf("%s, line %d is not NAME=value", path, n) // the line may be a key
		}
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		if name = strings.TrimSpace(name); strings.HasSuffix(name, "_API_KEY") {
			keys[name] = value
		} else {
			variables[name] = value
		}
	}
	return keys, variables, lines.Err()
}
