package vfs

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Op is what a caller asks of a file system, as far as it can be made to fail.
type Op string

// The ops. Sync stands for Sync and Datasync.
const (
	OpOpen        Op = "open" // for reading, and for writing a file that is there
	OpCreate      Op = "create"
	OpRead        Op = "read"
	OpWrite       Op = "write"
	OpTruncate    Op = "truncate"
	OpPreallocate Op = "preallocate"
	OpSync        Op = "sync"
	OpRename      Op = "rename"
	OpRemove      Op = "remove"
	OpMkdir       Op = "mkdir"
	OpReadDir     Op = "readdir"
	OpStat        Op = "stat"
	OpSyncDir     Op = "syncdir"
)

// effects tells which ops change something that a crash can lose.
func (o Op) effect() bool {
	switch o {
	case OpOpen, OpRead, OpReadDir, OpStat:
		return false
	}
	return true
}

// ErrInjected is the error of a Fault that names none: an input/output error.
var ErrInjected error = syscall.EIO

// ErrCrashed is the error of everything after Faulty.CrashAfter struck.
var ErrCrashed = errors.New("vfs: the machine has crashed")

// Fault makes ops fail.
type Fault struct {
	Op    Op     // "" is any
	Name  string // a part of the file's name; "" is any. Of a rename, the new name
	After int    // let so many matching ops pass first
	Times int    // then fail so many; 0 is all
	Err   error  // nil is ErrInjected
	Short int    // a write: so many bytes are written before it fails
	// A sync: what is unsynced is lost, although it can still be read; only with a Mem below. LoseRand, if not nil, lets a
	// part of it reach the disk.
	Lose     bool
	LoseRand *rand.Rand
}

// Faulty makes the file system below it fail on demand. Faults may be added and cleared at any time, from any goroutine.
type Faulty struct {
	under FS

	mu      sync.Mutex
	faults  []*Fault
	space   int64 // bytes by which files may still grow; -1 is no limit
	effects int
	crashAt int // number of effects after which nothing works; -1 is never
	tear    *rand.Rand
}

// NewFaulty wraps under. It fails nothing yet.
func NewFaulty(under FS) *Faulty { return &Faulty{under: under, space: -1, crashAt: -1} }

// Add adds a fault; earlier ones come first.
func (f *Faulty) Add(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &x)
}

// Clear removes all faults and the limit of space.
func (f *Faulty) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.space = nil, -1
}

// SetSpace lets files grow by n more bytes in all; then writes end short with ENOSPC. What is cut or removed is given back.
// -1 is no limit.
func (f *Faulty) SetSpace(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = n
}

// CrashAfter lets n more ops change something and then fails everything with ErrCrashed, as a machine that is no more; the
// write that meets the end is done up to a byte that rng draws. What is found afterwards is Mem.Crash's matter.
func (f *Faulty) CrashAfter(n int, rng *rand.Rand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashAt, f.tear = f.effects+n, rng
}

// Crashed tells whether CrashAfter has struck.
func (f *Faulty) Crashed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashAt >= 0 && f.effects > f.crashAt
}

// Effects is the number of ops so far that changed something or tried to.
func (f *Faulty) Effects() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.effects
}

// meet counts an op and returns what shall happen to it: nil is nothing.
func (f *Faulty) meet(op Op, name string, size int) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if op.effect() {
		f.effects++
	}
	if f.crashAt >= 0 && f.effects > f.crashAt {
		x := &Fault{Err: ErrCrashed}
		if f.effects == f.crashAt+1 && op == OpWrite && f.tear != nil {
			x.Short = f.tear.IntN(size + 1)
		}
		return x
	}
	for i, x := range f.faults {
		if x.Op != "" && x.Op != op || !strings.Contains(name, x.Name) {
			continue
		}
		if x.After > 0 {
			x.After--
			continue
		}
		hit := *x
		if x.Times > 0 {
			if x.Times--; x.Times == 0 {
				f.faults = slices.Delete(f.faults, i, i+1)
			}
		}
		if hit.Err == nil {
			hit.Err = ErrInjected
		}
		return &hit
	}
	return nil
}

// fail is meet for ops that either happen or do not.
func (f *Faulty) fail(op Op, name string) error {
	if x := f.meet(op, name, 0); x != nil {
		return pathError(string(op), name, x.Err)
	}
	return nil
}

// take takes as much of n bytes of space as there is.
func (f *Faulty) take(n int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.space < 0 {
		return n
	}
	n = min(n, f.space)
	f.space -= n
	return n
}

func (f *Faulty) giveBack(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.space >= 0 && n > 0 {
		f.space += n
	}
}

// OpenFile implements FS.
func (f *Faulty) OpenFile(name string, flag int) (File, error) {
	op := OpOpen
	if flag&os.O_CREATE != 0 {
		op = OpCreate
	}
	if err := f.fail(op, name); err != nil {
		return nil, err
	}
	var had int64
	if flag&os.O_TRUNC != 0 {
		if info, err := f.under.Stat(name); err == nil {
			had = info.Size()
		}
	}
	file, err := f.under.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	f.giveBack(had)
	return &faultyFile{File: file, f: f, name: name}, nil
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) { return f.OpenFile(name, os.O_RDONLY) }

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.fail(OpRename, to); err != nil {
		return err
	}
	return f.under.Rename(from, to)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.fail(OpRemove, name); err != nil {
		return err
	}
	info, err := f.under.Stat(name)
	if err != nil {
		return err
	}
	if err := f.under.Remove(name); err != nil {
		return err
	}
	f.giveBack(info.Size())
	return nil
}

// ReadDir implements FS.
func (f *Faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.fail(OpReadDir, name); err != nil {
		return nil, err
	}
	return f.under.ReadDir(name)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.fail(OpStat, name); err != nil {
		return nil, err
	}
	return f.under.Stat(name)
}

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(name string) error {
	if err := f.fail(OpMkdir, name); err != nil {
		return err
	}
	return f.under.MkdirAll(name)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error {
	if err := f.fail(OpSyncDir, name); err != nil {
		return err
	}
	return f.under.SyncDir(name)
}

// Writable implements FS.
func (f *Faulty) Writable(name string) error {
	if err := f.fail(OpStat, name); err != nil {
		return err
	}
	return f.under.Writable(name)
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) { return f.under.Lock(name) }

type faultyFile struct {
	File
	f    *Faulty
	name string
	pos  int64
}

func (f *faultyFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.f.fail(OpRead, f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *faultyFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	allowed, failure := len(b), error(nil)
	if x := f.f.meet(OpWrite, f.name, len(b)); x != nil {
		allowed, failure = min(x.Short, len(b)), x.Err
	}
	have, err := f.File.Size()
	if err != nil {
		return 0, err
	}
	if grow := off + int64(allowed) - have; grow > 0 {
		if missing := grow - f.f.take(grow); missing > 0 {
			allowed, failure = max(0, allowed-int(missing)), syscall.ENOSPC
		}
	}
	n, err := f.File.WriteAt(b[:allowed], off)
	if err == nil && failure != nil {
		err = pathError("write", f.name, failure)
	}
	return n, err
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.f.fail(OpTruncate, f.name); err != nil {
		return err
	}
	have, err := f.File.Size()
	if err != nil {
		return err
	}
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	f.f.giveBack(have - size)
	return nil
}

func (f *faultyFile) Preallocate(size int64) error {
	if err := f.f.fail(OpPreallocate, f.name); err != nil {
		return err
	}
	have, err := f.File.Size()
	if err != nil {
		return err
	}
	if grow := size - have; grow > 0 {
		if got := f.f.take(grow); got < grow {
			f.f.giveBack(got)
			return pathError("fallocate", f.name, syscall.ENOSPC)
		}
	}
	return f.File.Preallocate(size)
}

func (f *faultyFile) Sync() error     { return f.sync(f.File.Sync) }
func (f *faultyFile) Datasync() error { return f.sync(f.File.Datasync) }

func (f *faultyFile) sync(do func() error) error {
	x := f.f.meet(OpSync, f.name, 0)
	if x == nil {
		return do()
	}
	if m, ok := f.File.(*memFile); ok && x.Lose {
		m.loseUnsynced(x.LoseRand)
	}
	return pathError("fsync", f.name, x.Err)
}
