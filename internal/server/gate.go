package server

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
)

// gate is what requests pass before the replica takes them, if an operator wants that: the guard of large requests and the
// request throttle (client protocol, section 2.16). Where neither is on there is no gate, and nothing to pay.
//
// The throttle is a queue for the whole server: the request at its head waits until fewer than the limit are in process,
// everything behind it waits for it. Here the queue is the goroutines of the connections, in front of a mutex that hands over
// in about their order; so a connection has one request in it, and the rest in its socket. Auth and sasl pass by.
type gate struct {
	s     *Server
	head  sync.Mutex    // the head of the queue holds it
	moved chan struct{} // capacity 1: a reply was sent

	mu    sync.Mutex
	large int // bytes of large requests in process
}

// passage is what a connection has to do with a gate.
type passage struct {
	mu    sync.Mutex
	taken int64 // requests so far
	left  int64 // replies so far
	large []largeRequest
}

// largeRequest is one in process.
type largeRequest struct {
	number int64 // that of passage.taken
	size   int
}

// newGate is nil if there is nothing to do for one.
func newGate(s *Server) *gate {
	if s.opt.RequestThrottleMax <= 0 && s.opt.LargeRequestThreshold <= 0 {
		return nil
	}
	return &gate{s: s, moved: make(chan struct{}, 1)}
}

// pass is conn.requests and conn.reads, through the gate: it hands the frames in b to the replica one by one.
func (g *gate) pass(c *conn, b []byte, now int64) (used int, ok bool) {
	since := monotonic()
	for !c.out.high() {
		f, whole, good := c.frame(b[used:])
		if !whole {
			return used, good
		}
		if !g.weigh(c, len(f)) {
			g.s.metrics.Add(admin.LargeRequestsRejected, 1)
			g.s.log.Warn("Rejecting large request: address = /"+c.addr.String(), "bytes", len(f))
			return used, false
		}
		used += 4 + len(f)
		if !g.enter(c, f, now, since) {
			return used, false
		}
	}
	return used, true
}

// enter waits for the turn of one frame and gives it to the replica; false when the connection has to end or has ended.
func (g *gate) enter(c *conn, f []byte, now, since int64) bool {
	var few [8]*conn
	var dirty []*conn
	var busy, drop bool
	if g.passes(f) {
		dirty, busy = g.hand(c, f, now, since, false, few[:0])
	} else {
		// Held until the replica has the request, so that nobody counts without it.
		c.held.Store(true)
		g.head.Lock()
		var throttled bool
		if throttled, drop = g.wait(c, f, since); !drop {
			dirty, busy = g.hand(c, f, now, since, throttled, few[:0])
		}
		g.head.Unlock()
		c.held.Store(false)
	}
	c.s.flush(dirty)
	if drop {
		return false
	}
	c.received(1, len(f))
	if busy {
		c.waitTurn()
	}
	return !c.out.ending()
}

// passes tells that a frame need not wait.
func (g *gate) passes(f []byte) bool {
	if g.s.opt.RequestThrottleMax <= 0 || len(f) < 8 {
		return true
	}
	op := opOf(f)
	return op == wire.OpAuth || op == wire.OpSasl
}

func opOf(f []byte) wire.OpCode { return wire.OpCode(binary.BigEndian.Uint32(f[4:])) }

// hand gives one frame to the replica.
func (g *gate) hand(c *conn, f []byte, now, since int64, throttled bool, few []*conn) (dirty []*conn, busy bool) {
	s := g.s
	ev := replica.Decode(c.rc, bytes.Clone(f), now, since)
	ev.Clock = c.s.clock()
	ev.Throttled = throttled
	if throttled {
		s.metrics.Add(admin.ThrottledOps, 1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rep.Step(&ev, &s.eff)
	return s.perform(few), s.full(c)
}

// wait holds up the request at the head of the queue. throttled says that it waited so long that it is to be refused, drop that its
// connection is to end instead.
func (g *gate) wait(c *conn, f []byte, since int64) (throttled, drop bool) {
	o, op := &g.s.opt, opOf(f)
	for {
		if c.out.ended() || o.RequestThrottleDropStale && g.stale(c, op, since) {
			return false, true
		}
		if g.inProcess() < o.RequestThrottleMax {
			break
		}
		g.s.metrics.Add(admin.ThrottleWaits, 1)
		t := time.NewTimer(max(o.RequestThrottleStall, time.Millisecond))
		select {
		case <-t.C:
		case <-g.moved:
		case <-g.s.ctx.Done():
		}
		t.Stop()
	}
	if op == wire.OpPing || op == wire.OpCloseSession || op == wire.OpCreateSession || o.ThrottledOpWait <= 0 {
		return false, false
	}
	return monotonic()-since > o.ThrottledOpWait.Microseconds(), false
}

// stale tells that nobody waits for a request any more. The end of a session is never stale.
func (g *gate) stale(c *conn, op wire.OpCode, since int64) bool {
	o := &g.s.opt
	if op == wire.OpCloseSession {
		return false
	}
	return o.StaleConnectionCheck && c.out.ending() ||
		o.StaleLatencyCheck && (monotonic()-since)/1000 > int64(c.rc.TimeOut())
}

func (g *gate) inProcess() int {
	g.s.mu.RLock()
	defer g.s.mu.RUnlock()
	return g.s.rep.InFlight()
}

// weigh counts a request, and its bytes if it is large; false if that is too much.
func (g *gate) weigh(c *conn, size int) bool {
	c.passage.mu.Lock()
	defer c.passage.mu.Unlock()
	c.passage.taken++
	o := &g.s.opt
	if o.LargeRequestThreshold <= 0 || size <= o.LargeRequestThreshold {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.large+size > o.LargeRequestMaxBytes {
		return false
	}
	g.large += size
	c.passage.large = append(c.passage.large, largeRequest{c.passage.taken, size})
	return true
}

// answered counts a reply to a request.
func (g *gate) answered(c *conn) {
	select {
	case g.moved <- struct{}{}:
	default:
	}
	c.passage.mu.Lock()
	defer c.passage.mu.Unlock()
	c.passage.left++
	for len(c.passage.large) > 0 && c.passage.large[0].number <= c.passage.left {
		g.lighten(c.passage.large[0].size)
		c.passage.large = c.passage.large[1:]
	}
}

// forget gives back what a connection that is gone has held.
func (g *gate) forget(c *conn) {
	c.passage.mu.Lock()
	defer c.passage.mu.Unlock()
	for _, l := range c.passage.large {
		g.lighten(l.size)
	}
	c.passage.large = nil
}

func (g *gate) lighten(size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.large -= size
}
