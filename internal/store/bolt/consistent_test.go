package bolt

// The consistency that every test can demand of a file.

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func diff(want, got any, err error) string {
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	return cmp.Diff(want, got, cmp.Comparer(bytes.Equal))
}

// checkConsistent checks an open file as Check does: bbolt's pages are sound, each record
// has its entries in the indexes, and there are no others. An outcome must have its result.
func checkConsistent(t testing.TB, s *Store) (checked Checked) {
	t.Helper()
	err := s.view(t.Context(), func(tx *transaction) error {
		c := check{t: tx, ctx: t.Context(), want: map[string]map[string][]byte{}}
		c.records()
		c.entries()
		c.pages()
		c.each(outcomesBucket, func(key, _ []byte) {
			if tx.get(resultsBucket, key) == nil {
				c.found("the outcome of %s has no result", key)
			}
		})
		checked = c.Checked
		if len(c.Damage) > 0 {
			return errors.New(strings.Join(c.Damage, "\n"))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("the file is not consistent: %v", err)
	}
	return checked
}
