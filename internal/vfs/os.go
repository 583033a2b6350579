package vfs

import (
	"io"
	"io/fs"
	"os"
)

// OS is the file system of the machine.
type OS struct{}

// OpenFile implements FS. New files have mode 0644 less the umask, as Java makes them.
func (OS) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Create implements FS.
func (o OS) Create(name string) (File, error) {
	return o.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (o OS) Open(name string) (File, error) { return o.OpenFile(name, os.O_RDONLY) }

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat implements FS.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// MkdirAll implements FS.
func (OS) MkdirAll(name string) error { return os.MkdirAll(name, 0o755) }

// SyncDir implements FS.
func (OS) SyncDir(name string) error { return syncDir(name) }

// Writable implements FS.
func (OS) Writable(name string) error { return writable(name) }

// Lock implements FS.
func (OS) Lock(name string) (io.Closer, error) { return lockDir(name) }

type osFile struct{ *os.File }

func (f osFile) Datasync() error { return datasync(f.File) }

func (f osFile) Preallocate(size int64) error {
	have, err := f.Size()
	if err != nil || have >= size {
		return err
	}
	return preallocate(f.File, have, size)
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// NextData is where data begins at or behind off: before it there are zeros only. It is off itself where the system cannot tell, and the
// end of the file if there is no more.
func (f osFile) NextData(off int64) (int64, error) { return nextData(f.File, off) }

// sparse lengthens a file by one zero byte at its new end, as Apache does.
func sparse(f *os.File, size int64) error {
	_, err := f.WriteAt([]byte{0}, size-1)
	return err
}

// unlocked is a lock of a system that has none.
type unlocked struct{}

func (unlocked) Close() error { return nil }
