package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"thalas/internal/signal"
	"thalas/internal/simulator"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	demoLatency = 0
	goleak.VerifyTestMain(m,
		// Idle connections of the providers' client end by themselves, after the program.
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
	)
}

// ended is what one command line came to.
type ended struct {
	code     int
	out, err string
}

// thalas runs a command line as main does.
func thalas(t *testing.T, env environment, stdin string, args ...string) ended {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, terminal{in: strings.NewReader(stdin), out: &out, err: &err, environ: env})
	return ended{code, out.String(), err.String()}
}

// simulated starts a simulator and gives the environment that leads to it.
func simulated(t *testing.T, faults string) environment {
	t.Helper()
	script, err := simulator.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	running, err := simulator.Start(simulator.Options{Faults: script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	return append(environment(running.Env()), "LOG_LEVEL=error")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewrite with -update:\n%s", path, diff)
	}
}

const indicators = `{"rsi": 30, "macd": 150}`

func TestExitCodes(t *testing.T) {
	question := []string{"ask", "BTC/USDT", "--price", "50000", "--data", "-"}
	with := func(more ...string) []string { return append(question[:len(question):len(question)], more...) }
	tests := []struct {
		name   string
		faults string // "none": no provider has a key
		env    []string
		stdin  string
		args   []string
		code   int
		says   string // on the error output
	}{
		{"decision", "", nil, indicators, question, 0, "anthropic"},
		{"HOLD is a decision", "", nil, `{"rsi": 50}`, question, 0, ""},
		{"some fail, the quorum holds", "grok=bad_request", nil, indicators, question, 0, ""},

		{"no command", "none", nil, "", nil, 0, ""},
		{"unknown command", "none", nil, "", []string{"aks"}, 2, `unknown command "aks"`},
		{"unknown flag", "none", nil, indicators, with("--prize", "1"), 2, "--prize"},
		{"no pair", "none", nil, "", []string{"ask"}, 2, "ask needs one pair such as BTC/USDT"},
		{"two pairs", "none", nil, "", []string{"ask", "BTC/USDT", "ETH/USDT"}, 2, "got 2"},
		{"pair that is none", "none", nil, indicators, []string{"ask", "?", "--price", "1", "--data", "-"}, 2, "pair"},
		{"no data", "none", nil, "", []string{"ask", "BTC/USDT", "--price", "1"}, 2, "give --data FILE"},
		{"no price", "none", nil, indicators, []string{"ask", "BTC/USDT", "--data", "-"}, 2, "no price"},
		{"price that is none", "none", nil, indicators, []string{"ask", "BTC/USDT", "--data", "-", "--price", "1e999"}, 2, "--price: number 1e999 is out of range"},
		{"price 0", "none", nil, indicators, []string{"ask", "BTC/USDT", "--data", "-", "--price", "0"}, 2, "--price 0 is not above 0"},
		{"price from an unset variable", "none", nil, indicators, []string{"ask", "BTC/USDT", "--data", "-", "--price", ""}, 2, "--price is empty"},
		{"data is empty", "none", nil, " \n", question, 2, "--data - is empty"},
		{"data is cut", "none", nil, `{"rsi": 1`, question, 2, "--data - is not a JSON object"},
		{"data is no object", "none", nil, `[1]`, question, 2, "not a JSON object"},
		{"data is NaN", "none", nil, `{"rsi": NaN}`, question, 2, "--data -"},
		{"data is binary", "none", nil, "\x00\x01\x1b[2J\xff", question, 2, "--data -"},
		{"data breaks two rules", "none", nil, `{"a": {}, "recent_candles": [{"open": 0}]}`, question, 2, "\n  recent_candles[0]"},
		{"data has no fields", "", nil, `{}`, question, 2, "market data is empty"},
		{"data is too large", "none", nil, `{"a": "` + strings.Repeat("x", maxDataBytes) + `"}`, question, 2, "over 256 KiB"},
		{"NaN in the data", "none", nil, `{"rsi": 1, "macd": [1, NaN]}`, []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}, 2, "--data -: macd[1] is no number: JSON has no NaN: send null or leave the key out"},
		{"data is NaN", "none", nil, `NaN`, []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}, 2, "JSON has no NaN: send null or leave the key out"},
		{"data is a byte order mark", "none", nil, "\ufeff", []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}, 2, "--data - is empty"},
		{"data is a folder", "none", nil, "", []string{"ask", "BTC/USDT", "--price", "1", "--data", "testdata"}, 2, "is a directory"},
		{"data is not there", "none", nil, "", []string{"ask", "BTC/USDT", "--price", "1", "--data", "testdata/none.json"}, 2, "testdata/none.json"},
		{"candles are a folder", "none", nil, "", []string{"ask", "BTC/USDT", "--candles", "testdata"}, 2, "is a directory"},
		{"candles are not there", "none", nil, "", []string{"ask", "BTC/USDT", "--candles", "testdata/none.csv"}, 2, "testdata/none.csv"},
		{"candles are empty", "none", nil, "", []string{"ask", "BTC/USDT", "--candles", "-"}, 2, "the CSV is empty"},
		{"candles are binary", "none", nil, "\x00\"\x1b[2J", []string{"ask", "BTC/USDT", "--candles", "-"}, 2, "--candles -"},
		{"both from standard input", "none", nil, indicators, with("--candles", "-"), 2, "cannot both read standard input"},
		{"timeframe in another case", "none", nil, indicators, with("--timeframe", "1M"), 2, `did you mean "1m"`},
		{"wait", "none", nil, indicators, with("--wait", "some"), 2, "--wait is none of all, decided"},
		{"min-providers 0", "none", nil, indicators, with("--min-providers", "0"), 2, "--min-providers 0 is below 1"},
		{"min-providers beyond all", "", nil, indicators, with("--min-providers", "5"), 2, "--min-providers is outside 1…4"},
		{"shares that are none, both named", "", nil, indicators, with("--min-confidence", "NaN", "--min-agreement", "1.1"), 2, "2 mistakes:\n  --min-confidence is outside 0…1\n  --min-agreement is"},
		{"weight of nobody", "", nil, indicators, with("--weights", "claude=1"), 2, "--weights claude is no known provider: known are anthropic, gemini, grok, openai"},
		{"simulate", "none", nil, indicators, with("--simulate", "maybe"), 2, `"maybe" is not known`},
		{"configuration, all mistakes", "none", []string{"MIN_PROVIDERS=0", "GROK_WEIGHT=2"}, indicators, question, 2, "2 mistakes:\n  MIN_PROVIDERS"},
		{"configuration of a model", "none", []string{"GROK_EFFORT=high"}, indicators, question, 2, "GROK_EFFORT"},
		{"price file", "none", []string{"PRICES_FILE=testdata/none.json"}, indicators, question, 2, "PRICES_FILE"},
		{"unknown shell", "none", nil, "", []string{"completion", "tcsh"}, 2, "tcsh"},
		{"unknown topic", "none", nil, "", []string{"help", "aks"}, 2, `no help on "aks"`},
		{"fault script", "none", nil, "", []string{"simulate", "--faults", "grok=nap"}, 2, `"nap" of grok is not a fault`},
		{"latency below 0", "none", nil, "", []string{"simulate", "--latency", "-1s"}, 2, "below 0"},

		{"nobody has a key", "none", nil, indicators, question, 3, "No available providers in registry\nSet at least one of:\n  anthropic: no API key: set ANTHROPIC_API_KEY"},
		{"too few have a key", "none", []string{"GROK_API_KEY=test-key", "GROK_ENABLED=true"}, indicators, with("--min-providers", "2"), 3, "Insufficient available providers: 1 < 2\nSet up more providers, or lower --min-providers:\n  anthropic:"},
		{"all fail", "anthropic=wrong_key;openai=quota;gemini=wrong_key;grok=quota", nil, indicators, question, 3,
			"Insufficient successful provider responses: 0 < 1\n  anthropic: authentication after"},
		{"asking again is no use", "anthropic=wrong_key;openai=quota;gemini=wrong_key;grok=quota", nil, indicators, question, 3, "Asking again will not help"},

		{"address to listen at", "none", nil, "", []string{"simulate", "--listen", "127.0.0.1:99999"}, 1, "cannot listen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var env environment
			if tt.faults != "none" {
				env = simulated(t, tt.faults)
			}
			got := thalas(t, append(env, tt.env...), tt.stdin, tt.args...)
			if got.code != tt.code || !strings.Contains(got.err, tt.says) {
				t.Errorf("exit code %d, want %d; the error output should hold %q:\n%s", got.code, tt.code, tt.says, got.err)
			}
			if got.code != 0 && got.out != "" {
				t.Errorf("an error leaves a result on standard output:\n%s", got.out)
			}
			if strings.Contains(got.out+got.err, "\x1b") {
				t.Errorf("escape codes in a pipe: %q", got.out+got.err)
			}
		})
	}
}

func TestJSONIsTheDocument(t *testing.T) {
	got := thalas(t, simulated(t, "gemini=refusal"), indicators, "ask", "btc-usdt", "--price", "50000.50", "--data", "-", "--json", "--weights", "Anthropic=.5")
	if got.code != 0 || got.err != "" {
		t.Fatalf("exit code %d, error output %q: want the document alone", got.code, got.err)
	}
	decoder := json.NewDecoder(strings.NewReader(got.out))
	decoder.DisallowUnknownFields()
	var c signal.Consensus
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("the output is not the document: %v\n%s", err, got.out)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Errorf("something follows the document: %v", err)
	}
	if c.Pair.String() != "BTC/USDT" || c.CurrentPrice != 50000.5 || c.Status != signal.Degraded || c.Simulated || len(c.Responses) != 3 || c.Responses[0].Weight != .5 {
		t.Errorf("got %+v", c)
	}
}

// An input that never ends is no reason to hang on an interrupt.
func TestInterruptedInput(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, _ = writer.Write([]byte(`{"rsi": `)) // returns when it is being read
		cancel()
	}()
	var out, err bytes.Buffer
	code := run(ctx, []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}, terminal{in: in, out: &out, err: &err})
	if code != 1 || out.Len() > 0 || !strings.Contains(err.String(), "interrupted before anybody was asked") {
		t.Errorf("exit code %d, output %q, error output %q", code, out.String(), err.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestResultThatCannotBeWritten(t *testing.T) {
	env := simulated(t, "")
	for _, args := range [][]string{
		{"ask", "BTC/USDT", "--price", "1", "--data", "-"},
		{"ask", "BTC/USDT", "--price", "1", "--data", "-", "--json"},
		{"providers"}, {"providers", "--json"}, {"version"}, {"simulate"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var err bytes.Buffer
			code := run(t.Context(), args, terminal{in: strings.NewReader(indicators), out: brokenWriter{}, err: &err, environ: env})
			if code != 1 || !strings.Contains(err.String(), "no space left") {
				t.Errorf("exit code %d, error output %q", code, err.String())
			}
		})
	}
}

func TestAnnouncement(t *testing.T) {
	env := simulated(t, "")
	without := func(names ...string) environment {
		var rest environment
		for _, entry := range env {
			keep := true
			for _, name := range names {
				keep = keep && !strings.HasPrefix(entry, name+"=")
			}
			if keep {
				rest = append(rest, entry)
			}
		}
		return rest
	}
	got := thalas(t, without("GEMINI_API_KEY", "GROK_API_KEY", "GROK_ENABLED"), indicators, "ask", "BTC/USDT", "--price", "1", "--data", "-", "--json")
	if want := "Not asked: gemini, no API key: set GEMINI_API_KEY\n"; got.err != want {
		t.Errorf("error output %q, want %q: enabled providers without a key are named, disabled ones are not", got.err, want)
	}
	got = thalas(t, append(env, "ANTROPIC_API_KEY=test"), indicators, "ask", "BTC/USDT", "--price", "1", "--data", "-", "--json")
	if want := "Warning: ANTROPIC_API_KEY is not known: did you mean ANTHROPIC_API_KEY?\n"; got.err != want {
		t.Errorf("error output %q, want %q", got.err, want)
	}
}

// ask holds the budget of a request, and says what no budget holds.
func TestAskWithBudgets(t *testing.T) {
	env := simulated(t, "")
	ask := func(more ...string) ended {
		return thalas(t, append(env, more...), indicators, "ask", "BTC/USDT", "--price", "1", "--data", "-", "--json")
	}
	got := ask("REQUEST_BUDGET_USD=0.000001")
	if got.code != 1 || got.out != "" || !strings.Contains(got.err, "over the limit of $0.000001 for one request") {
		t.Errorf("exit code %d, output %q, error output %q", got.code, got.out, got.err)
	}
	got = ask("DAILY_BUDGET_USD=1", "OPENAI_MODEL=gpt-next")
	for _, want := range []string{"ask does not enforce DAILY_BUDGET_USD", "No budget limits openai: no price is known for its model gpt-next"} {
		if got.code != 0 || !strings.Contains(got.err, want) {
			t.Errorf("exit code %d, error output %q, want %q in it", got.code, got.err, want)
		}
	}
}

func TestLogFormats(t *testing.T) {
	env := simulated(t, "")
	ask := []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}
	if got := thalas(t, append(environment{"LOG_LEVEL=info"}, env...), indicators, ask...); !strings.Contains(got.err, `"msg":"Consensus reached:"`) {
		t.Errorf("no JSON log into a pipe:\n%s", got.err)
	}
	if got := thalas(t, append(environment{"LOG_LEVEL=debug", "LOG_FORMAT=text"}, env...), indicators, ask...); !strings.Contains(got.err, `msg="Calling provider:" `) {
		t.Errorf("no text log:\n%s", got.err)
	}
}

func TestColours(t *testing.T) {
	env := append(simulated(t, ""), "CLICOLOR_FORCE=1")
	ask := []string{"ask", "BTC/USDT", "--price", "1", "--data", "-"}
	if got := thalas(t, env, indicators, ask...); !strings.Contains(got.out, "\x1b[") {
		t.Errorf("no colour where it is forced:\n%s", got.out)
	}
	if got := thalas(t, append(env, "NO_COLOR=1"), indicators, ask...); strings.Contains(got.out+got.err, "\x1b") {
		t.Errorf("escape codes despite NO_COLOR:\n%q", got.out+got.err)
	}
}

func mustWrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
