//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// writable asks access(2) for W_OK.
func writable(name string) error { return os.NewSyscallError("access", syscall.Access(name, 2)) }

// lockDir locks the directory itself, so that no lock file is left for another implementation to stumble over. It is
// advisory and ends with the process, however that ends.
func lockDir(name string) (io.Closer, error) {
	d, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return d, nil
		case err == syscall.EINTR:
		case errors.Is(err, syscall.EWOULDBLOCK):
			d.Close()
			return nil, ErrLocked
		default: // some network file systems have no locks
			d.Close()
			return unlocked{}, nil
		}
	}
}
