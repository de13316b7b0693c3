package service_test

// Results that could not be stored, and what becomes of them later.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/service"
)

// Results that could not be stored are stored by the next run that can, and before the
// process ends; those that can't be are told then.
func TestUnstoredResults(t *testing.T) {
	full := errors.New("no space left on device")
	for _, test := range []struct {
		name  string
		after func(t *testing.T, s fixture)
		lost  bool
	}{
		{"the next run stores all of them", func(t *testing.T, s fixture) {
			s.store.fail(nil, nil)
			ask(t, s, question())
		}, false},
		{"nobody asks, and the process ends", func(t *testing.T, s fixture) {
			s.store.fail(nil, nil)
			if err := wait(t, s); err != nil {
				t.Error(err)
			}
		}, false},
		{"the process ends while the disk is full", func(t *testing.T, s fixture) {
			if err := wait(t, s); err == nil || !strings.HasPrefix(err.Error(), "answers that could not be stored, and are lost now: 3;") {
				t.Errorf("it ends with %v", err)
			}
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, service.Options{}, &voter{name: "a"})
				defer s.store.Close()
				s.store.fail(nil, full)
				var ids []string
				for range 3 {
					ids = append(ids, ask(t, s, question()).Consensus.ID)
				}
				test.after(t, s)
				for _, id := range ids {
					if _, err := s.store.Store.Result(t.Context(), id); (err != nil) != test.lost {
						t.Errorf("%s is read with %v", id, err)
					}
				}
			})
		})
	}
}

func wait(t *testing.T, s fixture) error {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	return s.Wait(ctx)
}
