package storetest

// Notes: a note replaces the one that its writer has seen, and no other.

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"thalas/internal/store"
)

// Notes tests a [store.Notes] against its contract. It must be empty.
func Notes(t *testing.T, s store.Notes) {
	noteOf := func(version string) store.Note {
		return store.Note{Version: version, Text: `{"a": "ä"}`, ExpiresAt: fromStart(time.Hour)}
	}
	past := noteOf("past")
	past.ExpiresAt = fromStart(-time.Minute)
	for _, test := range []struct {
		name    string
		before  []store.Note // each replaces the one before it
		old     string
		want    bool
		current store.Note // where it is refused
	}{
		{name: "nothing", want: true},
		{name: "nothing, but one is expected", old: "a"},
		{name: "one that is expected", before: []store.Note{noteOf("a")}, old: "a", want: true},
		{name: "one that is not expected", before: []store.Note{noteOf("a")}, current: noteOf("a")},
		{name: "another one", before: []store.Note{noteOf("a"), noteOf("b")}, old: "a", current: noteOf("b")},
		{name: "an expired one", before: []store.Note{past}, want: true},
		{name: "an expired one that is expected", before: []store.Note{past}, old: "past", want: true},
		{name: "an expired one in the place of another", before: []store.Note{past}, old: "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, last := "flight#"+test.name, ""
			for _, n := range test.before {
				if current, err := s.Replace(t.Context(), key, last, n); err != nil {
					t.Fatalf("replace %q: %+v, %v", last, current, err)
				}
				last = n.Version
			}
			mine := noteOf("mine")
			for range 2 { // the answer of the first call may have been lost
				current, err := s.Replace(t.Context(), key, test.old, mine)
				if !test.want {
					if !errors.Is(err, store.ErrHeld) || diff(test.current, current, nil) != "" {
						t.Fatalf("got %+v, %v; want ErrHeld and %+v", current, err, test.current)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			want := test.current
			if test.want {
				want = mine
			}
			got, err := s.Note(t.Context(), key)
			if d := diff(want, got, err); d != "" {
				t.Errorf("the note (-want +got):\n%s", d)
			}
		})
	}
	t.Run("64 at once", func(t *testing.T) {
		var mu sync.Mutex
		var winners []string
		atOnce(64, func(i int) {
			mine := noteOf(fmt.Sprintf("writer %d", i))
			_, err := s.Replace(t.Context(), "flight#race", "", mine)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners = append(winners, mine.Version)
			} else if !errors.Is(err, store.ErrHeld) {
				t.Error(err)
			}
		})
		got, err := s.Note(t.Context(), "flight#race")
		if len(winners) != 1 || err != nil || got.Version != winners[0] {
			t.Errorf("%d writes succeeded (%v), and the note is %+v, %v", len(winners), winners, got, err)
		}
	})
	t.Run("refusals", func(t *testing.T) {
		long, broken, forever := noteOf("a"), noteOf("a"), noteOf("a")
		long.Text, broken.Text, forever.ExpiresAt = strings.Repeat("x", store.MaxNote+1), "\xff", time.Time{}
		for name, n := range map[string]store.Note{"too long": long, "not UTF-8": broken, "without an expiry": forever, "without a version": noteOf("")} {
			if _, err := s.Replace(t.Context(), "flight#refused", "", n); err == nil || errors.Is(err, store.ErrHeld) {
				t.Errorf("a note %s: %v", name, err)
			}
		}
		if got, err := s.Note(t.Context(), "flight#refused"); got != (store.Note{}) || err != nil {
			t.Errorf("a refused note was stored: %+v, %v", got, err)
		}
	})
}
