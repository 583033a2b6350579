package server

import (
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// latency is the extent of a series of times, in microseconds.
type latency struct {
	least, most, sum, count, last atomic.Int64
}

func (l *latency) add(us, n int64) {
	if us < 0 {
		us = 0
	}
	l.last.Store(us)
	l.sum.Add(us * n)
	l.count.Add(n)
	for m := l.most.Load(); us > m && !l.most.CompareAndSwap(m, us); m = l.most.Load() {
	}
	for m := l.least.Load(); (m == 0 || us+1 < m) && !l.least.CompareAndSwap(m, us+1); m = l.least.Load() {
	}
}

// min is the least time; 0 when there is none. (least holds it plus one, so that zero can mean "none".)
func (l *latency) min() int64 { return max(l.least.Load()-1, 0) }

func (l *latency) reset() {
	l.least.Store(0)
	l.most.Store(0)
	l.sum.Store(0)
	l.count.Store(0)
	l.last.Store(0)
}

// stats are the figures of a server, for the four-letter words.
type stats struct {
	received, sent   atomic.Int64
	bytesIn          atomic.Int64
	rejected         atomic.Int64
	lat              latency
	fsyncs           latency
	fsyncSlow        atomic.Int64
	snapshots        latency
	snapshotsWritten atomic.Int64
}

func (s *stats) fsync(d time.Duration, _ int) { s.fsyncs.add(d.Microseconds(), 1) }

func (s *stats) snapshot(d time.Duration) {
	s.snapshots.add(d.Microseconds(), 1)
	s.snapshotsWritten.Add(1)
}

func (s *stats) reset() {
	s.received.Store(0)
	s.sent.Store(0)
	s.bytesIn.Store(0)
	s.rejected.Store(0)
	s.lat.reset()
	s.fsyncs.reset()
	s.snapshots.reset()
}

// connStat are the figures of a connection.
type connStat struct {
	received, sent atomic.Int64
	lat            latency
	op             atomic.Int32 // the last operation answered; 0 before any
	cxid           atomic.Int32
	zxid           atomic.Int64
	responded      atomic.Int64 // ms since 1970
	since          int64        // ms since 1970: when the connection was made
}

func (c *connStat) init() {
	c.since = time.Now().UnixMilli()
	c.cxid.Store(-1)
	c.zxid.Store(-1)
}

// answered notes one reply.
func (c *connStat) answered(s *stats, h wire.Header, z zk.Zxid, us int64) {
	c.note(h, z)
	if h.Type == wire.OpCreateSession {
		us = 0
	}
	s.sent.Add(1)
	c.sent.Add(1)
	s.lat.add(us, 1)
	c.lat.add(us, 1)
}

// batch notes the replies to n reads.
func (c *connStat) batch(s *stats, last wire.Header, z zk.Zxid, us int64, n int) {
	c.note(last, z)
	s.sent.Add(int64(n))
	c.sent.Add(int64(n))
	s.lat.add(us, int64(n))
	c.lat.add(us, int64(n))
}

func (c *connStat) note(h wire.Header, z zk.Zxid) {
	c.op.Store(int32(h.Type))
	if h.Xid >= 0 {
		c.cxid.Store(h.Xid)
	}
	c.zxid.Store(int64(z))
	c.responded.Store(time.Now().UnixMilli())
}

// reset is what crst does.
func (c *connStat) reset() {
	c.received.Store(0)
	c.sent.Store(0)
	c.lat.reset()
}
