package bolt

// Damaged files: what bbolt does to the process, turned into errors.

import (
	"fmt"
	"runtime/debug"
)

// contained runs what touches the mapped file. A panic in it becomes an
// ErrDamaged: bbolt's own on a page that makes no sense, and the fault of an
// access behind the file's end, which would otherwise end the process.
func contained(path string, run func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if found := recover(); found != nil {
			err = &damaged{path: path, found: fmt.Sprint(found)}
		}
	}()
	return run()
}
