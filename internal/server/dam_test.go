package server

import (
	"sync"
	"sync/atomic"

	"github.com/zooid-io/zooid/internal/vfs"
)

// dam is a file system whose fsyncs wait while it is shut.
type dam struct {
	vfs.FS
	mu    sync.Mutex
	wait  chan struct{} // closed while open
	held  atomic.Int64  // syncs of files that wait now
	syncs atomic.Int64  // syncs of files that went through
}

func newDam(fs vfs.FS) *dam {
	d := &dam{FS: fs, wait: make(chan struct{})}
	close(d.wait)
	return d
}

func (d *dam) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wait = make(chan struct{})
}

func (d *dam) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.wait:
	default:
		close(d.wait)
	}
}

func (d *dam) pass() {
	d.mu.Lock()
	w := d.wait
	d.mu.Unlock()
	d.held.Add(1)
	<-w
	d.held.Add(-1)
	d.syncs.Add(1)
}

func (d *dam) OpenFile(name string, flag int) (vfs.File, error) {
	return d.dammed(d.FS.OpenFile(name, flag))
}
func (d *dam) Create(name string) (vfs.File, error) { return d.dammed(d.FS.Create(name)) }
func (d *dam) dammed(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &dammedFile{f, d}, nil
}

type dammedFile struct {
	vfs.File
	d *dam
}

func (f *dammedFile) Sync() error {
	f.d.pass()
	return f.File.Sync()
}

func (f *dammedFile) Datasync() error {
	f.d.pass()
	return f.File.Datasync()
}
