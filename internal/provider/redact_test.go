package provider

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const plantedKey = "plantedQ7vXw2Zr9TtLm4Kp8HsNb3"

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "RSI is 31, price holds.", "RSI is 31, price holds."},
		{"whole key", "key " + plantedKey + " is wrong", "key [redacted] is wrong"},
		{"key alone", plantedKey, "[redacted]"},
		{"first eight", "key plantedQ is wrong", "key [redacted] is wrong"},
		{"seven stay", "key planted is wrong", "key planted is wrong"},
		{"middle", "…7vXw2Zr9Tt…", "…[redacted]…"},
		{"twice", plantedKey + plantedKey[3:], "[redacted][redacted]"},
		{"end", "x" + plantedKey[len(plantedKey)-8:], "x[redacted]"},
		{"hidden by zero width", plantedKey[:5] + "\u200b\u2060" + plantedKey[5:], "[redacted]"},
		{"OpenAI's", "use sk-proj-abc_DEF-123456 now", "use [redacted] now"},
		{"masked", "provided: sk-ab***wxyz. Go on", "provided: [redacted] Go on"},
		{"masked otherwise", "provided: abcd*******wxyz, sorry", "provided: [redacted], sorry"},
		{"Google's", "AIzaSyTEST4567890abcdefghijklmnopqrstuv", "[redacted]"},
		{"Google's newer", "AQ.Ab8RN6KabcdefGHIJKLmnop_qrs", "[redacted]"},
		{"xAI's", "xai-0123456789abcdef", "[redacted]"},
		{"header", "authorization: bearer abcDEF123456", "authorization: [redacted]"},
		{"named", `{"api_key": "s3cr3tvalue"}`, `{"[redacted]"}`},
		{"words of finance", "Bearer certificates of risk-averse, task-specific desk-based traders. A key-level break.", "Bearer certificates of risk-averse, task-specific desk-based traders. A key-level break."},
		{"emphasis", "**Strong** and ***very*** strong", "**Strong** and ***very*** strong"},
		{"terminal", "\x1b[2J\x07gone\x00\u009b", "[2Jgone"},
		{"lines", "a\r\nb\tc\u2028d", "a  b c d"},
		{"direction", "a\u202ecba\u2066\u200f\u061c", "acba"},
		{"invisible", "a\ufe0fb\u00adc\u3164d\U000e0041e\ufeff", "abcde"},
		{"not UTF-8", "a\xff\xfeb", "ab"},
		{"letters of other scripts", "дорого 高い", "дорого 高い"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newCleaner(plantedKey).text(tt.text, 1000); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("short key", func(t *testing.T) {
		if got := newCleaner("k3y!").text("my k3y!", 100); got != "my [redacted]" {
			t.Errorf("got %q", got)
		}
		if got := newCleaner("e").text("these", 100); got != "these" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("cut", func(t *testing.T) {
		if got := (cleaner{}).text(strings.Repeat("é", 1<<20), 200); got != strings.Repeat("é", 200) {
			t.Errorf("got %d bytes", len(got))
		}
	})
}

// However a key is repeated, no eight consecutive characters of it remain.
func TestCleanLeavesNoFragment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[abAB01_-]{8,40}`).Draw(t, "key")
		var text strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "pieces") {
			from := rapid.IntRange(0, len(key)-1).Draw(t, "from")
			to := rapid.IntRange(from, len(key)).Draw(t, "to")
			text.WriteString(rapid.StringMatching(`[abAB01 ]{0,9}`).Draw(t, "between"))
			text.WriteString(key[from:to])
		}
		got := newCleaner(key).text(text.String(), 1000)
		for i := range len(key) - keyFragment + 1 {
			if fragment := key[i : i+keyFragment]; strings.Contains(got, fragment) {
				t.Fatalf("%q of key %q remains in %q", fragment, key, got)
			}
		}
	})
}

func BenchmarkClean(b *testing.B) {
	text := strings.Repeat("RSI recovers from oversold while price holds above its average; ", 10)
	clean := newCleaner("sk-ant-api03-" + strings.Repeat("aB3dE6gH9j", 9))
	b.ReportAllocs()
	for b.Loop() {
		clean.text(text, maxReasoning)
	}
}
