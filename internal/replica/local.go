package replica

import (
	"slices"

	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Local sessions (ensemble protocol, section 6.6; client protocol, section 7.6) are known to this server alone: no txn makes or ends
// one, nobody else can resume it, and this server ends it when its time is over. They outlive a change of the role: their time stands
// still while nobody is served.

// Locals is the table of local sessions.
func (r *Replica) Locals() *session.Table { return r.locals }

// beginLocal answers the handshake of a new session with a local one.
func (r *Replica) beginLocal(c *Conn, clock int64, e *Effects) {
	r.locals.Add(c.session, c.timeout, clock)
	r.openLocal(c, e)
}

// openLocal lets a local session go on over c.
func (r *Replica) openLocal(c *Conn, e *Effects) {
	c.local = true
	r.attach(c)
	c.state = connOpen
	r.welcome(c, e)
}

// closeLocal ends a local session whose client asks for it. The answer has its turn.
func (r *Replica) closeLocal(c *Conn, en entry) {
	r.locals.Remove(c.session)
	en.kind, en.code, en.zxid, en.close = entryError, zk.OK, useLast, true
	r.queue(c, en)
	c.state = connClosing
}

// tickLocals ends the local sessions whose time is over.
func (r *Replica) tickLocals(ev *Tick, e *Effects) {
	if r.refuses() || !r.serves() && !r.ReadOnly() {
		return // nobody can come and say that he lives
	}
	for _, id := range r.locals.Due(ev.Clock) {
		if c := r.bySession[id]; c != nil && ev.Heard != nil {
			r.locals.Touch(id, c.timeout, ev.Heard(c))
		}
	}
	for _, id := range r.locals.Due(ev.Clock) {
		r.expireLocal(id, e)
	}
}

// expireLocal ends a local session that nobody asked to end.
func (r *Replica) expireLocal(id zk.SessionID, e *Effects) {
	e.Expired = append(e.Expired, id)
	r.locals.Remove(id)
	if c := r.bySession[id]; c != nil {
		e.close(c)
		r.detach(c)
	}
}

// ephemeral tells whether a request creates an ephemeral.
func ephemeral(op wire.Op) bool {
	switch op := op.(type) {
	case *wire.Create:
		return (op.OpCode() == wire.OpCreate || op.OpCode() == wire.OpCreate2) && op.Mode.IsEphemeral()
	case *wire.Multi:
		return slices.ContainsFunc(op.Ops, ephemeral)
	}
	return false
}

// upgrade makes a local session one of the ensemble, by a createSession in front of the request at hand. False: the connection had to
// be closed. From here on the leader ends the session; if it comes to nothing, the session has ended.
func (r *Replica) upgrade(c *Conn, ev *Request, e *Effects) bool {
	r.locals.Remove(c.session)
	c.local = false
	en := entry{kind: entryWrite, quiet: true, header: wire.Header{Type: wire.OpCreateSession}}
	if r.prep == nil {
		r.queue(c, en)
		r.askSession(c)
		return true
	}
	req := prep.Request{Session: c.session, Op: &prep.CreateSession{TimeOut: c.timeout}, Now: ev.Now}
	if en.zxid = r.propose(&req, c, ev.Clock, e); en.zxid == 0 {
		e.close(c)
		r.detach(c)
		return false
	}
	r.own(c.session)
	r.queue(c, en)
	return true
}

// foreign tells whether a session that a learner sends for, and that the ensemble does not know, may be a local one of that learner's:
// then it is for the learner to know whether it lives. One of ours is not, nor is one that the ensemble has known: what its client
// asked for over the learner before that heard of the end is refused. A leader of Apache's takes that for a local session's.
func (r *Replica) foreign(id zk.SessionID) bool {
	return r.cfg.LocalSessions && id>>56 != r.cfg.FirstSession>>56 && !r.member.ended.has(id)
}

// ended remembers the sessions that have ended lately: for endedFor ms at least. A learner that has not heard of an end by then is none
// any more.
type ended struct {
	young, old map[zk.SessionID]struct{}
	turn       int64 // when the young become old
}

const endedFor = 60_000

func (t *ended) note(id zk.SessionID, clock int64) {
	if clock >= t.turn {
		if t.old = t.young; clock >= t.turn+endedFor {
			t.old = nil
		}
		t.young, t.turn = map[zk.SessionID]struct{}{}, clock+endedFor
	}
	t.young[id] = struct{}{}
}

func (t *ended) has(id zk.SessionID) bool {
	_, young := t.young[id]
	_, old := t.old[id]
	return young || old
}
