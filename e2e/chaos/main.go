// Command chaos breaks everything around the server and checks that callers still get
// what they were promised.
//
// It runs `thalas serve` as a child. The providers are the simulator, which runs in this
// process and fails as each scenario says. Every call that reaches a provider is recorded,
// with what that call must cost.
//
// Only a broken promise fails, never a slow machine: no time is measured, and a share is
// compared with a bound that chance alone breaks once in 10^9 times. The same seed gives
// the same faults to the same questions. docs/reliability.md has the promises, the
// commands and the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"thalas/e2e/process"
)

// scenarios run in this order. The columns are those of the scenario's table in
// docs/reliability.md.
var scenarios = []struct {
	name    string
	run     func(*chaos)
	columns []any
}{
	{"faults", (*chaos).faults, []any{"fault of one provider", "what it is", "its entry in the answer", "left out afterwards"}},
	{"random", (*chaos).random, []any{"attempts that fail", "`MAX_ATTEMPTS`", "questions", "answered", "without a breaker"}},
	{"killed", (*chaos).killed, []any{"SIGKILLs", "questions", "answered before", "cut off by a kill", "of those found answered at the restart", "asked anew, at once", "paid twice after an answer", "reserved after a restart"}},
	{"damage", (*chaos).damage, []any{"the data file, while it serves", "questions", "decided and found again", "decided, `not_stored`", "errors", "reads answered", "health says", "SIGTERM"}},
	{"clock", (*chaos).clock, []any{"results dated", "`latest` gives", "after another question", "the future results"}},
	{"many", (*chaos).many, []any{"questions", "decided", "without a quorum", "found again byte for byte", "repeated under their key, paid once", "refused while their twin was asked", "day's budget", "billed and worst cases", "memory, middle and last third"}},
}

// limit ends a run that hangs.
const limit = 45 * time.Minute

// chaos is one run of the program.
type chaos struct {
	ctx     context.Context
	stop    context.CancelCauseFunc // ends the run, with the reason
	out     io.Writer
	folder  string // temporary, for data files and logs
	program string
	seed    uint64
	short   bool
	worst   map[string]int64 // the most that one attempt may cost, in millionths of a USD, by provider

	// Of the scenario that is running.
	scenario string
	day      int // of the year in UTC, on which it began
	table    strings.Builder

	mu       sync.Mutex
	failures int             // guarded by mu
	shown    int             // guarded by mu: failures of the scenario that were printed
	leftOut  map[string]bool // guarded by mu: the faults after which a provider is left out, as the scenario faults has seen
	cleanup  []func()        // guarded by mu: called after the scenario, the last one first
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	c := &chaos{out: stdout, worst: map[string]int64{}, leftOut: map[string]bool{}}
	flags.BoolVar(&c.short, "short", false, "fewer questions and combinations: about a minute")
	flags.Uint64Var(&c.seed, "seed", 20261128, "seed of everything that happens by chance")
	only := flags.String("only", "", "`scenarios` to run, with commas between: faults, random, killed, damage, clock, many")
	docs := flags.String("docs", "", "`file` whose tables are written when everything has passed")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	usage := func(mistake string) int { fmt.Fprintln(stderr, "Error:", mistake); return 2 }
	if *docs != "" && c.short {
		return usage("the docs have the figures of a whole run: leave out -short or -docs")
	}
	picked := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	var known []string
	for _, s := range scenarios {
		known = append(known, s.name)
	}
	for _, name := range picked {
		if !slices.Contains(known, name) {
			return usage("-only " + name + " is no scenario: there are " + strings.Join(known, ", "))
		}
	}
	if len(picked) == 0 {
		picked = known
	} else if slices.Contains(picked, "many") {
		picked = append(picked, "faults") // many needs to know after which faults a provider is left out
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the run is not done within %v", limit))
	defer cancel()
	c.ctx, c.stop = context.WithCancelCause(ctx)
	defer c.stop(nil)

	began := time.Now()
	tables, err := c.all(picked)
	if err == nil && c.failures == 0 && *docs != "" {
		err = writeTables(*docs, tables)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "Error:", err)
	case c.failures == 0:
		fmt.Fprintf(stdout, "\nPASS with -seed %d, %.0f s\n", c.seed, time.Since(began).Seconds())
		return 0
	}
	fmt.Fprintf(stdout, "\nFAILED with -seed %d: %d broken promises, of which the first of each scenario stand above\n", c.seed, c.failures)
	return 1
}

// all runs the picked scenarios and returns their tables.
func (c *chaos) all(picked []string) (tables map[string]string, err error) {
	if c.folder, err = os.MkdirTemp("", "thalas-chaos-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.folder)
	if c.program, err = process.Build(c.ctx, c.folder); err != nil {
		return nil, err
	}
	c.play("budget", (*chaos).worstCases)
	tables = map[string]string{}
	for _, s := range scenarios {
		if !slices.Contains(picked, s.name) || c.ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(c.out, "\n%s\n", s.name)
		began, broken := time.Now(), c.failures
		c.table.Reset()
		c.row(s.columns...)
		c.table.WriteString(strings.Repeat("|---", len(s.columns)) + "|\n")
		c.play(s.name, s.run)
		tables[s.name] = c.table.String()
		fmt.Fprintf(c.out, "%s%d broken promises, %.0f s\n", tables[s.name], c.failures-broken, time.Since(began).Seconds())
	}
	return tables, context.Cause(c.ctx)
}

// play runs a scenario in a goroutine, which must can end, and then cleans up.
func (c *chaos) play(name string, run func(*chaos)) {
	c.scenario, c.shown, c.day = name, 0, time.Now().UTC().YearDay()
	c.parallel(1, 1, func(int) { run(c) })
	for _, clean := range slices.Backward(c.cleanup) {
		clean()
	}
	c.cleanup = nil
}

// later registers a function that is called after the scenario.
func (c *chaos) later(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleanup = append(c.cleanup, do)
}

// failf reports a broken promise.
func (c *chaos) failf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures++
	if c.shown++; c.shown <= 10 {
		fmt.Fprintf(c.out, "  BROKEN %s: %s\n", c.scenario, fmt.Sprintf(format, args...))
	}
}

// must ends the whole run on an error after which no promise can be checked. It ends this
// goroutine at once; others end when they look at the context.
func (c *chaos) must(err error) {
	if err != nil {
		c.stop(fmt.Errorf("%s: %w", c.scenario, err))
		runtime.Goexit()
	}
}

// parallel calls do for each of 0 to n-1, at most atOnce at the same time.
func (c *chaos) parallel(n, atOnce int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= n && c.ctx.Err() == nil; i = int(next.Add(1)) {
				do(i - 1)
			}
		})
	}
	workers.Wait()
}

// row adds a line to the table of the scenario.
func (c *chaos) row(cells ...any) {
	for _, cell := range cells {
		fmt.Fprintf(&c.table, "| %v ", cell)
	}
	c.table.WriteString("|\n")
}

// size returns the first number, or the second in a short run.
func (c *chaos) size(whole, short int) int {
	if c.short {
		return short
	}
	return whole
}

// chance returns the random numbers of one call. The same seed and call give the same
// numbers, in whatever order the calls come.
func (c *chaos) chance(of ...any) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprint(hash, of...)
	return rand.New(rand.NewPCG(c.seed, hash.Sum64()))
}

// writeTables puts each table between its two marks in the file.
func writeTables(file string, tables map[string]string) error {
	content, err := os.ReadFile(file)
	text := string(content)
	for name, table := range tables {
		begin, end := "<!-- "+name+": written by make chaos -->\n", "<!-- end of "+name+" -->\n"
		before, rest, found := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if err == nil && !(found && closed) {
			err = errors.New(file + " has lost the lines around its table:\n" + begin + end)
		}
		text = before + begin + table + end + after
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
