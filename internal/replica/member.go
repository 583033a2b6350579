package replica

import (
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// member is what a replica has besides when it is one of an ensemble. A replica without is a leader of nobody: what is on its
// disk is committed.
type member struct {
	core *zab.Core
	role zab.Role

	looking  int64 // since when it looks for a leader, on Clock, if it does
	readOnly bool  // it has looked so long that it serves reads meanwhile

	owners map[zk.SessionID]zab.Link // leading: over which learner a session's requests come; 0 is a connection of ours

	asked     []asker           // learning: whose syncs the leader has not answered, in order
	doubted   []asker           // learning: whose sessions it was asked about, in order
	turns     uint64            // learning: how many syncs were asked
	done      uint64            // learning: how many were answered
	lastTouch int64             // learning: when the leader was last told which sessions were heard of
	heard     func(*Conn) int64 // of the event at hand
	parted    []zab.Touch       // learning: heard of since then, over connections that are gone

	ended ended // leading, with local sessions

	payload   int    // leading: bytes that the last proposal took, and some more: the next will be like it
	confirmed uint64 // leading: what core.Confirmed was when connections were last looked at
	sizes     Sizes  // leading: of the proposals
}

// leads tells whether this server may prepare txns.
func (r *Replica) leads() bool {
	return r.member == nil || r.member.role.State == zab.Leading && r.member.role.Serving
}

// serves tells whether clients may be served.
func (r *Replica) serves() bool { return r.member == nil || r.member.role.Serving }

// refuses tells whether this member leads, and leaves clients to the others.
func (r *Replica) refuses() bool { return r.member != nil && r.prep != nil && r.cfg.LeaderIdle }

// Settled tells whether the tree shows nothing but what is committed. While a member looks for a leader it also shows what was logged,
// which a leader may take back: no snapshot may hold that.
func (r *Replica) Settled() bool { return r.serves() }

// Role is what this server is in its ensemble; ok is false of one that stands alone.
func (r *Replica) Role() (_ zab.Role, ok bool) {
	if r.member == nil {
		return zab.Role{}, false
	}
	return r.member.role, true
}

// Deadline is when, on Clock, the next Peer event with a zab.Timer is due.
func (r *Replica) Deadline() int64 { return min(r.member.core.Deadline(), r.readOnlyAt()) }

// Undelivered is the number of proposals that this member has, and not applied.
func (r *Replica) Undelivered() int { return r.member.core.Undelivered() }

// encode makes the payload of a proposal, once for the log and all learners.
func (m *member) encode(x *txn.Txn) []byte {
	b := x.Append(make([]byte, 0, m.payload))
	m.payload = min(len(b)+32, 1<<10)
	return b
}

// peer takes an event of the agreement.
func (r *Replica) peer(ev *Peer) {
	m := r.member
	m.heard = ev.Heard
	switch x := ev.Event.(type) {
	case *zab.Received:
		r.decode(x.Packet)
	case *zab.Loaded:
		if !m.core.Wants(x) {
			return // of a link that was given up meanwhile
		}
	}
	if ev.Tree != nil {
		r.restart(ev)
	}
	m.core.Step(ev.Event, ev.Clock)
}

// decode decodes the payload of a proposal, once: the agreement wants to know whether it is a reconfiguration, and the tree wants it
// as a value. What cannot be decoded must not get into the log.
func (r *Replica) decode(p zab.Packet) {
	switch p := p.(type) {
	case *zab.Propose:
		p.Unreadable = r.understand(&p.Proposal) == nil
	case *zab.Inform:
		p.Unreadable = r.understand(&p.Proposal) == nil
	case *zab.InformActivate:
		p.Unreadable = r.understand(&p.Proposal) == nil
	}
}

// settle does what the agreement asks for until it asks for nothing.
func (r *Replica) settle(now, clock int64, e *Effects) {
	m := r.member
	for {
		rd := m.core.Ready()
		if rd.Empty() {
			break
		}
		if rd.Role != nil {
			r.become(*rd.Role, clock, e)
		}
		if c := m.core.Confirmed(); c != m.confirmed {
			m.confirmed = c
			r.endSyncs(e) // before any later write of the same session
		}
		e.Orders.Committed += len(rd.Committed)
		for i := range rd.Committed {
			r.deliver(&rd.Committed[i], clock, e)
		}
		e.order(r, rd)
		for i := range rd.Upper {
			r.upper(&rd.Upper[i], now, clock, e)
		}
	}
	r.beginReadOnly(clock)
}

// become changes the role. Who stops serving closes its clients' connections: they go to another server, or come back, and their
// sessions go on. What they had in flight is of unknown outcome.
func (r *Replica) become(role zab.Role, clock int64, e *Effects) {
	m := r.member
	was := m.role
	m.role = role
	if was.Serving && !role.Serving || m.readOnly {
		for _, c := range r.conns {
			if c != nil {
				e.close(c)
				r.detach(c)
			}
		}
		clear(r.proposed)
		r.proposed, r.phead = r.proposed[:0], 0
		r.prep, r.asked, r.doomed = nil, nil, nil
		m.owners, m.asked, m.doubted, m.parted, r.syncing = nil, nil, nil, nil, nil
		m.turns, m.done = 0, 0
		if m.readOnly {
			r.endReadOnly()
		}
	}
	if role.State == zab.Looking {
		m.looking = clock
	}
	if !was.Serving && role.Serving {
		// The epoch has begun, and with it comes a zxid that no txn has: who has seen it must find it everywhere.
		if z := zk.Zxid(role.Epoch) << 32; z > r.tree.LastZxid() {
			r.tree.SetLastZxid(z)
		}
		m.lastTouch = clock
		r.locals = r.renewed(r.locals, clock)
		if role.State == zab.Leading {
			r.sessions = r.renewed(r.sessions, clock)
			r.prep = prep.New(r.cfg.Prep, r.tree, r.sessions)
			m.owners, m.sizes, m.ended = map[zk.SessionID]zab.Link{}, noSizes, ended{}
			m.confirmed = m.core.Confirmed()
		}
	}
	e.Orders.Role = &role
}

// Understand says of proposals that come from a log which configurations they install. What cannot be read says nothing.
func Understand(log []zab.Proposal) {
	for i := range log {
		if x, err := txn.Decode(log[i].Payload); err == nil {
			log[i].Config = configOf(x)
		}
	}
}

// understand fills in what a proposal's payload says.
func (r *Replica) understand(p *zab.Proposal) *txn.Txn {
	if x, ok := p.Value.(*txn.Txn); ok {
		return x
	}
	x, err := txn.Decode(p.Payload)
	if err != nil || x.Zxid != p.Zxid {
		return nil
	}
	p.Value, p.Config = x, configOf(x)
	return x
}

// deliver carries out what the ensemble has agreed on. While this server does not serve, the tree may be ahead in places: a snapshot
// that a leader of Apache's sends shows several moments.
func (r *Replica) deliver(p *zab.Proposal, clock int64, e *Effects) {
	x := r.understand(p)
	if x == nil {
		invariant.Check(false, invariant.PrefixConsistency, "the proposal %v is committed and cannot be read", p.Zxid)
	}
	if !r.member.role.Serving {
		r.replay(x, clock)
		return
	}
	pr := proposal{txn: x}
	if r.prep != nil {
		pr = r.proposed[r.phead]
		invariant.Check(pr.txn.Zxid == x.Zxid, invariant.TotalOrder, "%v is committed, and %v is the oldest proposal", x.Zxid, pr.txn.Zxid)
		r.takeProposed()
		if c := pr.conn; c != nil && c.behind {
			r.catchUp(c, e)
		}
	} else {
		pr.conn = r.waiting(x, e)
	}
	r.apply(pr, clock, e)
	if r.member.owners != nil && x.Type == txn.TypeCloseSession {
		delete(r.member.owners, x.Session)
		if r.cfg.LocalSessions {
			r.member.ended.note(x.Session, clock)
		}
	}
	r.endSyncs(e)
}

// mostBehind is how many bytes of answers may be made at once so that a write can follow them.
const mostBehind = 64 << 20

// catchUp answers the reads before a write that is committed: they must not see it, and the ensemble does not wait. A client that
// has asked for more than its connection can hold loses it.
func (r *Replica) catchUp(c *Conn, e *Effects) bool {
	e.extra = e.Sent() + mostBehind
	r.drain(c, e)
	e.extra = 0
	if c.behind {
		e.close(c)
		r.detach(c)
	}
	return c.state != connGone
}

// replay applies a txn when nobody looks.
func (r *Replica) replay(x *txn.Txn, clock int64) {
	r.tree.Replay(x)
	switch body := x.Body.(type) {
	case *txn.CreateSession:
		r.sessions.Add(x.Session, body.TimeOut, clock)
	case *txn.CloseSession:
		r.sessions.Remove(x.Session)
	}
}

// restart goes on with another tree: one that a leader has sent, or this server's own, taken back.
func (r *Replica) restart(ev *Peer) {
	invariant.Check(!r.member.role.Serving && !r.member.readOnly, invariant.PrefixConsistency, "the tree is exchanged while clients look at it")
	r.tree = ev.Tree
	r.sessions = r.newSessions(ev.Sessions, ev.Clock)
	r.digests = digests{}
	r.configure(r.member.core.Configs())
}

// upper handles a packet that concerns sessions.
func (r *Replica) upper(u *zab.Upper, now, clock int64, e *Effects) {
	m := r.member
	switch p := u.Packet.(type) {
	case *zab.Request:
		if m.role.State == zab.Following {
			r.relay(u.Link, p)
			return
		}
		r.fromLearner(u.Link, p, now, clock, e)
	case *zab.Revalidate:
		if m.role.State == zab.Following {
			r.askFor(u.Link, p)
			return
		}
		r.revalidate(u.Link, p, clock, e)
	case *zab.Ping:
		if p.Answer && m.role.State == zab.Following { // an observer's
			m.parted = append(m.parted, p.Touched...)
			return
		}
		if m.role.State == zab.Leading {
			for _, t := range p.Touched {
				r.sessions.Touch(t.Session, t.Timeout, clock)
			}
			return
		}
		m.core.Send(0, &zab.Ping{Zxid: p.Zxid, Answer: true, Touched: r.heardOf(clock)})
	case *zab.Revalidated:
		r.revalidated(p, e)
	case *zab.SyncDone:
		r.syncDone(e)
	}
}
