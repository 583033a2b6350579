package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Mem is a file system in memory that knows which part of itself a crash would spare. It has no clock and draws no chance of
// its own: the time of a change is its number, in seconds since 1970. The zero value is not ready; call NewMem.
type Mem struct {
	mu      sync.Mutex
	names   map[string]*memNode // cleaned path; what processes see
	durable map[string]*memNode // what the disk has
	pending []nameChange        // since then, oldest first
	locked  map[string]bool
	changes int64
}

// memNode is a file or directory, whatever its names.
type memNode struct {
	dir     bool
	data    []byte // what processes see
	disk    []byte // what the disk has
	pending []dataChange
	changed int64 // Mem.changes at the last change
}

// nameChange binds name to node, or unbinds it if node is nil. A rename is one change of two names.
type nameChange struct {
	dir      string // whose SyncDir makes it durable
	name     string
	node     *memNode
	previous string // a rename: the name that ends; "" else
}

// dataChange is a write of b at off, or, where b is nil, a new size.
type dataChange struct {
	off  int64
	b    []byte
	size int64
}

func (c dataChange) apply(to []byte) []byte {
	if c.b == nil {
		return resize(to, c.size)
	}
	if end := c.off + int64(len(c.b)); end > int64(len(to)) {
		to = resize(to, end)
	}
	copy(to[c.off:], c.b)
	return to
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		clear(b[size:]) // so that growing again shows zeros
		return b[:size]
	}
	n := len(b)
	b = slices.Grow(b, int(size)-n)[:size]
	clear(b[n:])
	return b
}

// NewMem is an empty file system. The root and the current directory exist.
func NewMem() *Mem {
	m := &Mem{names: map[string]*memNode{}, durable: map[string]*memNode{}, locked: map[string]bool{}}
	for _, d := range []string{".", string(filepath.Separator)} {
		n := &memNode{dir: true}
		m.names[d], m.durable[d] = n, n
	}
	return m
}

// Crash returns the file system as it would be found after the machine lost power now: a new Mem, on which nothing is
// pending. Of what was not synced, rng chooses what survived: of a file nothing, everything, a prefix cut at any byte, or any
// of its sectors; of names nothing, everything, a prefix, or any. m itself goes on unchanged. The same m and the same state of
// rng give the same result.
func (m *Mem) Crash(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make(map[string]*memNode, len(m.durable))
	for name, n := range m.durable {
		names[name] = n
	}
	keep := survivors(rng, len(m.pending))
	for i, c := range m.pending {
		if keep(i) {
			c.apply(names)
		}
	}

	after := NewMem()
	after.changes = m.changes
	survived := map[*memNode]*memNode{}
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	slices.Sort(order) // parents before children, and the same order every time
	for _, name := range order {
		n := names[name]
		if _, ok := after.names[filepath.Dir(name)]; !ok {
			continue // its directory is lost
		}
		copied := survived[n]
		if copied == nil {
			copied = n.crash(rng)
			survived[n] = copied
		}
		after.names[name], after.durable[name] = copied, copied
	}
	return after
}

func (c nameChange) apply(names map[string]*memNode) {
	if c.previous != "" {
		delete(names, c.previous)
	}
	if c.node == nil {
		delete(names, c.name)
	} else {
		names[c.name] = c.node
	}
}

// survivors tells which of n changes in order reach the disk.
func survivors(rng *rand.Rand, n int) func(i int) bool {
	switch rng.IntN(4) {
	case 0:
		return func(int) bool { return false }
	case 1:
		return func(int) bool { return true }
	case 2:
		end := rng.IntN(n + 1)
		return func(i int) bool { return i < end }
	}
	return func(int) bool { return rng.IntN(2) == 0 }
}

// sectorSize is what a disk writes wholly or not at all.
const sectorSize = 512

func (n *memNode) crash(rng *rand.Rand) *memNode {
	disk := slices.Clone(n.disk)
	if len(n.pending) > 0 {
		disk = partly(disk, n.pending, rng)
	}
	return &memNode{dir: n.dir, data: disk, disk: slices.Clone(disk), changed: n.changed}
}

// partly applies a part of changes to what is on disk.
func partly(disk []byte, changes []dataChange, rng *rand.Rand) []byte {
	switch rng.IntN(4) {
	case 0: // nothing
	case 1: // everything
		for _, c := range changes {
			disk = c.apply(disk)
		}
	case 2: // in order until the power went, the last write torn at any byte
		end := rng.IntN(len(changes))
		for _, c := range changes[:end] {
			disk = c.apply(disk)
		}
		if c := changes[end]; c.b != nil {
			c.b = c.b[:rng.IntN(len(c.b)+1)]
			disk = c.apply(disk)
		}
	case 3: // any sectors, in any order
		for _, c := range changes {
			if c.b == nil {
				if rng.IntN(2) == 0 {
					disk = c.apply(disk)
				}
				continue
			}
			for off := int64(0); off < int64(len(c.b)); {
				at := c.off + off
				n := min(sectorSize-at%sectorSize, int64(len(c.b))-off)
				if rng.IntN(2) == 0 {
					disk = dataChange{off: at, b: c.b[off : off+n]}.apply(disk)
				}
				off += n
			}
		}
	}
	return disk
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// change records a change of names that happened now.
func (m *Mem) change(c nameChange) {
	c.dir = filepath.Dir(c.name)
	c.apply(m.names)
	m.pending = append(m.pending, c)
	m.changes++
}

// OpenFile implements FS.
func (m *Mem) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Clean(name)
	n := m.names[path]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n == nil:
		if d := m.names[filepath.Dir(path)]; d == nil || !d.dir {
			return nil, pathError("open", name, fs.ErrNotExist)
		}
		n = &memNode{}
		m.change(nameChange{name: path, node: n})
		n.changed = m.changes
	case flag&os.O_EXCL != 0:
		return nil, pathError("open", name, fs.ErrExist)
	case n.dir:
		return nil, pathError("open", name, syscall.EISDIR)
	}
	writable := flag&(os.O_RDWR|os.O_WRONLY) != 0
	if writable && flag&os.O_TRUNC != 0 && len(n.data) > 0 {
		m.do(n, dataChange{})
	}
	return &memFile{m: m, n: n, name: name, writable: writable}, nil
}

// do applies a change of content now.
func (m *Mem) do(n *memNode, c dataChange) {
	n.data = c.apply(n.data)
	n.pending = append(n.pending, c)
	m.changes++
	n.changed = m.changes
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	return m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) { return m.OpenFile(name, os.O_RDONLY) }

// Rename implements FS; of files only.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, b := filepath.Clean(from), filepath.Clean(to)
	n := m.names[a]
	if n == nil || m.names[filepath.Dir(b)] == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrNotExist}
	}
	if n.dir || m.names[b] != nil && m.names[b].dir {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EISDIR}
	}
	m.change(nameChange{name: b, node: n, previous: a})
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Clean(name)
	n := m.names[path]
	if n == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	if n.dir && len(m.under(path)) > 0 {
		return pathError("remove", name, syscall.ENOTEMPTY)
	}
	m.change(nameChange{name: path})
	return nil
}

// under lists the names in a directory, sorted.
func (m *Mem) under(dir string) []string {
	var names []string
	for name := range m.names {
		if filepath.Dir(name) == dir && name != dir {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Clean(name)
	if n := m.names[path]; n == nil || !n.dir {
		return nil, pathError("open", name, fs.ErrNotExist)
	}
	var list []fs.DirEntry
	for _, name := range m.under(path) {
		list = append(list, fs.FileInfoToDirEntry(m.names[name].info(name)))
	}
	return list, nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[filepath.Clean(name)]
	if n == nil {
		return nil, pathError("stat", name, fs.ErrNotExist)
	}
	return n.info(name), nil
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mkdir(filepath.Clean(name))
}

func (m *Mem) mkdir(path string) error {
	if n := m.names[path]; n != nil {
		if !n.dir {
			return pathError("mkdir", path, syscall.ENOTDIR)
		}
		return nil
	}
	if err := m.mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	m.change(nameChange{name: path, node: &memNode{dir: true}})
	return nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Clean(name)
	if n := m.names[path]; n == nil || !n.dir {
		return pathError("sync", name, fs.ErrNotExist)
	}
	m.pending = slices.DeleteFunc(m.pending, func(c nameChange) bool {
		if c.dir == path {
			c.apply(m.durable)
		}
		return c.dir == path
	})
	return nil
}

// Writable implements FS.
func (m *Mem) Writable(name string) error {
	_, err := m.Stat(name)
	return err
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Clean(name)
	if m.names[path] == nil {
		return nil, pathError("open", name, fs.ErrNotExist)
	}
	if m.locked[path] {
		return nil, ErrLocked
	}
	m.locked[path] = true
	return &memLock{m, path}, nil
}

type memLock struct {
	m    *Mem
	path string
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locked, l.path)
	return nil
}

type memInfo struct {
	name string
	size int64
	dir  bool
	mod  time.Time
}

func (n *memNode) info(name string) memInfo {
	return memInfo{filepath.Base(name), int64(len(n.data)), n.dir, time.Unix(n.changed, 0).UTC()}
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return i.mod }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }
func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
