package main

// An alarm that rings within some 50 µs. time.Sleep wakes up to a millisecond
// late in a program that does nothing else, since the runtime then waits in
// epoll, which counts in milliseconds; that is more than what is measured here.
// A timerfd wakes the same epoll at the right time.

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

const (
	clockMonotonic = 1
	timerfdFlags   = syscall.O_NONBLOCK | syscall.O_CLOEXEC
)

// alarm belongs to one goroutine.
type alarm struct {
	timer *os.File // nil: the kernel gave none
}

func newAlarm() *alarm {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, timerfdFlags, 0)
	if errno != 0 {
		return &alarm{}
	}
	return &alarm{timer: os.NewFile(fd, "timerfd")}
}

// sleepUntil returns at t, or at once if t is over.
func (a *alarm) sleepUntil(t time.Time) {
	wait := time.Until(t)
	if wait <= 0 {
		return
	}
	if a.timer == nil || !a.ring(wait) {
		time.Sleep(time.Until(t))
	}
}

// ring waits by the timer; false: it can't.
func (a *alarm) ring(wait time.Duration) bool {
	conn, err := a.timer.SyscallConn()
	if err != nil {
		return false
	}
	once := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(wait))} // interval, value
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&once)), 0, 0, 0)
	})
	if err != nil || errno != 0 {
		return false
	}
	var expirations [8]byte
	_, err = a.timer.Read(expirations[:])
	return err == nil
}

func (a *alarm) close() {
	if a.timer != nil {
		a.timer.Close()
	}
}
