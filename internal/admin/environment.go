package admin

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
)

// Environment is the machine and the process, under the keys of Apache's envi. There is no Java here: its keys stay, for
// those who look for them, with the value that Apache gives to what it cannot find out.
func Environment(version string) []Property {
	const none = "<NA>"
	known := func(s string, err error) string {
		if err != nil || s == "" {
			return none
		}
		return s
	}
	name, home := none, none
	if u, err := user.Current(); err == nil {
		name, home = known(u.Username, nil), known(u.HomeDir, nil)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	limit := none
	if n := debug.SetMemoryLimit(-1); n < 1<<62 { // math.MaxInt64 is no limit
		limit = mega(uint64(n))
	}
	return []Property{
		{"zookeeper.version", version},
		{"host.name", known(os.Hostname())},
		{"java.version", none},
		{"java.vendor", none},
		{"java.home", none},
		{"java.class.path", none},
		{"java.library.path", none},
		{"java.io.tmpdir", os.TempDir()},
		{"java.compiler", none},
		{"os.name", osName()},
		{"os.arch", runtime.GOARCH},
		{"os.version", known(osVersion())},
		{"user.name", name},
		{"user.home", home},
		{"user.dir", known(os.Getwd())},
		{"os.memory.free", mega(m.HeapIdle - m.HeapReleased)},
		{"os.memory.max", limit},
		{"os.memory.total", mega(m.Sys - m.HeapReleased)},
	}
}

func mega(bytes uint64) string { return fmt.Sprintf("%dMB", bytes>>20) }

// osName is as Java spells it.
func osName() string {
	switch runtime.GOOS {
	case "linux":
		return "Linux"
	case "darwin":
		return "Mac OS X"
	case "freebsd":
		return "FreeBSD"
	case "windows":
		return "Windows"
	}
	return runtime.GOOS
}

func osVersion() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return string(b), err
}

// DirSize is the sum of the lengths of the files in a directory and below it, bytes. What goes away meanwhile or cannot be
// read counts as nothing, as in Apache.
func DirSize(dir string) int64 {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // WalkDir would stop at a link
	}
	var size int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if i, err := d.Info(); err == nil {
			size += i.Size()
		}
		return nil
	})
	return size
}
