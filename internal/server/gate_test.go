package server

import (
	"sync"
	"sync/atomic"

	"github.com/zooid-io/zooid/internal/vfs"
)

// gate is a file system whose fsyncs wait while it is shut.
type gate struct {
	vfs.FS
	mu    sync.Mutex
	wait  chan struct{} // closed while open
	held  atomic.Int64  // syncs of files that wait now
	syncs atomic.Int64  // syncs of files that went through
}

func newGate(fs vfs.FS) *gate {
	g := &gate{FS: fs, wait: make(chan struct{})}
	close(g.wait)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wait = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.wait:
	default:
		close(g.wait)
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	w := g.wait
	g.mu.Unlock()
	g.held.Add(1)
	<-w
	g.held.Add(-1)
	g.syncs.Add(1)
}

func (g *gate) OpenFile(name string, flag int) (vfs.File, error) {
	return g.gated(g.FS.OpenFile(name, flag))
}
func (g *gate) Create(name string) (vfs.File, error) { return g.gated(g.FS.Create(name)) }
func (g *gate) gated(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &gatedFile{f, g}, nil
}

type gatedFile struct {
	vfs.File
	g *gate
}

func (f *gatedFile) Sync() error {
	f.g.pass()
	return f.File.Sync()
}

func (f *gatedFile) Datasync() error {
	f.g.pass()
	return f.File.Datasync()
}
