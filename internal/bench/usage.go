package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of CPU time in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuOf is the CPU time that the processes have used. Linux only; elsewhere, and without pids, ok is false.
func cpuOf(pids []int) (d time.Duration, ok bool) {
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, false
		}
		t, ok := parseStat(b)
		if !ok {
			return 0, false
		}
		d += t
	}
	return d, len(pids) > 0
}

// parseStat adds utime and stime, the 14th and 15th field. The second is a name in parentheses that may contain anything.
func parseStat(b []byte) (time.Duration, bool) {
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseInt(string(f[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(f[12]), 10, 64)
	return time.Duration(user+system) * clockTick, err1 == nil && err2 == nil
}

// memoryOf is the resident memory of the processes in bytes. Linux only; elsewhere, and without pids, ok is false.
func memoryOf(pids []int) (n int64, ok bool) {
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, false
		}
		kb, ok := parseStatus(b, "VmRSS:")
		if !ok {
			return 0, false
		}
		n += kb << 10
	}
	return n, len(pids) > 0
}

// parseStatus finds a line "Name:  123 kB".
func parseStatus(b []byte, name string) (kb int64, ok bool) {
	for line := range bytes.Lines(b) {
		if rest, found := bytes.CutPrefix(line, []byte(name)); found {
			f := bytes.Fields(rest)
			if len(f) == 0 {
				return 0, false
			}
			kb, err := strconv.ParseInt(string(f[0]), 10, 64)
			return kb, err == nil
		}
	}
	return 0, false
}
