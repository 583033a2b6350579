package replica

import (
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/watch"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// handshake: client protocol, section 2.4, the checks in its order.
func (r *Replica) handshake(ev *Connect, e *Effects) {
	c, req := ev.Conn, &ev.Request
	if c.state != connNew {
		return
	}
	readOnly := r.ReadOnly()
	if r.refuses() || !r.serves() && !(readOnly && req.ReadOnly) || req.LastZxidSeen > r.tree.LastZxid() {
		// Another server has seen more, or is there for clients. To answer "expired" would end a good session.
		c.state = connGone
		e.close(c)
		return
	}
	c.connect = *req
	c.connect.Password = nil // aliases the frame
	c.timeout = session.Negotiate(req.TimeOut, r.cfg.MinTimeout, r.cfg.MaxTimeout)
	c.admitted = r.cfg.Rules.Admits(c.ids)
	if req.SessionID == 0 {
		c.session = r.next
		r.next++
		if readOnly || r.cfg.LocalSessions {
			r.beginLocal(c, ev.Clock, e)
			return
		}
		r.attach(c)
		c.state = connWaiting
		if r.prep == nil {
			r.forwardSession(c)
			return
		}
		z := r.propose(&prep.Request{Session: c.session, Op: &prep.CreateSession{TimeOut: c.timeout}, Now: ev.Now}, c, ev.Clock, e)
		if z == 0 {
			e.close(c)
			r.detach(c)
			return
		}
		r.own(c.session)
		r.queue(c, entry{kind: entryWrite, zxid: z, header: wire.Header{Type: wire.OpCreateSession}})
		return
	}
	if readOnly && !r.locals.Known(req.SessionID) {
		// The ensemble's, as far as we can know: only a leader can say that it has ended, and nobody may serve it beside one.
		c.state = connGone
		e.close(c)
		return
	}
	// The old connection of the session goes first, even if the password turns out wrong (trap 14).
	if old := r.bySession[req.SessionID]; old != nil {
		e.close(old)
		r.detach(old)
	}
	if !session.ValidPassword(req.SessionID, req.Password) {
		r.refuse(c, e)
		return
	}
	c.session = req.SessionID
	if r.locals.Touch(req.SessionID, c.timeout, ev.Clock) {
		r.openLocal(c, e)
		return
	}
	if r.prep == nil {
		r.attach(c)
		r.askValid(c)
		return
	}
	if !r.sessions.Touch(req.SessionID, c.timeout, ev.Clock) {
		r.refuse(c, e)
		return
	}
	r.own(c.session)
	r.attach(c)
	c.state = connOpen
	r.welcome(c, e)
}

// refuse answers a handshake with "expired": all zeros, then the end.
func (r *Replica) refuse(c *Conn, e *Effects) {
	at := e.begin()
	resp := wire.ConnectResponse{HasReadOnly: c.connect.HasReadOnly}
	b, mark := wire.BeginFrame(e.buf)
	e.buf = wire.EndFrame(resp.Append(b), mark)
	e.end(at, Send{Conn: c, Close: true, Header: wire.Header{Type: wire.OpCreateSession}})
	c.state = connGone
}

// welcome answers a handshake.
func (r *Replica) welcome(c *Conn, e *Effects) {
	at := e.begin()
	resp := wire.ConnectResponse{
		TimeOut: c.timeout, SessionID: c.session, Password: session.Password(c.session), HasReadOnly: c.connect.HasReadOnly, ReadOnly: r.ReadOnly(),
	}
	b, mark := wire.BeginFrame(e.buf)
	e.buf = wire.EndFrame(resp.Append(b), mark)
	e.end(at, Send{Conn: c, Header: wire.Header{Type: wire.OpCreateSession}, Zxid: r.tree.LastZxid()})
}

// attach gives a connection its number and makes it the one of its session.
func (r *Replica) attach(c *Conn) {
	if n := len(r.freeConns); n > 0 {
		c.watcher = r.freeConns[n-1]
		r.freeConns = r.freeConns[:n-1]
		r.conns[c.watcher] = c
	} else {
		c.watcher = watch.Watcher(len(r.conns))
		r.conns = append(r.conns, c)
	}
	r.bySession[c.session] = c
}

// detach forgets a connection: its watches go, what it still waited for is not answered, what it asked for is done.
func (r *Replica) detach(c *Conn) {
	if c.state == connNew || c.state == connGone {
		c.state = connGone
		return
	}
	c.state = connGone
	r.watches.Drop(c.watcher)
	r.conns[c.watcher] = nil
	r.freeConns = append(r.freeConns, c.watcher)
	if r.bySession[c.session] == c {
		delete(r.bySession, c.session)
	}
	r.inflight -= c.Pending()
	c.fifo, c.head, c.behind = nil, 0, false
}

// parted counts a session's time from when its connection, which is gone, was last heard from: the table knows only of the last time
// that somebody has asked.
func (r *Replica) parted(c *Conn, heard int64) {
	if heard == 0 || c.state == connNew || c.state == connGone || r.bySession[c.session] != c {
		return
	}
	switch {
	case c.local:
		r.locals.Touch(c.session, c.timeout, heard)
	case r.prep != nil:
		r.sessions.Touch(c.session, c.timeout, heard)
	case r.member.role.Serving && heard >= r.member.lastTouch:
		r.member.parted = append(r.member.parted, zab.Touch{Session: c.session, Timeout: c.timeout})
	}
}

// tick ends the sessions whose time is over and removes containers and TTL nodes.
func (r *Replica) tick(ev *Tick, e *Effects) {
	r.tickLocals(ev, e)
	if r.prep == nil {
		r.lastTick, r.lastClock = ev.Now, ev.Clock
		return // the leader's concern
	}
	for _, id := range r.sessions.Due(ev.Clock) {
		if c := r.bySession[id]; c != nil && ev.Heard != nil {
			r.sessions.Touch(id, c.timeout, ev.Heard(c))
		}
	}
	for _, id := range r.sessions.Due(ev.Clock) {
		e.Expired = append(e.Expired, id)
		r.endSession(id, ev.Now, ev.Clock, e)
	}
	r.sweep(ev.Now, ev.Clock, e)
	r.lastTick, r.lastClock = ev.Now, ev.Clock
}

// expire ends a session as if its time were over.
func (r *Replica) expire(ev *Expire, e *Effects) {
	if r.locals.Known(ev.Session) {
		r.expireLocal(ev.Session, e)
		return
	}
	if r.prep == nil || !r.sessions.Known(ev.Session) || r.sessions.IsClosing(ev.Session) {
		return
	}
	e.Expired = append(e.Expired, ev.Session)
	r.endSession(ev.Session, ev.Now, ev.Clock, e)
}

// endSession proposes the end of a session that nobody asked to end.
func (r *Replica) endSession(id zk.SessionID, now, clock int64, e *Effects) {
	r.sessions.SetClosing(id)
	if c := r.bySession[id]; c != nil {
		c.state = connClosing
	}
	r.propose(&prep.Request{Session: id, Op: &wire.CloseSession{}, Now: now}, nil, clock, e)
}

// sweep removes containers and TTL nodes, at most ContainerRate a minute: section 3.10. How old they are is by the wall clock, as
// their times are; all else is not, so that setting that clock holds nothing up.
func (r *Replica) sweep(now, clock int64, e *Effects) {
	if r.cfg.ContainerInterval <= 0 {
		return
	}
	if clock >= r.nextSweep {
		r.nextSweep = clock + r.cfg.ContainerInterval
		if len(r.doomed) == 0 {
			r.doomed = r.tree.Expired(now, r.cfg.NeverUsed)
			r.sweepQuota = 1
		}
	}
	if len(r.doomed) == 0 {
		return
	}
	r.sweepQuota += float64(r.cfg.ContainerRate) * float64(clock-r.lastClock) / 60000
	for len(r.doomed) > 0 && r.sweepQuota >= 1 {
		r.sweepQuota--
		// A node that was used meanwhile is refused by prep; failures are of no interest.
		r.propose(&prep.Request{Op: &prep.DeleteContainer{Path: r.doomed[0], NeverUsed: r.cfg.NeverUsed}, Now: now}, nil, clock, e)
		r.doomed = r.doomed[1:]
	}
}
