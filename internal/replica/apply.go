package replica

import (
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// synced applies, in order, the txns that are on disk now, as long as it is not too much for one Step. A standalone server is its
// own quorum: on disk is committed.
func (r *Replica) synced(ev *Synced, e *Effects) {
	for r.phead < len(r.proposed) && r.proposed[r.phead].txn.Zxid <= ev.Zxid && !e.full() {
		p := r.proposed[r.phead]
		if p.conn != nil && p.conn.behind {
			// The reads before a write must not see it. Nor may one client that does not read hold up everybody's writes: its
			// answers are made now, whether or not there is room for them.
			if r.drain(p.conn, e); p.conn.behind {
				break
			}
		}
		r.takeProposed()
		r.apply(p, ev.Clock, e)
		r.endSyncs(e)
	}
}

// takeProposed takes the oldest proposal off.
func (r *Replica) takeProposed() {
	r.proposed[r.phead] = proposal{}
	r.phead++
	if r.phead == len(r.proposed) {
		r.proposed, r.phead = r.proposed[:0], 0
	} else if r.phead > 4096 && r.phead > len(r.proposed)/2 {
		n := copy(r.proposed, r.proposed[r.phead:])
		clear(r.proposed[n:])
		r.proposed, r.phead = r.proposed[:n], 0
	}
}

// endSyncs goes on with the connections whose sync has seen what it waited for. That has to be before the next txn, which may
// be a write behind the sync on the same connection.
func (r *Replica) endSyncs(e *Effects) {
	if len(r.syncing) == 0 || r.tree.LastZxid() < r.syncDue {
		return
	}
	waiting := r.syncing
	r.syncing = nil
	for _, c := range waiting {
		c.syncing = false
		if c.state != connGone {
			r.drain(c, e) // it comes back if it has to wait on
		}
	}
}

// apply carries out one txn: tree, sessions, notices, reply - in this order (WatchBeforeData).
func (r *Replica) apply(p proposal, clock int64, e *Effects) {
	x := p.txn
	var res txn.Result
	res, r.changes = r.tree.Apply(x, r.changes[:0])
	switch body := x.Body.(type) {
	case *txn.CreateSession:
		r.sessions.Add(x.Session, body.TimeOut, clock)
	case *txn.CloseSession:
		r.sessions.Remove(x.Session)
	}
	r.digests.note(x.Zxid, r.tree.Digest())
	for i := range r.changes {
		r.fire(&r.changes[i], e)
	}
	if r.prep != nil {
		r.prep.Applied(x.Zxid)
	}
	if r.cfg.Audit {
		r.audit(p, &res, e)
	}

	if c := p.conn; c != nil && c.state != connGone {
		en := &c.fifo[c.head]
		if en.kind != entryWrite || en.zxid != x.Zxid { // tested here too, as the arguments of Check cost an allocation
			invariant.Check(false, invariant.SessionFIFO,
				"txn %v is applied while the oldest request of session %v is of kind %d, zxid %v", x.Zxid, c.session, en.kind, en.zxid)
		}
		moved := x.Type == txn.TypeError && res.Code == zk.SessionMoved
		if !moved {
			r.reply(c, en, x, &res, e)
		}
		r.pop(c)
		if x.Type == txn.TypeCloseSession || moved { // moved: its session is served elsewhere
			e.close(c)
			r.detach(c)
		} else {
			r.drain(c, e)
		}
	}
	if x.Type == txn.TypeCloseSession {
		if c := r.bySession[x.Session]; c != nil { // ended by its timeout, not by its client
			e.close(c)
			r.detach(c)
		}
	}
}

// fire makes the notices of one change. A reader that may not see the znode is told nothing, but its one-shot watch is spent
// (section 5.5).
func (r *Replica) fire(c *txn.Change, e *Effects) {
	r.notices = r.watches.Match(*c, r.notices[:0])
	for i := range r.notices {
		n := &r.notices[i]
		to := r.conns[n.Watcher]
		if to == nil || !r.cfg.Rules.Allowed(n.ACL, zk.PermRead, to.ids) {
			continue
		}
		at := e.begin()
		e.buf = wire.AppendNoticeFrame(e.buf, n.Zxid, n.Type, n.Path)
		e.end(at, Send{Conn: to, Notice: true, Zxid: n.Zxid})
	}
	clear(r.notices)
}

// reply answers the write that made txn x.
func (r *Replica) reply(c *Conn, en *entry, x *txn.Txn, res *txn.Result, e *Effects) {
	if en.header.Type == wire.OpCreateSession {
		c.state = connOpen
		r.welcome(c, e)
		return
	}
	at := e.begin()
	if x.Type == txn.TypeError {
		e.buf = wire.AppendErrorFrame(e.buf, en.header.Xid, x.Zxid, res.Code)
	} else {
		b, mark := wire.BeginFrame(e.buf)
		b = wire.ReplyHeader{Xid: en.header.Xid, Zxid: x.Zxid, Err: res.Code}.Append(b)
		if res.Code == zk.OK {
			b = appendResult(b, en, res)
		}
		e.buf = wire.EndFrame(b, mark)
	}
	path, n := written(x.Body)
	e.end(at, Send{
		Conn: c, Header: en.header, Zxid: x.Zxid, Since: en.since, Refused: x.Type == txn.TypeError, Path: path, Written: n,
	})
}

// written tells which znode a txn changes and how many bytes of path and data that is.
func written(b txn.Body) (path string, n int) {
	switch b := b.(type) {
	case *txn.Create:
		return b.Path, len(b.Path) + len(b.Data)
	case *txn.SetData:
		return b.Path, len(b.Path) + len(b.Data)
	case *txn.Delete:
		return b.Path, 0
	}
	return "", 0
}

// appendResult appends the record of a successful write.
func appendResult(b []byte, en *entry, res *txn.Result) []byte {
	switch en.header.Type {
	case wire.OpCreate:
		return (&wire.PathReply{Path: res.Path}).Append(b)
	case wire.OpCreate2, wire.OpCreateContainer, wire.OpCreateTTL:
		return (&wire.Create2Reply{Path: res.Path, Stat: res.Stat}).Append(b)
	case wire.OpSetData, wire.OpSetACL:
		return (&wire.StatReply{Stat: res.Stat}).Append(b)
	case wire.OpReconfig:
		return (&wire.DataReply{Data: res.Data, Stat: res.Stat}).Append(b)
	case wire.OpMulti:
		reply := wire.MultiReply{Results: make([]wire.MultiResult, len(res.Subs))}
		for i := range res.Subs {
			s := &res.Subs[i]
			reply.Results[i] = wire.MultiResult{Type: multiType(s.Type, en.op, i), Err: s.Code, Path: s.Path, Stat: s.Stat}
		}
		return reply.Append(b)
	}
	return b
}

// multiType is the type that an entry of a MultiReply shows: containers and TTL nodes answer as create2 (trap 25), and so does
// whatever was asked as one: the txn says create.
func multiType(t txn.Type, asked wire.Op, i int) wire.OpCode {
	switch t {
	case txn.TypeCreate:
		if m, ok := asked.(*wire.Multi); ok && i < len(m.Ops) && m.Ops[i].OpCode() == wire.OpCreate2 {
			return wire.OpCreate2
		}
	case txn.TypeCreateContainer, txn.TypeCreateTTL:
		return wire.OpCreate2
	case txn.TypeDeleteContainer:
		return wire.OpDelete
	}
	return wire.OpCode(t)
}
