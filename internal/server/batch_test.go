package server

import (
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// batchSizes is what sync_processor_batch_size tells: the fsyncs, their txns, and the most txns of one.
func batchSizes(s *Server) admin.Summary {
	return s.metric("sync_processor_batch_size").Summary
}

// metric is one by its name.
func (s *Server) metric(name string) admin.Metric {
	for m := range s.metrics.All() {
		if m.Name == name {
			return m
		}
	}
	panic("no metric " + name)
}

func creates(n int) []wire.Op {
	var ops []wire.Op
	for range n {
		ops = append(ops, sequential("/s", 10))
	}
	return ops
}

func recvAll(c *client, first int32, n int) {
	c.t.Helper()
	for i := range int32(n) {
		if r := c.recv(first + i); r.Err != zk.OK {
			c.t.Fatal(r.Err)
		}
	}
}

// No fsync serves more txns than maxBatchSize, however many wait.
func TestMaxBatchSize(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.MaxBatchSize = 7 })
	c := connect(t, s, lasting)
	first := c.xid + 1
	c.send(creates(100)...)
	recvAll(c, first, 100)
	if b := batchSizes(s); b.Max > 7 || b.Sum != 101 {
		t.Errorf("%+v", b)
	}
}

// With a flushDelay of an hour, five writes wait for a sixth, and that makes a batch; a write after which none comes for
// maxWriteQueuePollTime does not wait for the hour either.
func TestFlushDelay(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.FlushDelay, o.MaxBatchSize = time.Hour, 6 })
	c := connect(t, s, lasting)
	first := c.xid + 1
	c.send(creates(5)...)
	eventually(t, "five writes wait", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.Proposed() == 5
	})
	c.send(creates(1)...)
	recvAll(c, first, 6)
	if b := batchSizes(s); b.Max != 6 || b.Count != 2 {
		t.Errorf("%+v", b)
	}

	s = start(t, vfs.NewMem(), func(o *Options) { o.FlushDelay, o.FlushPoll = time.Hour, time.Millisecond })
	c = connect(t, s, lasting)
	for range 3 {
		c.must(create("/a", ""))
		c.must(&wire.Delete{Path: "/a", Version: -1})
	}
}

// The same of a member of an ensemble, whose leader and followers all wait for a batch: but not with an epoch, or a leader would not lead.
func TestEnsembleFlushDelay(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) { o.FlushDelay, o.MaxBatchSize = time.Hour, 6 })
	leader := w.all[w.serving()]
	c := connect(t, leader, lasting) // the first does not wait: nothing was flushed before
	for _, s := range w.all {
		eventually(t, "one", func() bool { return batchSizes(s).Sum == 1 })
	}
	first := c.xid + 1
	c.send(creates(5)...)
	eventually(t, "five writes wait", func() bool {
		leader.mu.RLock()
		defer leader.mu.RUnlock()
		return leader.rep.Proposed() == 5
	})
	c.send(creates(1)...)
	recvAll(c, first, 6)
	for _, s := range w.all {
		eventually(t, "six in one", func() bool { b := batchSizes(s); return b.Max == 6 && b.Count == 2 && b.Sum == 7 })
	}
}
