package replica

import (
	"github.com/zooid-io/zooid/internal/session"
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
	if !r.serves() && !r.ReadOnly() {
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
