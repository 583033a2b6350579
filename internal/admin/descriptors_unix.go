//go:build unix

package admin

import (
	"os"
	"syscall"
)

// Descriptors is how many file descriptors the process has open and how many it may have, -1 where the system does not tell.
func Descriptors() (open, most int64) {
	open, most = -1, -1
	if d, err := os.Open("/proc/self/fd"); err == nil {
		if names, err := d.Readdirnames(-1); err == nil {
			open = int64(len(names)) - 1 // without d
		}
		d.Close()
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		most = int64(limit.Cur)
	}
	return open, most
}
