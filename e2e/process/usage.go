package process

// What a process takes of the machine, as Linux's /proc has it. Elsewhere it is
// not measured, and the report says so.

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

// CPUTime is what a process has used since its start, in user and kernel mode;
// false: not known here.
func CPUTime(pid int) (time.Duration, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The name in parentheses may hold anything; state is the first field after it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, false
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	kernel, errKernel := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+kernel) * tick, errUser == nil && errKernel == nil
}

// Memory of a process in MiB. Pages of a mapped file (the store's) count in the
// resident set too, though the kernel can drop them at any time; the anonymous
// part is what the program holds.
type Memory struct {
	Resident  float64 `json:"resident_mib"`
	Anonymous float64 `json:"anonymous_mib"`
	File      float64 `json:"file_mib"`
	Peak      float64 `json:"peak_resident_mib"`
}

// MemoryOf gives nil where it is not known.
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

// LoadAverage of the last minute; false: not known here.
func LoadAverage() (float64, bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	return load, err == nil
}
