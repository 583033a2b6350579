package bench

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Environment is where and with what a run was made.
type Environment struct {
	Time   string // RFC 3339
	Bench  string // version of the module
	Go     string
	System string // operating system, architecture and kernel
	CPU    string
	Cores  int
	Memory int64    // bytes; 0 is unknown
	Args   []string // of the command
}

func environment() Environment {
	e := Environment{
		Time: time.Now().Format(time.RFC3339), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.NumCPU(), Args: os.Args,
	}
	if bi, ok := debug.ReadBuildInfo(); ok {
		e.Bench = bi.Main.Version
		for _, s := range bi.Settings {
			if s.Key == "vcs.revision" {
				e.Bench += " " + s.Value
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		e.System += " " + strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(b) {
			if name, v, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				e.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kb, ok := parseStatus(b, "MemTotal:"); ok {
			e.Memory = kb << 10
		}
	}
	return e
}
