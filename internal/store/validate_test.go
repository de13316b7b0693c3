package store

// What is invalid, in detail. Package storetest tests that every store refuses it.

import (
	"math"
	"strings"
	"testing"
	"time"
)

var validTime = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

func TestValidateResult(t *testing.T) {
	for name, spoil := range map[string]func(*Result){
		"":                         func(*Result) {}, // valid
		"no id":                    func(r *Result) { r.ID = "" },
		"an id of another kind":    func(r *Result) { r.ID = "5d2c5ad8-5f8e-4d4e-9b4e-3a2f6f0a1b2c" },
		"no position":              func(r *Result) { r.Position = "" },
		"a position of another id": func(r *Result) { r.Position = PositionKey(validTime, "019ab0c4-83e2-7000-8000-00000000000b") },
		"no series":                func(r *Result) { r.Series = "" },
		"a very long series":       func(r *Result) { r.Series = strings.Repeat("x", 40_000) },
		"a series not in UTF-8":    func(r *Result) { r.Series = "BTC\xff#5m" },
		"no day":                   func(r *Result) { r.Day = "" },
		"no time":                  func(r *Result) { r.CreatedAt = time.Time{} },
		"a year of five digits":    func(r *Result) { r.CreatedAt = r.CreatedAt.AddDate(9000, 0, 0) },
		"a body not in UTF-8":      func(r *Result) { r.Body = []byte("\"\xff\"") },
		"a very long body":         func(r *Result) { r.Body = make([]byte, 17<<20) },
	} {
		r := Result{ID: someID, Series: "BTC/USDT#5m", Position: PositionKey(validTime, someID), Day: "2026-03-02", CreatedAt: validTime, Body: []byte("{}")}
		spoil(&r)
		if err := r.Validate(); (err == nil) != (name == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateSettlement(t *testing.T) {
	for name, spoil := range map[string]func(*Settlement){
		"":                          func(*Settlement) {}, // valid
		"no id":                     func(s *Settlement) { s.ID = "" },
		"a position of another id":  func(s *Settlement) { s.Position = PositionKey(validTime, "019ab0c4-83e2-7000-8000-00000000000b") },
		"no group":                  func(s *Settlement) { s.Group = "" },
		"no pair":                   func(s *Settlement) { s.Pair = "" },
		"a pair that ends too soon": func(s *Settlement) { s.Pair = "BTC#USDT" },
		"no scores":                 func(s *Settlement) { s.Scores = "" },
		"no outcome":                func(s *Settlement) { s.Outcome = nil },
		"an outcome not in UTF-8":   func(s *Settlement) { s.Outcome = []byte("\xff") },
		"no day":                    func(s *Settlement) { s.Day = "" },
		"a day with a time":         func(s *Settlement) { s.Day = "2026-03-02T05" },
		"a voter without a name":    func(s *Settlement) { s.Sums[""] = s.Sums["consensus"] },
		"a very long key":           func(s *Settlement) { s.Sums[strings.Repeat("x", 900)] = nil },
		"too many counters": func(s *Settlement) {
			for i := range maxCounters {
				s.Sums["consensus"][strings.Repeat("x", 1+i%90)+string(rune('a'+i/90))] = 1
			}
		},
		"a counter without a name":   func(s *Settlement) { s.Sums["consensus"][""] = 1 },
		"a counter of the item":      func(s *Settlement) { s.Sums["consensus"]["expires_at"] = 1 },
		"no number":                  func(s *Settlement) { s.Sums["consensus"]["n"] = math.NaN() },
		"an infinite number":         func(s *Settlement) { s.Sums["consensus"]["n"] = math.Inf(-1) },
		"a number beyond all bounds": func(s *Settlement) { s.Sums["consensus"]["n"] = 1e13 },
	} {
		s := Settlement{
			Unsettled: Unsettled{ID: someID, Group: "pending#5m", Position: PositionKey(validTime, someID), Pair: "BTC/USDT", Scores: "scores#5m#v1", Outcome: []byte("{}")},
			Day:       "2026-03-02", Sums: map[string]map[string]float64{"consensus": {"n": 1, "sum": -.5}},
		}
		r := Result{ID: someID, Series: "BTC/USDT#5m", Position: s.Position, Day: "2026-03-02", CreatedAt: validTime, Settlement: &s}
		spoil(&s)
		if err := r.Validate(); (err == nil) != (name == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	u := Unsettled{ID: someID, Group: "pending#5m", Position: PositionKey(validTime.Add(time.Hour), someID), Pair: "BTC/USDT", Scores: "scores#5m#v1"}
	r := Result{ID: someID, Series: "BTC/USDT#5m", Position: PositionKey(validTime, someID), Day: "2026-03-02", CreatedAt: validTime, Unsettled: &u}
	if r.Validate() == nil {
		t.Error("an entry at another position than its result is valid")
	}
	u.Position, r.Settlement = r.Position, &Settlement{}
	if r.Validate() == nil {
		t.Error("a result that is settled and on the list is valid")
	}
}

func TestValidateCount(t *testing.T) {
	one := map[string]int64{"requests": 1}
	for name, count := range map[string]Count{
		"nothing, without a time": {}, "a counter": {At: validTime, Add: one}, "a text": {At: validTime, Set: map[string]string{"model": ""}},
	} {
		if err := count.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, at := range map[string]time.Time{"no time": {}, "a year of five digits": validTime.AddDate(9000, 0, 0)} {
		if (Count{At: at, Add: one}).Validate() == nil {
			t.Errorf("%s: valid", name)
		}
	}
	for _, name := range []string{"", "day", "hour", "expires_at"} {
		if (Count{At: validTime, Add: map[string]int64{name: 1}}).Validate() == nil {
			t.Errorf("the counter %q would overwrite the hour's own attribute", name)
		}
		if (Count{At: validTime, Set: map[string]string{name: "x"}}).Validate() == nil {
			t.Errorf("the text %q would overwrite the hour's own attribute", name)
		}
	}
}

func TestValidateClaimsAndLeases(t *testing.T) {
	long := strings.Repeat("x", 40_000)
	for name, test := range map[string]struct {
		err   error
		valid bool
	}{
		"a claim":                      {Claim{Owner: "me"}.Validate("key"), true},
		"a claim without a key":        {Claim{Owner: "me"}.Validate(""), false},
		"a claim with a long key":      {Claim{Owner: "me"}.Validate(long), false},
		"a claim without an owner":     {Claim{}.Validate("key"), false},
		"a claim with a result":        {Claim{Owner: "me", Result: "x"}.Validate("key"), false},
		"a lease":                      {Lease{Key: "key"}.Validate(0), true},
		"a lease without a key":        {Lease{}.Validate(0), false},
		"a lease with a long key":      {Lease{Key: long}.Validate(0), false},
		"a lease of an amount below 0": {Lease{Key: "key", Amount: -1}.Validate(0), false},
		"a cost below 0":               {Lease{Key: "key"}.Validate(-1), false},
	} {
		if (test.err == nil) != test.valid {
			t.Errorf("%s: %v", name, test.err)
		}
	}
}

func TestValidateRange(t *testing.T) {
	for _, limit := range []int{0, -1} {
		if (Range{Limit: limit}).Validate(IsID) == nil {
			t.Errorf("a limit of %d is valid", limit)
		}
	}
	id, position := someID, PositionKey(validTime, someID)
	if err := (Range{Limit: 1, Before: id}).Validate(IsID); err != nil {
		t.Errorf("an id: %v", err)
	}
	if err := (Range{Limit: 1, Before: position}).Validate(IsPosition); err != nil {
		t.Errorf("a position: %v", err)
	}
	for _, cursor := range []string{"2", strings.ToUpper(id), id + "#", id[:10], "\x00", " " + id, "2026-03-02T05:00:00Z#", "2026-03-02T05:00:00+00:00#" + id} {
		for kind, isCursor := range map[string]func(string) bool{"series": IsPosition, "day": IsID} {
			if err := (Range{Limit: 1, Before: cursor}).Validate(isCursor); err != ErrCursor {
				t.Errorf("the cursor %q of a %s: %v, want ErrCursor", cursor, kind, err)
			}
		}
	}
}

func TestParseDay(t *testing.T) {
	if at, err := ParseDay("2026-03-01"); err != nil || at.Format(time.DateOnly) != "2026-03-01" {
		t.Errorf("%s, %v", at, err)
	}
	for _, day := range []string{"", "today", "2026-3-1", "2026-02-30", "2026-03-01T00:00:00Z", "2026-03-02T05"} {
		if at, err := ParseDay(day); err == nil {
			t.Errorf("%q: %s, want an error", day, at)
		}
	}
}
