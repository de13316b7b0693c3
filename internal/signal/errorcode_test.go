package signal

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeOf(t *testing.T) {
	const code ErrorCode = "daily_budget"
	for _, test := range []struct {
		name string
		err  error
		want ErrorCode
	}{
		{"nothing", nil, ""},
		{"another error", errors.New("x"), ""},
		{"a code", code, code},
		{"a wrapped code", fmt.Errorf("ask: %w", code), code},
	} {
		if got := CodeOf(test.err); got != test.want || errors.Is(test.err, code) != (test.want == code) {
			t.Errorf("%s: code %q, want %q", test.name, got, test.want)
		}
	}
	if code.Error() != "daily budget" {
		t.Errorf("the text of %q is %q", string(code), code.Error())
	}
}
