package provider_test

import (
	"testing"
	"testing/synctest"
	"time"

	"thalas/internal/provider"
	"thalas/internal/signal"
)

func TestHearingOfOtherProcesses(t *testing.T) {
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	refused := &provider.Error{Kind: signal.FailureAuthentication, Message: "no"}
	fail := func(b *provider.Breaker) {
		permit, _ := b.Acquire(true)
		permit.Record(refused)
	}
	for _, tt := range []struct {
		name   string
		before func(*provider.Breaker)
		heard  func() provider.Learnt
		want   time.Duration // until when it is left out; 0: it is not
	}{
		{"a refused key", nil, func() provider.Learnt {
			return provider.Learnt{Reason: signal.LeftOutKeyRefused, Until: in(40 * time.Second)}
		}, 40 * time.Second},
		{"by a clock that is days ahead", nil, func() provider.Learnt {
			return provider.Learnt{Reason: signal.LeftOutKeyRefused, Until: in(48 * time.Hour), Wait: in(48 * time.Hour)}
		}, 15 * time.Minute},
		{"by a clock that is far behind", nil, func() provider.Learnt {
			return provider.Learnt{Reason: signal.LeftOutFailing, Until: in(-time.Hour)}
		}, 0},
		{"a wait", nil, func() provider.Learnt { return provider.Learnt{Wait: in(time.Minute)} }, time.Minute},
		{"a shorter outage than its own", fail, func() provider.Learnt {
			return provider.Learnt{Reason: signal.LeftOutFailing, Until: in(time.Second)}
		}, 30 * time.Second},
		{"a success", fail, func() provider.Learnt { return provider.Learnt{} }, 0},
		{"a success while a call tries it", func(b *provider.Breaker) {
			fail(b)
			time.Sleep(30 * time.Second)
			b.Acquire(true)
		}, func() provider.Learnt { return provider.Learnt{} }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := provider.NewBreaker()
				if tt.before != nil {
					tt.before(b)
				}
				heard := tt.heard()
				b.Hear(heard)
				left := time.Duration(0)
				if out := b.LeftOut(); out != nil {
					left = time.Until(out.Until)
				}
				if left != tt.want {
					t.Errorf("left out for another %s, want %s", left, tt.want)
				}
				again := provider.NewBreaker() // what a third process hears of this one
				again.Hear(b.Learnt())
				if got, want := again.Learnt(), b.Learnt(); got != want {
					t.Errorf("told %+v, want %+v", got, want)
				}
			})
		})
	}
}
