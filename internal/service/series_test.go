package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store/bolt"
)

// texts writes a list of series for comparison.
func texts(t *testing.T, s fixture) string {
	t.Helper()
	list, err := s.Series(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, one := range list {
		text := one.Pair + " " + string(one.Timeframe)
		if one.ID != nil && one.CandleTime != nil {
			text += " " + one.CandleTime.Format(time.TimeOnly)
		}
		if one.Watched {
			text += " watched"
		}
		if one.LastError != nil {
			text += " " + one.LastError.Error
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestSeries(t *testing.T) {
	file := t.TempDir() + "/thalas.db"
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 4, 57, 0, 0, time.UTC)))
		db, err := bolt.Open(file, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s := serviceOver(t, service.Options{}, &faulty{Store: db}, &voter{name: "a"})
		pair := func(text string) signal.Pair {
			p, err := signal.ParseMarket(text)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		askAbout := func(market string) {
			t.Helper()
			q := question()
			q.Pair = pair(market)
			ask(t, s, q)
			time.Sleep(time.Second)
		}
		want := func(what, want string) {
			t.Helper()
			if got := texts(t, s); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		want("nothing was asked", "")
		askAbout("BTC/USDT")
		askAbout("Will it rain #5 times?")
		want("within 15 s", "")
		time.Sleep(15 * time.Second)
		want("two series", "BTC/USDT 5m 04:50:00, Will it rain #5 times? 5m 04:50:00")

		s.Watch([]service.Watched{{Pair: pair("BTC/USDT"), Timeframe: "5m"}, {Pair: pair("BTC/USDT"), Timeframe: "1h", Failed: &service.SeriesError{Error: "unavailable"}}})
		want("watched", "BTC/USDT 5m 04:50:00 watched, BTC/USDT 1h watched unavailable, Will it rain #5 times? 5m 04:50:00")
		s.Watch(nil)

		// A failed run says so until the next decision, also in the next hour.
		time.Sleep(5 * time.Minute)
		v := s.Registry.Entries()[0].Provider.(*voter)
		v.err = &provider.Error{Kind: signal.FailureProvider, Message: "planted"}
		if _, err := s.Ask(t.Context(), question()); !errors.Is(err, signal.ErrorCode("insufficient_responses")) {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		want("a failed run", "BTC/USDT 5m 04:50:00 insufficient_responses, Will it rain #5 times? 5m 04:50:00")
		v.err = nil
		askAbout("BTC/USDT")
		time.Sleep(time.Minute)
		want("asked again", "BTC/USDT 5m 04:55:00, Will it rain #5 times? 5m 04:50:00")

		time.Sleep(24*time.Hour - 3*time.Minute)
		want("a day later", "BTC/USDT 5m 04:55:00")
		s.store.fail(errDown, nil)
		time.Sleep(time.Minute)
		if _, err := s.Series(t.Context()); !errors.Is(err, service.ErrStore) {
			t.Errorf("a store that is down: %v", err)
		}
		s.store.fail(nil, nil)
		time.Sleep(5 * time.Minute)
		want("more than a day later", "")

		// Clients that always ask about something else don't fill the counters.
		for i := range 400 {
			askAbout(fmt.Sprintf("Will it rain on day %d? %s", i, strings.Repeat("x", 50)))
		}
		size := 0
		hours, err := s.Store.Hours(t.Context(), "2026-11-23", "2026-11-25")
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hours {
			noted := 0
			for name := range h.Texts {
				if strings.HasPrefix(name, "series.") {
					noted += len(name)
				}
			}
			size = max(size, noted)
		}
		if size < 15<<10 || size > 16<<10 {
			t.Errorf("the names of series of one hour have %d bytes, want at most 16 KB", size)
		}
	})
}
