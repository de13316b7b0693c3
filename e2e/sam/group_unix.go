//go:build unix

package sam

import (
	"os/exec"
	"syscall"
)

// alone keeps a terminal's Ctrl-C from the command: it is told to end by us, and a
// second interrupt would break off how it removes its containers.
func alone(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
