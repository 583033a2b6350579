package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/wire"
)

// conn is one client's socket. Its goroutine reads, and hands batches of frames to the replica; see outbox.go for its output.
type conn struct {
	s       *Server
	nc      net.Conn
	number  uint64 // nobody else's
	sock    sock
	addr    netip.AddrPort
	rc      *replica.Conn // nil until the handshake
	bad     int32         // the length of a frame that ends the connection
	out     outbox
	act     admin.Activity
	passage *passage // nil without a gate
	made    int64    // ms since 1970

	heard    atomic.Int64 // on clock: when the last request came; 0 before the handshake
	held     atomic.Bool  // not read from, because too much is in flight
	finished atomic.Bool  // our side is shut: what still comes is thrown away
	grown    atomic.Bool  // the goroutine has done something: its stack is larger than waiting needs
	nudged   atomic.Bool  // the goroutine was woken to replace itself
}

// lingerTime is how long a closed connection is still read, so that the client gets our last reply and not a reset.
const lingerTime = time.Second

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc, made: time.Now().UnixMilli()}
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		c.addr = a.AddrPort()
		c.addr = netip.AddrPortFrom(c.addr.Addr().Unmap(), c.addr.Port())
	}
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
		_ = t.SetKeepAlive(s.opt.ClientKeepAlive)
	}
	if s.plain.Load() {
		c.sock = &plainSock{nc: nc}
	} else {
		c.sock = newSock(nc)
	}
	c.out.nc, c.out.wake.L = nc, &c.out.mu
	if s.gate != nil {
		c.passage = &passage{}
	}
	return c
}

// serve reads until the connection ends. carry is the start of a frame that has not come whole, least the length that is
// known of it.
func (c *conn) serve(carry []byte, least int) {
	deaf := false // what still comes is thrown away
	for {
		b, err := c.sock.read(carry, least)
		if err != nil {
			if c.nudged.Swap(false) && errors.Is(err, os.ErrDeadlineExceeded) && !c.finished.Load() {
				_ = c.nc.SetReadDeadline(time.Time{})
				go c.serve(carry, least)
				return
			}
			c.lost(err)
			c.gone()
			return
		}
		c.s.opt.Monitor.Heard(c.number)
		c.grown.Store(true)
		if deaf || c.finished.Load() {
			putBuffer(b)
			carry, least = nil, 4
			continue
		}
		used, ok := c.take(b)
		for ok && c.more(b[used:]) { // there is so much to answer already that it has to leave first
			c.out.room()
			var n int
			n, ok = c.take(b[used:])
			used += n
		}
		if !ok {
			putBuffer(b)
			if !c.out.ending() {
				c.gone()
				return
			}
			deaf, carry, least = true, nil, 4
			continue
		}
		carry, least = keep(b, used, c.s.opt.MaxFrame)
		c.out.room()
	}
}

// unread tells that bytes wait in the socket that are yet to be read. Those of a client that does not take its answers do not
// count: it is its own fault that nobody reads them.
func (c *conn) unread() bool { return !c.out.stuffed() && c.sock.unread() }

// nudge makes the goroutine of a connection that was not heard of since then replace itself by a new one. The stack that a
// request needs is twice what waiting needs, and the runtime does not take that half back by itself: with a hundred thousand
// idle connections it is the largest thing they cost.
func (c *conn) nudge(then int64) {
	if c.heard.Load() > then || !c.grown.Load() || c.finished.Load() {
		return
	}
	c.grown.Store(false)
	c.nudged.Store(true)
	_ = c.nc.SetReadDeadline(time.Unix(1, 0))
}

// more tells that b begins with a whole frame.
func (c *conn) more(b []byte) bool {
	_, whole, _ := c.frame(b)
	return whole
}

// keep saves the bytes behind used, and gives back the buffer; least is how long the frame that they begin is in all.
func keep(b []byte, used, maxFrame int) (carry []byte, least int) {
	rest := b[used:]
	least = 4
	if len(rest) >= 4 {
		least = 4 + int(binary.BigEndian.Uint32(rest)) // take has checked it
	}
	switch {
	case len(rest) == 0:
	case used == 0 && cap(b) > bufferSize:
		return b, least // a long frame in the making: it is its own buffer
	default:
		carry = append(make([]byte, 0, len(rest)), rest...)
	}
	putBuffer(b)
	return carry, least
}

// frame cuts the next frame from b: whole says that it is all there, ok that its length may be.
func (c *conn) frame(b []byte) (f []byte, whole, ok bool) {
	if len(b) < 4 {
		return nil, false, true
	}
	n := int32(binary.BigEndian.Uint32(b))
	if n < 0 || int(n) > c.s.opt.MaxFrame {
		c.bad = n
		return nil, false, false
	}
	if len(b) < 4+int(n) {
		return nil, false, true
	}
	return b[4 : 4+n : 4+n], true, true
}

// take handles the whole frames in b and tells how many bytes they were. ok is false when the connection has to end.
func (c *conn) take(b []byte) (used int, ok bool) {
	if c.rc == nil {
		if len(b) >= 4 && admin.Known([4]byte(b[:4])) {
			return c.fourLetters(b)
		}
		f, whole, ok := c.frame(b)
		if !whole {
			return 0, ok
		}
		c.received(1, len(f))
		if !c.handshake(f) {
			return 0, false
		}
		used = 4 + len(f)
	}
	if used == len(b) {
		return used, true
	}
	now := time.Now().UnixMilli()
	if _, whole, _ := c.frame(b[used:]); whole {
		c.heard.Store(c.s.clock())
	}
	if c.s.gate != nil {
		n, ok := c.s.gate.pass(c, b[used:], now)
		return used + n, ok
	}
	n, ok := c.reads(b[used:])
	used += n
	if !ok || c.out.high() {
		return used, ok
	}
	if _, whole, ok := c.frame(b[used:]); !whole {
		return used, ok
	}
	n, ok = c.requests(b[used:], now)
	return used + n, ok
}

// decoders are in use for a batch; an idle connection has none.
var decoders = sync.Pool{New: func() any { return new(wire.Decoder) }}

// reads answers, under the shared lock, the reads at the start of b. They end at the first frame that needs the exclusive
// side, is not whole or is not right.
func (c *conn) reads(b []byte) (used int, ok bool) {
	var out []byte
	start := monotonic()
	count := 0
	var last wire.Header
	read := namespaceTally{set: admin.ReadBytes}
	s := c.s
	dec := decoders.Get().(*wire.Decoder)
	defer decoders.Put(dec)
	s.mu.RLock()
	for ok = true; len(out) < highOutbox; {
		f, whole, good := c.frame(b[used:])
		if !whole {
			ok = good
			break
		}
		h, body, err := dec.Header(f)
		if err != nil || h.Type.IsWrite() || h.Type == wire.OpSync || !h.Type.FromClient() || h.Type == wire.OpAuth {
			ok = true
			break
		}
		op, err := dec.Body(h.Type, body)
		if err != nil {
			ok = true
			break
		}
		if out == nil {
			out = getBuffer()
		}
		var answered bool
		before := len(out)
		if out, answered = s.rep.Read(c.rc, h, op, out); !answered {
			ok = true
			break
		}
		used += 4 + len(f)
		last = h
		count++
		path, n := readOf(op, len(out)-before)
		read.note(s.metrics, path, n)
	}
	if out != nil {
		if count > 0 {
			zxid := s.rep.Tree().LastZxid()
			size := len(out)
			c.out.give(out) // under the lock: no notice of a later txn may stand before what was read here
			s.mu.RUnlock()
			c.flush()
			end := monotonic()
			n := int64(count)
			read.settle(s.metrics)
			s.metrics.PacketsReceived(n, int64(used))
			s.metrics.PacketsSent(n)
			s.metrics.ResponseSize((size - 4*count) / count)
			s.metrics.Add(admin.ResponseBytes, int64(size-4*count))
			s.metrics.Requests(false, (end-start)/1000, n)
			c.act.Replies(n, last.Xid, zxid, admin.LastOp(last.Type), start/1000, end/1000)
			return used, ok
		}
		putBuffer(out)
	}
	s.mu.RUnlock()
	return used, ok
}

// keepers are decoders whose values are kept.
var keepers = sync.Pool{New: func() any { return &wire.Decoder{Keep: true} }}

// batches hold the decoded requests of a batch.
var batches = sync.Pool{New: func() any { return new([]replica.Request) }}

// requests hands the rest of a batch to the replica, as far as the answers stay within bounds. It is copied once, as a
// whole: what is asked for is kept until it is answered.
func (c *conn) requests(b []byte, now int64) (used int, ok bool) {
	whole := 0
	for {
		f, all, good := c.frame(b[whole:])
		if !all {
			ok = good
			break
		}
		whole += 4 + len(f)
	}
	own := bytes.Clone(b[:whole])
	batch := batches.Get().(*[]replica.Request)
	since, elapsed := monotonic(), c.s.clock()
	dec := keepers.Get().(*wire.Decoder)
	for at := 0; at < whole; {
		f, _, _ := c.frame(own[at:])
		r := replica.DecodeBy(dec, c.rc, f, now, since)
		r.Clock = elapsed
		*batch = append(*batch, r)
		at += 4 + len(f)
	}
	keepers.Put(dec)
	s := c.s
	var few [8]*conn
	count := 0
	s.mu.Lock()
	for count < len(*batch) && s.eff.Sent() < highOutbox {
		s.rep.Step(&(*batch)[count], &s.eff)
		count++
	}
	lone := s.claim()
	dirty := s.perform(few[:0])
	busy := s.full(c)
	alone := s.member != nil && s.rep.Undelivered() == 1
	s.mu.Unlock()
	if count == len(*batch) {
		used = whole
	} else {
		for range count {
			f, _, _ := c.frame(own[used:])
			used += 4 + len(f)
		}
		ok = true // what is left is looked at again
	}
	c.received(count, used)
	clear(*batch)
	*batch = (*batch)[:0]
	batches.Put(batch)
	if alone {
		s.member.links.Flush()
		flushClients(dirty)
		s.member.alone()
	} else {
		s.flush(dirty)
	}
	if lone != nil {
		s.alone(lone)
		return used, ok
	}
	if busy {
		c.waitTurn()
	}
	return used, ok
}

// maxPending is how many requests of one connection may wait for an answer before it is not read from any more.
const maxPending = 8192

// full tells, under the lock, whether the connection has to wait before more of it is read: it has too much in flight, or it
// has something in flight and the server as a whole has too much (globalOutstandingLimit).
func (s *Server) full(c *conn) bool {
	n := c.rc.Pending()
	return n > maxPending || (n > 0 && s.opt.GlobalOutstandingLimit > 0 && s.rep.InFlight() > s.opt.GlobalOutstandingLimit)
}

// waitTurn waits until the connection may be read again. It looks again whenever its output moves: the condition can only
// end by a reply to this connection.
func (c *conn) waitTurn() {
	c.held.Store(true)
	defer func() { // its client was alive, as far as we let it speak
		c.heard.Store(c.s.clock())
		c.held.Store(false)
	}()
	o := &c.out
	for {
		o.mu.Lock()
		moves := o.moves
		o.mu.Unlock()
		c.s.mu.RLock() // never under an outbox's lock: perform takes them the other way round
		full := c.s.full(c)
		c.s.mu.RUnlock()
		if !full {
			return
		}
		o.mu.Lock()
		for o.moves == moves && !o.broken && !o.closing {
			o.wake.Wait()
		}
		ended := o.broken || o.closing
		o.mu.Unlock()
		if ended {
			return
		}
	}
}

// catchUp gives a client the answers that were too many for one Step, as fast as it reads them.
func (c *conn) catchUp() {
	defer c.s.connWG.Done()
	var few [4]*conn
	for behind := true; behind && !c.out.ended(); {
		c.out.room()
		c.s.mu.Lock()
		c.s.rep.Step(&replica.Continue{Conn: c.rc}, &c.s.eff)
		behind = c.rc.Behind()
		dirty := c.s.perform(few[:0])
		c.s.mu.Unlock()
		c.s.flush(dirty)
	}
}

// handshake gives the first frame to the replica.
func (c *conn) handshake(f []byte) bool {
	var req wire.ConnectRequest
	if err := req.Decode(f); err != nil {
		return false
	}
	if !c.s.admits(c, &req) {
		return false
	}
	c.s.metrics.Add(admin.ConnectRequests, 1)
	if req.SessionID != 0 {
		c.s.metrics.Add(admin.ConnectionsRevalidated, 1)
	}
	_ = c.nc.SetReadDeadline(time.Time{})
	now, elapsed := time.Now().UnixMilli(), c.s.clock()
	c.heard.Store(elapsed)
	s := c.s
	var few [4]*conn
	s.mu.Lock()
	if s.diskFailed.Load() && s.rep.Proposed() >= s.maxStalled {
		s.mu.Unlock()
		return false // whoever writes and leaves while the disk fails must not fill the memory; the client comes again
	}
	c.rc = replica.NewConn(c, auth.IP(c.addr.Addr())) // under the lock: the four-letter words look at it
	s.rep.Step(&replica.Connect{Conn: c.rc, Request: req, Now: now, Clock: elapsed}, &s.eff)
	dirty := s.perform(few[:0])
	last := s.rep.Tree().LastZxid()
	s.mu.Unlock()
	s.flush(dirty)
	if req.LastZxidSeen > last {
		s.toldFuture(c, req.LastZxidSeen, last)
	}
	return true
}

// finish shuts our side behind the last byte. The reader goes on for a moment and throws away what still comes: to close
// with unread input would reset the connection, and the client could lose our last reply.
func (c *conn) finish() {
	if c.finished.Swap(true) {
		return
	}
	if t, ok := c.nc.(*net.TCPConn); ok {
		_ = t.CloseWrite()
		_ = t.SetReadDeadline(time.Now().Add(lingerTime))
		return
	}
	c.nc.Close()
}

// lost counts a connection that could not be read any more, unless it was we who ended it.
func (c *conn) lost(err error) {
	switch {
	case c.finished.Load():
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.s.metrics.Add(admin.SessionlessExpired, 1)
	default:
		c.s.metrics.Add(admin.ConnectionsDropped, 1)
	}
}

// gone ends the connection for good.
func (c *conn) gone() {
	c.parting()
	if c.s.gate != nil {
		c.s.gate.forget(c)
	}
	c.out.emptied()
	c.out.shut()
	c.nc.Close()
	c.s.conns.remove(c)
	if c.rc != nil {
		c.s.mu.Lock()
		c.s.rep.Step(&replica.Disconnect{Conn: c.rc, Heard: c.heard.Load()}, &c.s.eff)
		c.s.mu.Unlock()
	}
	c.s.connWG.Done()
}

func (c *conn) received(frames, bytes int) {
	c.act.Receive(int64(frames))
	c.s.metrics.PacketsReceived(int64(frames), int64(bytes))
}

// fourLetters answers a four-letter word and closes. What stmk needs besides must have come with it, as upstream.
func (c *conn) fourLetters(b []byte) (int, bool) {
	word := string(b[:4])
	c.received(1, 4)
	answer := c.s.words.Answer(word, b[4:], &source{s: c.s})
	c.s.metrics.PacketsSent(1)
	c.out.add(answer, true, maxOutbox)
	c.flush()
	return len(b), false
}
