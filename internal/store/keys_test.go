package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

const someID = "019ab0c4-83e2-7000-8000-00000000000a"

func TestSeriesKey(t *testing.T) {
	for _, test := range []struct {
		name            string
		pair, timeframe string
		simulated       bool
		want            string
	}{
		{"real", "BTC/USDT", "5m", false, "BTC/USDT#5m"},
		{"simulated", "BTC/USDT", "5m", true, "simulated#BTC/USDT#5m"},
		{"a question", "Will Bitcoin reach $100k?", "1d", false, "Will Bitcoin reach $100k?#1d"},
		{"a pair that looks simulated", "simulated#BTC/USDT", "5m", false, "real#simulated#BTC/USDT#5m"},
		{"the bare word", "simulated", "5m", false, "real#simulated#5m"},
		{"a pair that looks set apart", "real#simulated#BTC/USDT", "5m", false, "real#real#simulated#BTC/USDT#5m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SeriesKey(test.pair, test.timeframe, test.simulated); got != test.want {
				t.Errorf("SeriesKey = %q, want %q", got, test.want)
			}
		})
	}
}

func TestSeriesNeverMix(t *testing.T) {
	type series struct {
		pair, timeframe string
		simulated       bool
	}
	draw := rapid.Custom(func(t *rapid.T) series {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"simulated", "real", "#", "A", "5m", ""}), 1, 6).Draw(t, "pair")
		return series{strings.Join(parts, "") + "A", rapid.SampledFrom([]string{"5m", "1h"}).Draw(t, "timeframe"), rapid.Bool().Draw(t, "simulated")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		keyA, keyB := SeriesKey(a.pair, a.timeframe, a.simulated), SeriesKey(b.pair, b.timeframe, b.simulated)
		if (a == b) != (keyA == keyB) {
			t.Errorf("%+v has key %q, %+v has key %q", a, keyA, b, keyB)
		}
		if strings.HasPrefix(keyA, "simulated#") != a.simulated {
			t.Errorf("%+v has key %q", a, keyA)
		}
	})
}

func TestDayKey(t *testing.T) {
	lateInTokyo := time.Date(2026, 11, 24, 3, 0, 0, 0, time.FixedZone("JST", 9*3600))
	if got, want := DayKey(lateInTokyo, false), "2026-11-23"; got != want {
		t.Errorf("DayKey = %q, want %q: days are UTC", got, want)
	}
	if got, want := DayKey(lateInTokyo, true), "simulated#2026-11-23"; got != want {
		t.Errorf("DayKey of a simulated one = %q, want %q", got, want)
	}
}

func TestPositionsSortByCandleThenID(t *testing.T) {
	drawTime := rapid.Custom(func(t *rapid.T) time.Time {
		seconds := rapid.Int64Range(0, 4e9).Draw(t, "seconds")
		return time.Unix(seconds, 0).In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600))
	})
	ids := []string{someID, "019ab0c4-83e2-7000-8000-00000000000b"}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTime.Draw(t, "a"), drawTime.Draw(t, "b")
		first, second := rapid.SampledFrom(ids).Draw(t, "first"), rapid.SampledFrom(ids).Draw(t, "second")
		got := strings.Compare(PositionKey(a, first), PositionKey(b, second))
		want := a.Compare(b)
		if want == 0 {
			want = strings.Compare(first, second)
		}
		if got != want {
			t.Errorf("%s and %s compare as %d, want %d", PositionKey(a, first), PositionKey(b, second), got, want)
		}
		if !IsPosition(PositionKey(a, first)) {
			t.Errorf("%s is not taken for a position", PositionKey(a, first))
		}
	})
}

func TestIsPosition(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"as made", "2026-11-23T04:55:00Z#" + someID, true},
		{"an id alone", someID, false},
		{"nothing", "", false},
		{"no id", "2026-11-23T04:55:00Z#", false},
		{"no time", "#" + someID, false},
		{"another zone", "2026-11-23T04:55:00+00:00#" + someID, false},
		{"a fraction", "2026-11-23T04:55:00.5Z#" + someID, false},
		{"no such day", "2026-02-30T04:55:00Z#" + someID, false},
		{"more behind it", "2026-11-23T04:55:00Z#" + someID + "#", false},
		{"an id in capitals", "2026-11-23T04:55:00Z#" + strings.ToUpper(someID), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := IsPosition(test.text); got != test.want {
				t.Errorf("IsPosition(%q) = %v, want %v", test.text, got, test.want)
			}
		})
	}
}

func TestIsIDAndMadeAt(t *testing.T) {
	fresh := uuid.Must(uuid.NewV7()).String()
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"version 7", someID, true},
		{"a fresh one", fresh, true},
		{"version 4", uuid.NewString(), false},
		{"capitals", strings.ToUpper(someID), false},
		{"braces", "{" + someID + "}", false},
		{"a URN", "urn:uuid:" + someID, false},
		{"no dashes", strings.ReplaceAll(someID, "-", ""), false},
		{"nothing", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := IsID(test.text); got != test.want {
				t.Errorf("IsID(%q) = %v, want %v", test.text, got, test.want)
			}
			if got := !MadeAt(test.text).IsZero(); got != test.want {
				t.Errorf("MadeAt(%q) = %s", test.text, MadeAt(test.text))
			}
		})
	}
	if got, want := MadeAt(someID), time.UnixMilli(0x019ab0c483e2).UTC(); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("MadeAt = %s, want %s", got, want)
	}
}

func TestBoundsOfOrders(t *testing.T) {
	second := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC).UnixMilli()
	for _, test := range []struct {
		name      string
		got, want string
	}{
		{"a whole second", PositionsFrom(second), "2026-03-02T05:00:00Z"},
		{"part of a second", PositionsFrom(second + 1), "2026-03-02T05:00:01Z"},
		{"before the first year", PositionsFrom(-1 << 47), ""},
		{"behind the last year", PositionsFrom(1 << 50), AboveAll},
		{"ids of a millisecond", IDsFrom(0x019ab0c483e2), "019ab0c4-83e2"},
		{"ids before the epoch", IDsFrom(-1), ""},
		{"ids behind the last", IDsFrom(1 << 48), AboveAll},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
}
