package replica

import (
	"errors"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// request takes a frame behind the handshake: client protocol, section 2.15, in its order.
func (r *Replica) request(ev *Request, e *Effects) {
	c := ev.Conn
	if c.state != connOpen && c.state != connWaiting {
		return // closing, its session ending, or gone: what still comes is dropped (trap 19)
	}
	h := ev.Header
	en := entry{header: h, op: ev.Op, ids: c.ids, since: ev.Since}
	switch {
	case errors.Is(ev.Err, wire.ErrHeader):
		e.close(c)
		r.detach(c)
		return
	case h.Type == wire.OpAuth:
		r.auth(c, en, e)
		return
	case h.Type == wire.OpSasl:
		r.sasl(c, en, e)
		return
	}
	if !c.admitted {
		en.kind, en.code, en.close = entryError, zk.SessionClosedRequireSaslAuth, true
		r.queue(c, en)
		r.last(c, e)
		return
	}
	switch {
	case !h.Type.FromClient():
		en.kind, en.code, en.zxid, en.close = entryError, zk.Unimplemented, -1, true
		r.queue(c, en)
		r.last(c, e)
		return
	case ev.Throttled:
		en.kind, en.code, en.zxid = entryError, zk.ThrottledOp, useLast
		r.queue(c, en)
	case r.ReadOnly() && h.Type != wire.OpCloseSession && (h.Type.IsWrite() || h.Type == wire.OpSync):
		en.kind, en.code, en.zxid = entryError, zk.NotReadOnly, useLast // whatever is in it
		r.queue(c, en)
	case h.Type.IsWrite():
		r.write(c, en, ev, e)
	case h.Type == wire.OpSync:
		en.kind = entrySync
		r.sync(c, &en, ev)
		r.queue(c, en)
	case c.Pending() == 0:
		r.answer(c, &en, e)
		return
	default:
		en.kind = entryRead
		r.queue(c, en)
	}
	r.advance(c, e)
}

// sync makes a sync wait for whatever is in flight now, whoever asked for it: a write without a change. In an ensemble it waits, too,
// until it is known that nobody else leads by now.
func (r *Replica) sync(c *Conn, en *entry, ev *Request) {
	if r.prep == nil {
		r.forwardSync(c, en, ev.Body)
		return
	}
	en.zxid = r.prep.LastZxid()
	if r.member != nil {
		en.turn = r.member.core.Confirm(ev.Clock)
	}
}

// turn is up to which entry.turn the question who leads is answered.
func (r *Replica) turn() uint64 {
	switch {
	case r.member == nil:
		return 0
	case r.prep == nil:
		return r.member.done
	}
	return r.member.core.Confirmed()
}

// last makes a connection take nothing more, and answers what can be answered.
func (r *Replica) last(c *Conn, e *Effects) {
	c.state = connClosing
	r.advance(c, e)
}

// write prepares a write.
func (r *Replica) write(c *Conn, en entry, ev *Request, e *Effects) {
	if c.local && en.header.Type == wire.OpCloseSession {
		r.closeLocal(c, en)
		return
	}
	if r.prep != nil && !r.claim(c.session, 0) {
		e.close(c) // it is served elsewhere by now
		r.detach(c)
		return
	}
	req := prep.Request{Session: c.session, Xid: en.header.Xid, Op: ev.Op, IDs: en.ids, Now: ev.Now}
	if ev.Err != nil {
		var be *wire.BodyError
		if errors.As(ev.Err, &be) && !be.UsesZxid {
			en.kind, en.code, en.zxid = entryError, zk.MarshallingError, useLast
			r.queue(c, en)
			return
		}
		req.Op, req.Code = nil, zk.MarshallingError
	}
	if r.prep == nil {
		r.forward(c, en, ev.Body)
		return
	}
	en.kind = entryWrite
	if en.header.Type != wire.OpMulti {
		en.op = nil // of a multi it says how to answer
	}
	if en.zxid = r.propose(&req, c, ev.Clock, e); en.zxid == 0 {
		e.close(c)
		r.detach(c)
		return
	}
	r.queue(c, en)
	if en.header.Type == wire.OpCloseSession {
		r.sessions.SetClosing(c.session)
		c.state = connClosing
	}
}

// auth adds an identity at once; the answer keeps its place in the FIFO (kazoo counts on it), and never touches the session.
func (r *Replica) auth(c *Conn, en entry, e *Effects) {
	a, ok := en.op.(*wire.Auth)
	if !ok {
		e.close(c)
		r.detach(c)
		return
	}
	en.kind = entryError
	ids, err := r.cfg.Rules.Authenticate(a.Scheme, a.SchemeNull, a.Auth, c.ids)
	if errors.Is(err, auth.ErrEnsemble) {
		e.close(c)
		r.detach(c)
		return
	}
	e.Auths = append(e.Auths, AuthNote{Conn: c, Scheme: a.Scheme, OK: err == nil})
	if err != nil {
		en.code, en.close = zk.AuthFailed, true
		r.queue(c, en)
		r.last(c, e)
		return
	}
	c.ids = ids
	c.admitted = r.cfg.Rules.Admits(ids)
	r.queue(c, en)
	r.advance(c, e)
}

// sasl answers each step with a null token: no SASL is configured (section 6.7, first row). A null token from the client
// closes the connection.
func (r *Replica) sasl(c *Conn, en entry, e *Effects) {
	s, ok := en.op.(*wire.Sasl)
	if !ok || s.Token == nil {
		e.close(c)
		r.detach(c)
		return
	}
	en.kind = entrySasl
	r.queue(c, en)
	r.advance(c, e)
}

// advance is drain behind a new request. A connection that is behind waits for Continue instead.
func (r *Replica) advance(c *Conn, e *Effects) {
	if !c.behind {
		r.drain(c, e)
	}
}

// drain answers from the head of a connection's FIFO what need not wait any longer, as long as it is not too much for one Step.
func (r *Replica) drain(c *Conn, e *Effects) {
	was := c.behind
	c.behind = false
	for c.Pending() > 0 {
		en := &c.fifo[c.head]
		if en.kind != entryWrite && e.full() {
			if c.behind = true; !was {
				e.Behind = append(e.Behind, c)
			}
			return
		}
		switch en.kind {
		case entryWrite, entryAsk:
			return
		case entrySync:
			if en.zxid > r.tree.LastZxid() || en.turn > r.turn() {
				if !c.syncing && r.prep != nil { // to a learner's, syncDone comes back
					c.syncing = true
					if len(r.syncing) == 0 || en.zxid < r.syncDue {
						r.syncDue = en.zxid
					}
					r.syncing = append(r.syncing, c)
				}
				return
			}
			r.answer(c, en, e)
		case entryRead:
			r.answer(c, en, e)
		case entryError:
			z := en.zxid
			if z == useLast {
				z = r.tree.LastZxid()
			}
			at := e.begin()
			e.buf = wire.AppendErrorFrame(e.buf, en.header.Xid, z, en.code)
			e.end(at, Send{Conn: c, Close: en.close, Header: en.header, Zxid: z, Since: en.since, Refused: true})
		case entrySasl:
			at := e.begin()
			e.buf = wire.AppendReplyFrame(e.buf, en.header.Xid, 0, &wire.SaslReply{})
			e.end(at, Send{Conn: c, Header: en.header, Since: en.since})
		}
		if en.close {
			r.detach(c)
			return
		}
		r.pop(c)
	}
}
