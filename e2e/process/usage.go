package process

// What a process uses of the machine, from Linux's /proc. On other systems it is not
// measured.

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc/<pid>/stat: USER_HZ, 100 on every Linux
// that Go runs on.
const tick = 10 * time.Millisecond

// CPUTime is the processor time that a process has used since its start, in user and
// kernel mode. It is 0 where the system does not tell it.
func CPUTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; state is the first field after it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	kernel, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+kernel) * tick
}

// Memory of a process in MiB. Resident memory includes the mapped pages of files (the
// store's), which the kernel can drop at any time. Anonymous memory is what the program
// itself holds.
type Memory struct{ Resident, Anonymous, File, Peak float64 }

// MemoryOf returns nil where the system does not tell the memory.
func MemoryOf(pid int) *Memory {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	var m Memory
	of := map[string]*float64{"VmRSS": &m.Resident, "RssAnon": &m.Anonymous, "RssFile": &m.File, "VmHWM": &m.Peak}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if into := of[name]; into != nil {
			var kib float64
			if _, err := fmt.Sscanf(value, "%f kB", &kib); err != nil {
				return nil
			}
			*into = kib / 1024
		}
	}
	if m.Resident == 0 {
		return nil
	}
	return &m
}

// LoadAverage is that of the last minute. It is 0 where the system does not tell it.
func LoadAverage() (load float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &load)
	return load
}
