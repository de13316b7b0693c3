package dynamo

// Tests of what is computed without a request.

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"thalas/internal/store"
)

// FullCount gives a count with every counter and text that an hour can have: those of four
// providers. No run counts as much.
func FullCount() store.Count {
	c := store.Count{
		At: time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2028, 3, 2, 5, 0, 0, 0, time.UTC), Set: map[string]string{},
		Add: map[string]int64{"requests": 1, "successes": 1, "failures": 1, "cost_micro_usd": 8_500, "tokens": 6_120},
	}
	for _, provider := range []string{"anthropic", "gemini", "grok", "openai"} {
		for _, name := range []string{
			"successes", "input_tokens", "output_tokens", "cost_micro_usd",
			"failures.authentication", "failures.rate_limit", "failures.timeout", "failures.provider",
			"failures.invalid_response", "failures.refusal", "failures.truncated", "failures.not_needed",
		} {
			c.Add[provider+"."+name] = 1234
		}
		for _, bound := range []string{
			"25", "50", "75", "100", "150", "200", "300", "400", "600", "800", "1000",
			"1500", "2000", "3000", "4000", "6000", "8000", "12000", "16000", "24000", "32000", "inf",
		} {
			c.Add[provider+".latency_le_"+bound] = 12
		}
		c.Set[provider+".model"] = "claude-haiku-4-5-20251001"
		c.Set[provider+".configured"] = "true"
		c.Set[provider+".last_success"] = "2026-03-02T05:00:01.25Z"
		c.Set[provider+".last_error"] = "2026-03-02T05:00:01.25Z invalid_response"
	}
	return c
}

func TestUpdateExpressionFits(t *testing.T) {
	c := FullCount()
	if len(c.Add) < 140 {
		t.Fatalf("only %d counters", len(c.Add))
	}
	update := updateOf(c)
	expression := *update.UpdateExpression
	if got, most := len(expression), 4096; got > most {
		t.Errorf("the expression has %d bytes, and may have %d: %s", got, most, expression)
	}

	// Each name and each value is used exactly once, and there are no others.
	wantNames := slices.Concat(slices.Collect(maps.Keys(c.Add)), slices.Collect(maps.Keys(c.Set)), []string{"expires_at"})
	slices.Sort(wantNames)
	if d := cmp.Diff(wantNames, slices.Sorted(maps.Values(update.ExpressionAttributeNames))); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	placeholders := regexp.MustCompile(`[#:][a-z]\d+`).FindAllString(expression, -1)
	slices.Sort(placeholders)
	want := slices.Concat(slices.Collect(maps.Keys(update.ExpressionAttributeNames)), slices.Collect(maps.Keys(update.ExpressionAttributeValues)))
	slices.Sort(want)
	if d := cmp.Diff(want, placeholders); d != "" {
		t.Errorf("placeholders (-defined +used):\n%s", d)
	}
}

func TestUpdateExpression(t *testing.T) {
	at := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		count store.Count
		want  string
	}{
		{"all", store.Count{At: at, Add: map[string]int64{"a.b": 1, "c": 2}, Set: map[string]string{"d": "e"}, ExpiresAt: at}, "ADD #a0 :v0,#a1 :v1 SET #a2=:v2,#a3=:v3"},
		{"never expires", store.Count{At: at, Add: map[string]int64{"a.b": 1}, Set: map[string]string{"d": "e"}}, "REMOVE #e ADD #a0 :v0 SET #a1=:v1"},
		{"only counters", store.Count{At: at, Add: map[string]int64{"a.b": 1}}, "REMOVE #e ADD #a0 :v0"},
		{"only texts", store.Count{At: at, Set: map[string]string{"d": "e"}, ExpiresAt: at}, "SET #a0=:v0,#a1=:v1"},
	} {
		if got := *updateOf(test.count).UpdateExpression; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTimesAreNeverEarly(t *testing.T) {
	at := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, 1, time.Millisecond, 500 * time.Millisecond, time.Second - 1} {
		asked := at.Add(after)
		expiry := expiryOf(asked)
		if expired(expiry, asked) {
			t.Errorf("%s: expired at the time that was asked for", asked)
		}
		if !expired(expiry, asked.Add(time.Second+time.Millisecond)) {
			t.Errorf("%s: not expired more than a second later", asked)
		}
	}
	if expired(expiryOf(time.Time{}), at) {
		t.Error("a record without expiry has expired")
	}
	if got := moment(at.Add(7 * time.Millisecond)).(*types.AttributeValueMemberN).Value; got != "1772427600.007" {
		t.Errorf("a moment is written as %s", got)
	}
}

func TestDelaysGrowToALimit(t *testing.T) {
	for attempt := range 100 {
		most := min(firstDelay<<min(attempt, 10), mostDelay)
		if d := delay(attempt); d < most/2 || d >= most {
			t.Errorf("attempt %d waits %s, want from %s to %s", attempt, d, most/2, most)
		}
	}
}

func TestDays(t *testing.T) {
	days, err := daysOf("2024-02-28", "2024-03-01")
	if d := cmp.Diff([]string{"2024-02-28", "2024-02-29", "2024-03-01"}, days); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if days, err := daysOf("2025-01-01", "2026-02-05"); len(days) != 401 || err != nil {
		t.Errorf("400 days and one: %d, %v", len(days), err)
	}
	if days, err := daysOf("0001-01-01", "9999-12-31"); err == nil || !strings.Contains(err.Error(), "at most 500") {
		t.Errorf("all of time: %d days, %v; want a refusal", len(days), err)
	}
}
