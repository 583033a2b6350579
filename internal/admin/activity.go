package admin

import (
	"math"
	"sync"

	"github.com/zooid-io/zooid/zk"
)

// Activity is what one connection has done, as cons tells it. A connection writes to it and cons reads it from elsewhere,
// therefore the lock, which is all but never contended. The zero value is a new connection's.
type Activity struct {
	mu             sync.Mutex
	received, sent int64
	op             string
	xid            int64 // plus 1: 0 is none
	zxid           zk.Zxid
	end            int64
	last           int64
	latency        Summary
}

// Receive counts packets from the client: requests, pings, a command.
func (a *Activity) Receive(n int64) {
	a.mu.Lock()
	a.received += n
	a.mu.Unlock()
}

// Send counts a packet to the client: a reply, a notice.
func (a *Activity) Send() {
	a.mu.Lock()
	a.sent++
	a.mu.Unlock()
}

// Reply notes the reply of an operation (see LastOp) that arrived at start and was answered at end, in ms on a clock that
// never steps. A negative xid, as a ping's, does not become the last xid. It does not count the packet: Send does.
func (a *Activity) Reply(xid int32, zxid zk.Zxid, op string, start, end int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if xid >= 0 {
		a.xid = int64(xid) + 1
	}
	a.op, a.zxid, a.end, a.last = op, zxid, end, end-start
	a.latency.Add(a.last)
}

// Replies is Send and Reply for a batch of n reads that came and were answered together; xid, zxid and op are the last's.
func (a *Activity) Replies(n int64, xid int32, zxid zk.Zxid, op string, start, end int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received += n
	a.sent += n
	if xid >= 0 {
		a.xid = int64(xid) + 1
	}
	a.op, a.zxid, a.end, a.last = op, zxid, end, end-start
	a.latency.addN(a.last, n)
}

// Reset is crst.
func (a *Activity) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received, a.sent = 0, 0
	a.op, a.xid, a.zxid, a.end, a.last, a.latency = NoOp, 0, -1, 0, 0, Summary{}
}

// Fill puts the activity into a Connection; the rest of it is the caller's.
func (a *Activity) Fill(c *Connection) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.Received, c.Sent = a.received, a.sent
	c.LastOp, c.LastXid, c.LastZxid, c.LastResponse = a.op, a.xid-1, a.zxid, a.end
	if c.LastOp == "" {
		c.LastOp = NoOp
	}
	c.LastLatency, c.MinLatency, c.MaxLatency, c.AvgLatency = a.last, a.latency.Min, a.latency.Max, 0
	if a.latency.Count > 0 {
		c.AvgLatency = a.latency.Sum / a.latency.Count
	}
}

// Add is for a Summary that its owner guards.
func (s *Summary) Add(v int64) { s.addN(v, 1) }

func (s *Summary) addN(v, n int64) {
	if s.Count == 0 {
		s.Min, s.Max = math.MaxInt64, math.MinInt64
	}
	s.Count += n
	s.Sum += v * n
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}
