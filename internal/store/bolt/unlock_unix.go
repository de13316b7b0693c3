//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package bolt

// The lock of a file that bbolt can't close any more.

import (
	"os"
	"syscall"
)

// unlock lets other processes have the file. Closing it is not enough: the lock
// lasts as long as the file is mapped.
func unlock(file *os.File) { _ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
