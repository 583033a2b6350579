package replica

import (
	"errors"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// fromLearner takes a request that a learner has forwarded. Whatever it is, if it was asked as a write it gets a txn: the
// learner's client waits for it.
func (r *Replica) fromLearner(link zab.Link, p *zab.Request, now, clock int64, e *Effects) {
	if !r.leads() {
		return
	}
	op := wire.OpCode(p.Op)
	if op == wire.OpSync {
		r.member.core.Sync(link, clock)
		return
	}
	req := prep.Request{Session: p.Session, Xid: p.Xid, IDs: p.IDs, Now: now}
	switch op {
	case wire.OpCreateSession:
		d := jute.NewDecoder(p.Body)
		req.Op = &prep.CreateSession{TimeOut: d.Int()}
		r.member.owners[p.Session] = link
	case wire.OpCloseSession:
		req.Op = &wire.CloseSession{}
		r.sessions.SetClosing(p.Session)
	default:
		r.judge(&req, op, p.Body)
		if !r.claim(p.Session, link) {
			req.Op, req.Code = nil, zk.SessionMoved
		}
	}
	delete(r.asked, r.propose(&req, nil, clock, e)) // audited where it was asked
}

// judge decodes a forwarded request.
func (r *Replica) judge(req *prep.Request, op wire.OpCode, body []byte) {
	d := wire.Decoder{Keep: true}
	var err error
	if req.Op, err = d.Body(op, body); err == nil && op.IsWrite() {
		return
	}
	req.Op, req.Code = nil, zk.MarshallingError
	if err == nil || errors.Is(err, wire.ErrUnknownOp) {
		req.Code = zk.Unimplemented // a check on its own, for one: as a txn it stops Apache's servers
	}
}

// claim tells whether a session's requests may come over this link, 0 for our own connections: over one server at a time
// (section 6.6). The first to come decides; a resumed session is claimed anew.
func (r *Replica) claim(id zk.SessionID, link zab.Link) bool {
	if r.member == nil {
		return true
	}
	owner, owned := r.member.owners[id]
	if !owned {
		r.member.owners[id] = link
	}
	return !owned || owner == link
}

// revalidate answers whether a session lives, and makes it the learner's.
func (r *Replica) revalidate(link zab.Link, p *zab.Revalidate, clock int64, e *Effects) {
	if !r.leads() {
		return
	}
	valid := r.sessions.Touch(p.Session, p.Timeout, clock)
	if valid {
		r.member.owners[p.Session] = link
		if c := r.bySession[p.Session]; c != nil { // it was ours until now
			e.close(c)
			r.detach(c)
		}
	}
	r.member.core.Send(link, &zab.Revalidated{Session: p.Session, Valid: valid})
}
