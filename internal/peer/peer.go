package peer

import (
	"bufio"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// reachable is what is known of a peer.
type reachable int

const (
	unknown reachable = iota
	up
	down
)

// peer is another server, seen from the election port. The lock of Elections guards it.
type peer struct {
	sid    ensemble.SID
	slot   []byte // a frame that has to leave; newest wins
	last   []byte // the last one that was taken from slot: it is repeated on a new connection (ensemble protocol, section 2.4)
	conn   *electionConn
	newest uint64 // order of the newest connection that there was

	dialling  bool
	called    bool     // it asked to be called back
	announced []string // and said where; may be empty
	wake      chan struct{}

	state, told reachable
}

// electionConn is a connection to an election port. It reads through its buffer, so that whoever reads it misses nothing.
type electionConn struct {
	net.Conn
	order uint64 // of opening: greetings are read side by side, and an older connection must not take a newer one's place
	addr  string // that was dialled; empty if it was accepted
	r     *bufio.Reader
	wake  chan struct{} // capacity 1: there is something in the slot
	done  chan struct{}
	once  sync.Once

	heard bool // something; guarded by the lock of Elections
	// The first notification of a search for a leader behind which nothing was heard; without since there is none. Guarded by the lock of
	// Elections.
	unanswered struct {
		since time.Time
		round int64
	}
}

func (c *electionConn) Read(b []byte) (int, error) { return c.r.Read(b) }

func (c *electionConn) close() {
	c.once.Do(func() {
		c.Conn.Close()
		close(c.done)
	})
}

// track takes a connection in, so that Close can close it. It gives nil, and closes it, after Close.
func (e *Elections) track(raw net.Conn, order uint64) *electionConn {
	c := &electionConn{Conn: raw, order: order, r: bufio.NewReader(raw), wake: make(chan struct{}, 1), done: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		raw.Close()
		return nil
	}
	e.conns[c] = struct{}{}
	return c
}

// untrack closes a connection and forgets it.
func (e *Elections) untrack(c *electionConn) {
	c.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
}

// peer finds a peer or makes it. The caller holds the lock.
func (e *Elections) peer(sid ensemble.SID) *peer {
	p := e.peers[sid]
	if p == nil {
		p = &peer{sid: sid, wake: make(chan struct{}, 1)}
		e.peers[sid] = p
	}
	return p
}

// setState is called with the lock held.
func (e *Elections) setState(p *peer, s reachable) {
	if p.state != s {
		p.state = s
		e.wakeTeller()
	}
}

// install makes c the connection to a peer, instead of any other, and starts its writer. The caller reads it. It gives nil after
// Close, and if there was a newer one. dialled says that the caller is the peer's dial, which is over now.
func (e *Elections) install(sid ensemble.SID, c *electionConn, dialled bool) *peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	p := e.peer(sid)
	if dialled {
		p.dialling = false
	}
	if c.order < p.newest {
		return nil // accepted ones only: of a peer that is dialled, one after the other is opened
	}
	if p.conn != nil {
		p.conn.close()
	}
	p.conn, p.newest = c, c.order
	p.called, p.announced = false, nil
	if p.dialling {
		wake(p.wake) // there is no need any more
	}
	e.setState(p, up)
	e.log.Info("Connected for elections", "sid", sid, "remote", c.RemoteAddr())
	e.wg.Go(func() { e.write(p, c) })
	return p
}

// drop gives a peer's connection up. The caller holds the lock.
func (e *Elections) drop(p *peer) {
	if p.conn.addr != "" && !p.conn.heard {
		e.routes.bad(p.conn.addr) // somebody takes connections there, and it is not the peer
	}
	p.conn.close()
	p.conn = nil
	e.setState(p, down)
}

// lost is called when a connection has ended; unsent is what was taken from the slot and did not leave.
func (e *Elections) lost(p *peer, c *electionConn, unsent []byte, err error) {
	c.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.conn != c {
		return // it was replaced
	}
	if p.slot == nil {
		p.slot = unsent
	}
	e.drop(p)
	if !e.closed {
		e.log.Info("Connection for elections lost", "sid", p.sid, "err", err)
	}
	// A larger peer that is there dials by itself: let it have the time.
	e.reach(p, e.o.MinPause)
}

// read reads notifications until the connection ends.
func (e *Elections) read(p *peer, c *electionConn) {
	for {
		body, err := readFrame(c.r)
		if err != nil {
			e.lost(p, c, nil, err)
			return
		}
		e.answered(c)
		n, err := DecodeNotification(body)
		if err != nil {
			e.log.Warn("Notification", "sid", p.sid, "err", err)
			var config *ConfigError
			if !errors.As(err, &config) {
				continue
			}
		}
		select {
		case e.heard <- heard{p.sid, n}:
		case <-c.done: // what a replaced connection has said is old
		case <-e.ctx.Done():
		}
	}
}

// answered notes that something was heard.
func (e *Elections) answered(c *electionConn) {
	if c.addr != "" {
		e.routes.good(c.addr)
	}
	e.mu.Lock()
	c.heard = true
	c.unanswered.since = time.Time{}
	e.mu.Unlock()
}

// write sends what comes into the slot, and first, if that is empty, what was sent last: the connection that it went to may have
// died before it arrived.
func (e *Elections) write(p *peer, c *electionConn) {
	for first := true; ; first = false {
		e.mu.Lock()
		if p.conn != c {
			e.mu.Unlock()
			return
		}
		b := p.slot
		fresh := b
		if b != nil {
			p.slot, p.last = nil, b
		} else if first {
			b = p.last
		}
		e.mu.Unlock()
		if b == nil {
			select {
			case <-c.wake:
				continue
			case <-c.done:
				return
			}
		}
		_ = c.SetWriteDeadline(time.Now().Add(e.o.ConnectTimeout)) // on error the write fails, too
		if _, err := c.Write(b); err != nil {
			e.lost(p, c, fresh, err)
			return
		}
	}
}

// reach starts to dial, after a pause, if there is a reason to and nobody does. The caller holds the lock.
func (e *Elections) reach(p *peer, pause time.Duration) {
	if e.closed || p.conn != nil || p.dialling || p.slot == nil && !p.called || len(e.targets(p)) == 0 {
		return
	}
	p.dialling = true
	select {
	case <-p.wake: // was meant for an earlier dial
	default:
	}
	e.wg.Go(func() { e.dial(p, pause) })
}

// targets are the addresses to dial: those that the peer told are its first, then those of the configurations. The caller holds
// the lock.
func (e *Elections) targets(p *peer) []string {
	addrs := slices.Clone(p.announced)
	for _, a := range e.addrs(p.sid) {
		if !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// dial dials a peer until there is a connection or no reason. A request to call back that comes meanwhile is met by it. A larger peer that could be dialled dials back, or does not: then it is
// asked again.
func (e *Elections) dial(p *peer, pause time.Duration) {
	next, asked, at := e.o.MinPause, false, ""
	for {
		if pause > 0 {
			t := time.NewTimer(pause)
			select {
			case <-t.C:
			case <-p.wake:
			case <-e.ctx.Done():
			}
			t.Stop()
		}
		addrs := e.dialNext(p, asked)
		if addrs == nil {
			return
		}
		if asked {
			e.routes.bad(at) // nobody has dialled back
		}
		c, err := e.connect(p.sid, addrs)
		if c != nil && p.sid < e.o.SID {
			if p := e.install(p.sid, c, true); p != nil {
				e.read(p, c)
			}
			e.untrack(c)
			return
		}
		pause, asked = next, c != nil
		if asked {
			at = c.addr
			e.untrack(c)
			pause = 5 * next
		} else {
			e.log.Debug("Peer cannot be reached for elections", "sid", p.sid, "addrs", addrs, "err", err)
			e.mu.Lock()
			if p.conn == nil {
				e.setState(p, down)
			}
			e.mu.Unlock()
		}
		next = min(2*next, e.o.MaxPause)
	}
}

// dialNext gives the addresses for the next attempt, or nil if there shall be none: then nobody dials. asked says that the peer
// was asked to call back before.
func (e *Elections) dialNext(p *peer, asked bool) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if asked && p.conn == nil {
		e.setState(p, down)
	}
	if !e.closed && p.conn == nil && (p.slot != nil || p.called) {
		if addrs := e.targets(p); len(addrs) > 0 {
			p.called, p.announced = false, nil
			return addrs
		}
	}
	p.dialling = false
	e.wakeTeller() // it may be a stranger to be forgotten
	return nil
}

// connect dials a peer, and greets. An address where that fails is left out then. The connection is tracked.
func (e *Elections) connect(sid ensemble.SID, addrs []string) (*electionConn, error) {
	var errs []error
	for addrs = slices.Clone(addrs); len(addrs) > 0; {
		raw, addr, err := e.routes.connect(e.ctx, addrs, e.o.ConnectTimeout)
		if err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		c := e.track(raw, e.opened.Add(1))
		if c == nil {
			return nil, net.ErrClosed
		}
		c.addr = addr
		_ = c.SetDeadline(time.Now().Add(e.o.GreetTimeout)) // on error the write fails, too
		_, err = c.Write(e.hello())
		if err == nil && e.o.Authenticate != nil {
			err = e.o.Authenticate(c, sid, true)
		}
		if err == nil {
			err = c.SetDeadline(time.Time{})
		}
		if err == nil {
			return c, nil
		}
		e.untrack(c)
		errs = append(errs, err)
		e.routes.bad(addr)
		addrs = slices.DeleteFunc(addrs, func(a string) bool { return a == addr })
	}
	return nil, errors.Join(errs...)
}

// hello is this server's greeting: where peers can call back.
func (e *Elections) hello() []byte {
	addrs := e.ownAddrs()
	if e.o.MultiAddress {
		return appendGreetingV2(nil, e.o.SID, addrs)
	}
	return appendGreeting(nil, e.o.SID, addrs[0])
}

// ownAddrs are where peers can call back: as configured, or where the port is.
func (e *Elections) ownAddrs() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range []*ensemble.Config{e.committed, e.lastSeen} {
		if c == nil {
			continue
		}
		if m, ok := c.Member(e.o.SID); ok {
			return m.ElectionAddrs()
		}
	}
	if a := e.Addr(); a != nil {
		return []string{a.String()}
	}
	return []string{"0.0.0.0:1"} // says nothing, and has the form of an address
}
