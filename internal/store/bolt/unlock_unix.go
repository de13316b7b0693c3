//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package bolt

// What only these systems have: a lock that outlives the file's handle, and owners.

import (
	"os"
	"syscall"
)

// unlock lets other processes have the file. Closing it is not enough: the lock
// lasts as long as the file is mapped.
func unlock(file *os.File) { _ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }

// sameOwner gives a file to the owner of another.
func sameOwner(path string, of os.FileInfo) error {
	if owner, known := of.Sys().(*syscall.Stat_t); known {
		return os.Chown(path, int(owner.Uid), int(owner.Gid))
	}
	return nil
}
