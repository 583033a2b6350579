package vfs

import (
	"errors"
	"io"
	"os"
	"syscall"
)

func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// preallocate takes blocks from the file system at once (fallocate), rather than leave a hole: on ext4 a write of 117 KiB
// and its fdatasync were measured 10 to 50 % cheaper in allocated blocks than in a hole, small writes alike, and a disk that
// is full says so here and not in the middle of a record. Readers see zeros either way.
func preallocate(f *os.File, have, size int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, have, size-have)
		switch {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS):
			return sparse(f, size)
		default:
			return os.NewSyscallError("fallocate", err)
		}
	}
}

// seekData is SEEK_DATA of lseek(2), which skips holes and what is allocated and was never written.
const seekData = 3

func nextData(f *os.File, off int64) (int64, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	next, err := f.Seek(off, seekData)
	switch {
	case errors.Is(err, syscall.ENXIO): // nothing from off on
		next, err = f.Seek(0, io.SeekEnd)
	case errors.Is(err, syscall.EINVAL): // a file system without it
		next, err = off, nil
	}
	if err != nil {
		return 0, err
	}
	_, err = f.Seek(at, io.SeekStart)
	return next, err
}
