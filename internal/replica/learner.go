package replica

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
)

// A learner's clients: their writes and syncs travel to the leader, in order, and come back as commits and SYNCs, in order
// (ensemble protocol, sections 6.3 to 6.6). So the oldest request of a connection that waits for one is the one that it is for.

// forward sends a client's write to the leader.
func (r *Replica) forward(c *Conn, en entry, body []byte) {
	en.kind, en.zxid = entryWrite, 0
	if en.header.Type != wire.OpMulti && !r.cfg.Audit {
		en.op = nil // of a multi it says how to answer
	}
	r.queue(c, en)
	r.member.core.Send(0, &zab.Request{Session: c.session, Xid: en.header.Xid, Op: int32(en.header.Type), Body: body, IDs: en.ids})
	if en.header.Type == wire.OpCloseSession {
		c.state = connClosing
	}
}

// forwardSession asks the leader for a new session.
func (r *Replica) forwardSession(c *Conn) {
	r.queue(c, entry{kind: entryWrite, header: wire.Header{Type: wire.OpCreateSession}})
	r.askSession(c)
}

// askSession sends for the createSession of a connection's session.
func (r *Replica) askSession(c *Conn) {
	r.member.core.Send(0, &zab.Request{Session: c.session, Op: int32(wire.OpCreateSession), Body: jute.AppendInt(nil, c.timeout)})
}

// waiting finds the connection that waits for a txn, and marks its request with the zxid.
func (r *Replica) waiting(x *txn.Txn, e *Effects) *Conn {
	c := r.bySession[x.Session]
	if c == nil || c.Pending() == 0 {
		return nil
	}
	if c.behind && !r.catchUp(c, e) {
		return nil
	}
	en := &c.fifo[c.head]
	if en.kind != entryWrite || en.header.Xid != x.Cxid || (en.header.Type == wire.OpCreateSession) != (x.Type == txn.TypeCreateSession) {
		return nil
	}
	if x.Type == txn.TypeCloseSession && en.header.Type != wire.OpCloseSession {
		return nil // the session ended by its timeout
	}
	en.zxid = x.Zxid
	if r.cfg.Audit && en.header.Type != wire.OpCreateSession {
		r.ask(x.Zxid, &prep.Request{Op: en.op, IDs: en.ids})
	}
	return c
}

// forwardSync asks the leader for a SYNC.
func (r *Replica) forwardSync(c *Conn, en *entry, body []byte) {
	m := r.member
	m.turns++
	en.turn = m.turns
	m.asked = append(m.asked, asker{conn: c})
	m.core.Send(0, &zab.Request{Session: c.session, Xid: en.header.Xid, Op: int32(wire.OpSync), Body: body, IDs: en.ids})
}

// syncDone ends the oldest sync. Its connection may be gone.
func (r *Replica) syncDone(e *Effects) {
	m := r.member
	if len(m.asked) == 0 {
		return
	}
	a := m.asked[0]
	m.asked = m.asked[1:]
	if a.conn == nil {
		m.core.Send(a.link, &zab.SyncDone{}) // behind the commits that it waited for; the observer may be gone
		return
	}
	c := a.conn
	m.done++
	if c.state != connGone {
		r.drain(c, e)
	}
}

// askValid asks the leader whether the session of a connection lives. The connection is the session's from here on: what it
// asks for meanwhile waits behind the answer.
func (r *Replica) askValid(c *Conn) {
	c.state = connWaiting
	r.queue(c, entry{kind: entryAsk, header: wire.Header{Type: wire.OpCreateSession}})
	r.member.doubted = append(r.member.doubted, asker{conn: c})
	r.member.core.Send(0, &zab.Revalidate{Session: c.session, Timeout: c.timeout})
}

// revalidated takes the leader's answer.
func (r *Replica) revalidated(p *zab.Revalidated, e *Effects) {
	m := r.member
	if len(m.doubted) == 0 {
		return
	}
	a := m.doubted[0]
	m.doubted = m.doubted[1:]
	c := r.bySession[p.Session]
	if a.conn == nil {
		if p.Valid && c != nil { // it was ours until now
			e.close(c)
			r.detach(c)
		}
		m.core.Send(a.link, p)
		return
	}
	if c == nil || c.Pending() == 0 || c.fifo[c.head].kind != entryAsk {
		return
	}
	if !p.Valid {
		r.refuse(c, e)
		c.state = connWaiting // refuse takes it for one that was never attached
		r.detach(c)
		return
	}
	if c.state == connWaiting {
		c.state = connOpen
	}
	r.welcome(c, e)
	r.pop(c)
	r.drain(c, e)
}

// heardOf lists the sessions of our connections that were heard of since the leader was last told.
func (r *Replica) heardOf(clock int64) []zab.Touch {
	m := r.member
	touched := append([]zab.Touch{}, m.parted...)
	m.parted = nil
	for _, c := range r.conns {
		if c != nil && !c.local && m.heard != nil && m.heard(c) >= m.lastTouch {
			touched = append(touched, zab.Touch{Session: c.session, Timeout: c.timeout})
		}
	}
	m.lastTouch = clock
	return touched
}
