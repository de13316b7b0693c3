//go:build !linux

package main

// The alarm where there is no timerfd: as good as time.Sleep is there.

import "time"

type alarm struct{}

func newAlarm() *alarm { return &alarm{} }

func (*alarm) sleepUntil(t time.Time) { time.Sleep(time.Until(t)) }

func (*alarm) close() {}
