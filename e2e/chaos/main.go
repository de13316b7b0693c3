package main

// The command line: the scenarios one after the other, and what became of them.

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"thalas/e2e/process"
)

// chaos is one run of the program.
type chaos struct {
	ctx     context.Context
	out     io.Writer
	folder  string // temporary, for data files and logs
	program string
	seed    uint64
	short   bool
	many    int              // questions of the scenario many
	worst   map[string]int64 // millionths of a USD that one attempt may cost, by provider

	day int // of the year in UTC, on which the scenario began

	mu       sync.Mutex
	scenario string          // guarded by mu: the one under way
	failures []string        // guarded by mu
	leftOut  map[string]bool // guarded by mu: the faults after which a provider is left out, by the scenario faults
	servers  []*server       // guarded by mu: all that were started
	shown    int             // guarded by mu: failures of the scenario that were printed
}

// scenario gives its table for docs/reliability.md. An error ends it; broken promises
// are reported by failf.
type scenario struct {
	name string
	run  func(*chaos) (table string, err error)
}

// scenarios are run in this order.
var scenarios = []scenario{
	{"faults", (*chaos).faults},
	{"random", (*chaos).random},
	{"killed", (*chaos).killed},
	{"damage", (*chaos).damage},
	{"clock", (*chaos).clock},
	{"many", (*chaos).manyQuestions},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	c := &chaos{out: stdout, leftOut: map[string]bool{}}
	flags.BoolVar(&c.short, "short", false, "fewer questions and combinations: about a minute")
	flags.Uint64Var(&c.seed, "seed", 20261128, "of what happens by chance")
	flags.IntVar(&c.many, "questions", 0, "of the scenario many (default 100000, with -short 10000)")
	only := flags.String("only", "", "`scenarios` to run, with commas between: faults, random, killed, damage, clock, many")
	docs := flags.String("docs", "", "`file` whose tables are written when everything has passed")
	binary := flags.String("binary", "", "the server's `program`; else ./cmd/thalas is built")
	limit := flags.Duration("limit", 30*time.Minute, "give up after this time")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *docs != "" && c.short {
		fmt.Fprintln(stderr, "Error: the docs have the figures of a whole run: leave out -short or -docs")
		return 2
	}
	picked := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	for _, name := range picked {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == name }) {
			fmt.Fprintf(stderr, "Error: -only %s is no scenario: see -h\n", name)
			return 2
		}
	}
	if slices.Contains(picked, "many") {
		picked = append(picked, "faults") // which finds out after which faults a provider is left out
	}
	if c.many == 0 {
		if c.many = 100_000; c.short {
			c.many = 10_000
		}
	}
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeoutCause(ctx, *limit, fmt.Errorf("not done within %v: see -limit", *limit))
	defer cancel()
	tables, err := c.all(*binary, picked)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "Error:", err)
	case len(c.failures) == 0:
		if *docs != "" {
			if err := writeTables(*docs, tables); err != nil {
				fmt.Fprintln(stderr, "Error:", err)
				return 1
			}
		}
		fmt.Fprintf(stdout, "\nPASS with -seed %d\n", c.seed)
		return 0
	}
	fmt.Fprintf(stdout, "\nFAILED with -seed %d: %d broken promises, of which the first of each scenario stand above\n", c.seed, len(c.failures))
	return 1
}

// all runs the scenarios that were picked, or every one.
func (c *chaos) all(binary string, picked []string) (tables map[string]string, err error) {
	if c.folder, err = os.MkdirTemp("", "thalas-chaos-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.folder)
	defer func() {
		for _, s := range c.servers {
			s.Kill() // those that a scenario has left behind
		}
	}()
	if c.program = binary; binary == "" {
		fmt.Fprintln(c.out, "building ./cmd/thalas")
		c.program, err = process.Build(c.ctx, c.folder)
	} else {
		c.program, err = filepath.Abs(binary) // children run in another folder
	}
	if err != nil {
		return nil, err
	}
	c.scenario = "budget"
	if c.worst, err = c.worstCases(); err != nil {
		c.failf("%v", err)
	}
	tables = map[string]string{}
	for _, s := range scenarios {
		if len(picked) > 0 && !slices.Contains(picked, s.name) {
			continue
		}
		c.scenario, c.shown, c.day = s.name, 0, time.Now().UTC().YearDay()
		fmt.Fprintf(c.out, "\n%s\n", s.name)
		began, broken := time.Now(), len(c.failures)
		table, err := s.run(c)
		if err != nil {
			c.failf("it could not go on: %v", err)
		}
		if cause := context.Cause(c.ctx); cause != nil {
			return nil, cause
		}
		fmt.Fprintf(c.out, "%s%d broken promises, %.0f s\n", table, len(c.failures)-broken, time.Since(began).Seconds())
		tables[s.name] = table
	}
	return tables, nil
}

// failf reports a broken promise.
func (c *chaos) failf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	failure := c.scenario + ": " + fmt.Sprintf(format, args...)
	c.failures = append(c.failures, failure)
	if c.shown++; c.shown <= 10 {
		fmt.Fprintln(c.out, "  BROKEN", failure)
	}
}

// parallel calls do for each of 0 to n-1, so many at once.
func (c *chaos) parallel(n, atOnce int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && c.ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	workers.Wait()
}

// writeTables puts each table between its two marks in the file.
func writeTables(file string, tables map[string]string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for name, table := range tables {
		begin, end := "<!-- "+name+": written by make chaos -->\n", "<!-- end of "+name+" -->\n"
		before, rest, found := strings.Cut(string(text), begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			return fmt.Errorf("%s has lost the lines around its table:\n%s%s", file, begin, end)
		}
		text = []byte(before + begin + table + end + after)
	}
	return os.WriteFile(file, text, 0o644)
}
