package api_test

import (
	"strings"
	"testing"

	"thalas/internal/api"
)

// The page must not show simulated answers as real ones.
func TestDocsPageSaysWhereVotesAreSimulated(t *testing.T) {
	for _, real := range []bool{false, true} {
		f := newServer(t, setup{real: real, api: api.Options{Docs: true}})
		page := string(f.get(t, "/docs").body)
		if got := strings.Contains(page, "SIMULATED"); got == real {
			t.Errorf("real providers: %v, the page says simulated: %v", real, got)
		}
	}
}
