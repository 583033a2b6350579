package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
)

// memFile is an open file of a Mem. It stays usable when the file's name goes, as on POSIX.
type memFile struct {
	m        *Mem
	n        *memNode
	name     string
	writable bool
	closed   bool
	pos      int64
}

func (f *memFile) check(op string, write bool) error {
	switch {
	case f.closed:
		return pathError(op, f.name, fs.ErrClosed)
	case write && !f.writable:
		return pathError(op, f.name, fs.ErrPermission)
	}
	return nil
}

func (f *memFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		if len(b) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(b, f.n.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("write", true); err != nil || len(b) == 0 {
		return 0, err
	}
	f.m.do(f.n, dataChange{off: off, b: slices.Clone(b)})
	return len(b), nil
}

func (f *memFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("truncate", true); err != nil {
		return err
	}
	f.m.do(f.n, dataChange{size: size})
	return nil
}

func (f *memFile) Preallocate(size int64) error {
	if have, err := f.Size(); err != nil || have >= size {
		return err
	}
	return f.Truncate(size)
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("sync", false); err != nil {
		return err
	}
	for _, c := range f.n.pending {
		f.n.disk = c.apply(f.n.disk)
	}
	f.n.pending = nil
	return nil
}

func (f *memFile) Datasync() error { return f.Sync() }

// loseUnsynced is what happens inside a system whose fsync failed: a part of what was pending reached the disk, the rest is
// forgotten, yet processes go on seeing it until the machine stops. rng nil: nothing reached the disk.
func (f *memFile) loseUnsynced(rng *rand.Rand) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if rng != nil && len(f.n.pending) > 0 {
		f.n.disk = partly(f.n.disk, f.n.pending, rng)
	}
	f.n.pending = nil
}

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("stat", false); err != nil {
		return 0, err
	}
	return int64(len(f.n.data)), nil
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("close", false); err != nil {
		return err
	}
	f.closed = true
	return nil
}
