package endpoint

import (
	"strings"
	"testing"
)

func TestBase(t *testing.T) {
	for _, tt := range []struct{ name, text, version, want, fails string }{
		{"bare", "https://api.kraken.com", "", "https://api.kraken.com", ""},
		{"slash", " https://host/ ", "", "https://host", ""},
		{"path", "https://host/kraken//", "", "https://host/kraken", ""},
		{"version", "https://host/v1/", "/v1", "https://host", ""},
		{"no version to cut", "https://host/v1", "", "https://host/v1", ""},
		{"escaped path", "https://host/a%2Fb", "", "https://host/a%2Fb", ""},
		{"no scheme", "www.okx.com", "", "", "is not an address"},
		{"another scheme", "ftp://host", "", "", "is not an address"},
		{"no host", "http://", "", "", "is not an address"},
		{"user", "https://planted-name@host", "", "", "user name"},
		{"query", "https://host/?planted=1", "", "", "query"},
		{"fragment", "https://host#planted", "", "", "fragment"},
	} {
		u, err := ParseBase(tt.text)
		switch {
		case tt.fails == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.fails == "":
			if got := Base(u, tt.version); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		case err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "planted"):
			t.Errorf("%s: error %v, want one that says %q and quotes nothing", tt.name, err, tt.fails)
		}
	}
}

func TestIsHTML(t *testing.T) {
	for body, want := range map[string]bool{"<html>": true, "\n <!DOCTYPE html>": true, "": false, "{}": false, "a <b>": false} {
		if IsHTML([]byte(body)) != want {
			t.Errorf("IsHTML(%q) = %v", body, !want)
		}
	}
}
