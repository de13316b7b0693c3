package provider

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"thalas/internal/signal"
)

func pointer[T any](v T) *T { return &v }

func TestParseBallot(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Ballot
	}{
		{
			"all fields", `{"decision":"BUY","confidence":0.82,"reasoning":"up","risk_level":"medium","stop_loss":49000,"take_profit":52000.5}`,
			Ballot{signal.Buy, 0.82, "up", pointer(signal.Medium), pointer(49000.0), pointer(52000.5)},
		},
		{
			"any case, numbers in strings, spaces", " \n{\"decision\":\" sell \",\"confidence\":\"0.85\",\"reasoning\":\"down\",\"risk_level\":\"HIGH\",\"stop_loss\":\"1e-5\",\"take_profit\":\" 3 \"}\t",
			Ballot{signal.Sell, 0.85, "down", pointer(signal.High), pointer(1e-5), pointer(3.0)},
		},
		{
			"nothing optional", `{"decision":"HOLD","confidence":0,"reasoning":"flat"}`,
			Ballot{Decision: signal.Hold, Reasoning: "flat"},
		},
		{
			"unusable options, unknown fields", `{"decision":"HOLD","confidence":1,"reasoning":"flat","risk_level":"extreme","stop_loss":"none","take_profit":[1],"x":{"decision":"BUY","decision":1}}`,
			Ballot{Decision: signal.Hold, Confidence: 1, Reasoning: "flat"},
		},
		{
			"keys in another case are other keys", `{"decision":"BUY","Decision":"SELL","confidence":0.5,"CONFIDENCE":9,"reasoning":"r","Stop_Loss":1,"risk_level":3}`,
			Ballot{Decision: signal.Buy, Confidence: 0.5, Reasoning: "r"},
		},
		{
			"any layout, brackets and quotes in text", "{ \"x\" : { \"a\" : [ 1 , \"}\\\"]\" , { } ] , \"b\":true}\n,\t\"y\":[],\"z\":null ,\"decision\"\r\n:\"BUY\",\"confidence\" : 0.5 ,\"reasoning\":\"{,}\\\\\" }",
			Ballot{Decision: signal.Buy, Confidence: 0.5, Reasoning: "{,}\\"},
		},
		{
			"infinite and hexadecimal levels", `{"decision":"BUY","confidence":0.5,"reasoning":"r","stop_loss":1e999,"take_profit":"0x10"}`,
			Ballot{Decision: signal.Buy, Confidence: 0.5, Reasoning: "r"},
		},
		{
			"levels are kept as said", `{"decision":"BUY","confidence":-0.0,"reasoning":"r","stop_loss":-5,"take_profit":0}`,
			Ballot{Decision: signal.Buy, Reasoning: "r", StopLoss: pointer(-5.0), TakeProfit: pointer(0.0)},
		},
		{
			"hidden text and keys in the reasoning", `{"decision":"BUY","confidence":0.5,"reasoning":"a\u0000b\u001b[31m\nc\u202ed\u200be key sk-ant-api03-abcdefgh1234"}`,
			Ballot{Decision: signal.Buy, Confidence: 0.5, Reasoning: "ab[31m cde key [redacted]"},
		},
		{
			"long reasoning", `{"decision":"BUY","confidence":0.5,"reasoning":"` + strings.Repeat("ä", 4001) + `"}`,
			Ballot{Decision: signal.Buy, Confidence: 0.5, Reasoning: strings.Repeat("ä", 4000)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseBallot(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if math.Signbit(got.Confidence) {
				t.Error("confidence is -0")
			}
		})
	}
}

func TestParseBallotRefuses(t *testing.T) {
	const rest = `,"reasoning":"r"}`
	for _, tt := range []struct{ name, text, says string }{
		{"nothing", " \n", "the answer is empty"},
		{"prose", "BUY!", "not a JSON object"},
		{"array", `[{"decision":"BUY","confidence":0.5,"reasoning":"r"}]`, "not a JSON object"},
		{"fence", "```json\n{}\n```", "not a JSON object"},
		{"cut", `{"decision":"BUY","confidence":0.`, "not whole JSON"},
		{"cut in a key", `{"decision":"BUY","conf`, "not whole JSON"},
		{"cut before the end", `{"decision":"BUY"`, "not whole JSON"},
		{"wrong bracket", `{"decision":"BUY"]`, "not whole JSON"},
		{"text behind", `{"decision":"BUY","confidence":0.5` + rest + ` Good luck`, "more than one JSON object"},
		{"object behind", `{"decision":"BUY","confidence":0.5` + rest + `{}`, "more than one JSON object"},
		{"twice", `{"decision":"BUY","confidence":0.5,"decision":"SELL"` + rest, `"decision" twice`},
		{"twice by an escape", `{"decision":"BUY","confidence":0.5,"d\u0065cision":"BUY"` + rest, `"decision" twice`},
		{"unknown twice", `{"decision":"BUY","confidence":0.5,"x":1,"x":1` + rest, `"x" twice`},
		{"no decision", `{"confidence":0.5` + rest, "decision is missing"},
		{"null decision", `{"decision":null,"confidence":0.5` + rest, "decision is missing"},
		{"other decision", `{"decision":"SHORT","confidence":0.5` + rest, `decision "SHORT" is none of BUY, SELL, HOLD`},
		{"decision as a number", `{"decision":1,"confidence":0.5` + rest, `decision is "1" and not text`},
		{"no confidence", `{"decision":"BUY"` + rest, "confidence is missing"},
		{"percentage", `{"decision":"BUY","confidence":85` + rest, `confidence "85" is outside 0…1`},
		{"slightly too much", `{"decision":"BUY","confidence":1.0000001` + rest, "outside 0…1"},
		{"negative", `{"decision":"BUY","confidence":"-0.5"` + rest, "outside 0…1"},
		{"percent sign", `{"decision":"BUY","confidence":"85%"` + rest, "not a number"},
		{"NaN", `{"decision":"BUY","confidence":"NaN"` + rest, "not a number"},
		{"infinite", `{"decision":"BUY","confidence":"Inf"` + rest, "not a number"},
		{"hexadecimal", `{"decision":"BUY","confidence":"0x0p0"` + rest, "not a number"},
		{"boolean", `{"decision":"BUY","confidence":true` + rest, "not a number"},
		{"empty", `{"decision":"BUY","confidence":""` + rest, "not a number"},
		{"no reasoning", `{"decision":"BUY","confidence":0.5}`, "reasoning is missing"},
		{"empty reasoning", `{"decision":"BUY","confidence":0.5,"reasoning":" \u200b\n"}`, "reasoning is empty"},
		{"reasoning as a list", `{"decision":"BUY","confidence":0.5,"reasoning":["r"]}`, "reasoning is"},
		{"long and dangerous quote", `{"decision":"` + "\u202e" + strings.Repeat("x", 500) + `","confidence":0.5` + rest, `"` + strings.Repeat("x", 40) + `"`},
		{"key in a quote", `{"decision":"sk-proj-abcdefgh1234","confidence":0.5` + rest, "[redacted]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseBallot(tt.text)
			if err == nil {
				t.Fatalf("ParseBallot = %+v, want an error", got)
			}
			if !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 150 {
				t.Errorf("error %q does not say %q in short", err, tt.says)
			}
			if got != (Ballot{}) {
				t.Errorf("a ballot comes with the error: %+v", got)
			}
		})
	}
}

func FuzzParseBallot(f *testing.F) {
	f.Add(`{"decision":"BUY","confidence":0.82,"reasoning":"up","risk_level":"medium","stop_loss":49000,"take_profit":null}`)
	f.Add(`{"decision":"sell","confidence":"1e-3","reasoning":"\u202esk-abcdefgh***1234"}`)
	f.Add("{\"decision\":\"HOLD\",\"confidence\":0,\"reasoning\":\"\xff\\ud800\"}")
	f.Add("{\"decision\":\"BUY\",\"confidence\":0,\"reasoning\":\"0\",\"\xff\xfe\":null}")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBallot(text)
		if err != nil {
			if b != (Ballot{}) || utf8.RuneCountInString(err.Error()) > 250 {
				t.Fatalf("ballot %+v, error %q", b, err)
			}
			return
		}
		// The fields are those that encoding/json finds.
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("took what is not one object: %v", err)
		}
		own, err := ballotFields(text)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]json.RawMessage, len(own))
		for name, value := range own {
			got[name] = json.RawMessage(value.String())
		}
		if diff := cmp.Diff(fields, got); diff != "" {
			t.Fatalf("fields (-encoding/json +own):\n%s", diff)
		}
		if defect := b.defect(); defect != "" {
			t.Fatal(defect)
		}
		if tidy := b.tidied(); !cmp.Equal(b, tidy) {
			t.Fatalf("ballot %+v is not tidy: %+v", b, tidy)
		}
		if n := utf8.RuneCountInString(b.Reasoning); n == 0 || n > maxReasoning || !utf8.ValidString(b.Reasoning) {
			t.Fatalf("reasoning of %d characters", n)
		}
		if strings.ContainsFunc(b.Reasoning, unicode.IsControl) {
			t.Fatalf("control characters in %q", b.Reasoning)
		}
		again, err := json.Marshal(map[string]any{"decision": b.Decision, "confidence": b.Confidence, "reasoning": b.Reasoning, "risk_level": b.RiskLevel, "stop_loss": b.StopLoss, "take_profit": b.TakeProfit})
		if err != nil {
			t.Fatal(err)
		}
		second, err := ParseBallot(string(again))
		if err != nil {
			t.Fatal(err)
		}
		// Cleaning twice may find text that looks like a key only after the first cleaning.
		second.Reasoning = b.Reasoning
		if diff := cmp.Diff(b, second); diff != "" {
			t.Fatalf("read again (-first +second):\n%s", diff)
		}
	})
}

func BenchmarkParseBallot(b *testing.B) {
	text := `{"decision":"BUY","confidence":0.82,"reasoning":"` + strings.Repeat("RSI recovers from oversold while price holds. ", 10) + `","risk_level":"medium","stop_loss":49000,"take_profit":52000.5}`
	clean := newCleaner("sk-ant-api03-" + strings.Repeat("aB3dE6gH9j", 9))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseBallot(text, clean); err != nil {
			b.Fatal(err)
		}
	}
}
