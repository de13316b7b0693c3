package venue_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
)

// counted answers every request in the same way, without a connection.
type counted struct {
	asked  int
	status int
	wait   string // Retry-After; empty: none
	body   string
}

func (c *counted) RoundTrip(*http.Request) (*http.Response, error) {
	c.asked++
	response := &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(c.body)))}
	if c.wait != "" {
		response.Header.Set("Retry-After", c.wait)
	}
	return response, nil
}

func TestVenueIsLeftAlone(t *testing.T) {
	tests := []struct {
		name   string
		answer counted
		kind   market.Kind
		wait   time.Duration
	}{
		{"as long as it asked", counted{status: 429, wait: "90"}, market.ErrRateLimited, 90 * time.Second},
		{"until it asked", counted{status: 429, wait: "Sat, 01 Jan 2000 00:01:30 GMT"}, market.ErrRateLimited, 90 * time.Second}, // synctest begins in 2000
		{"503 that asked", counted{status: 503, wait: "7"}, market.ErrUnavailable, 7 * time.Second},
		{"429 without a wait", counted{status: 429}, market.ErrRateLimited, 10 * time.Second},
		{"its words for 429", counted{status: 200, body: `{"error":["EGeneral:Too many requests"]}`}, market.ErrRateLimited, 10 * time.Second},
		{"451", counted{status: 451}, market.ErrRefused, 10 * time.Minute},
		{"500", counted{status: 500}, market.ErrUnavailable, 0},
		{"unknown pair", counted{status: 200, body: `{"error":["EQuery:Unknown asset pair"]}`}, market.ErrUnsupported, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := tt.answer
				source, err := venue.New("kraken", "", &http.Client{Transport: &answers})
				if err != nil {
					t.Fatal(err)
				}
				s := series(t, "BTC/USD", "5m")
				ask := func() *market.Error {
					_, err := source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
					return failed(t, err, tt.kind)
				}
				ask()
				if tt.wait > 0 {
					time.Sleep(tt.wait - time.Second)
					if e := ask(); answers.asked != 1 || e.RetryAfter != time.Second || !strings.Contains(e.Message, "left alone for another 1s") {
						t.Fatalf("asked %d times: %+v", answers.asked, e)
					}
					time.Sleep(time.Second)
				}
				if ask(); answers.asked != 2 {
					t.Errorf("asked %d times", answers.asked)
				}
			})
		})
	}
}

// silent is a venue that accepts a request and never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestVenueIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, err := venue.New("okx", "", &http.Client{Transport: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		s := series(t, "BTC/USD", "5m")
		begun := time.Now()
		_, err = source.Candles(t.Context(), s, s.Timeframe.LastClosed(now))
		if e := failed(t, err, market.ErrUnavailable); time.Since(begun) != 5*time.Second || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(e.Message, "within 5s") {
			t.Errorf("after %s: %s", time.Since(begun), e)
		}
	})
}
