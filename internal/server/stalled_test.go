package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
)

// While the disk fails, whoever connects, writes and leaves does not fill the memory: beyond a bound nobody new is let in, and
// with the space everything goes on.
func TestStalledDiskBoundsNewcomers(t *testing.T) {
	disk := vfs.NewFaulty(vfs.NewMem())
	var j journal
	s := start(t, disk, j.into, func(o *Options) { o.PreAllocSize = 0 })
	s.mu.Lock()
	s.maxStalled = 20
	s.mu.Unlock()
	c := connect(t, s, lasting)
	disk.SetSpace(0)
	c.send(sequential("/s", 10))
	j.wait(t, "ERROR the log cannot be written")
	stalled := func() int {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.Proposed()
	}
	for range 60 {
		connectLater(t, s).nc.Close()
	}
	eventually(t, "all have come and gone", func() bool { return s.conns.len() == 1 })
	if n := stalled(); n > 20 {
		t.Fatalf("%d txns wait for the disk", n)
	}
	disk.SetSpace(1 << 20)
	c.recv(1)
	connect(t, s, lasting).must(create("/in", ""))
}
