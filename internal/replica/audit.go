package replica

import (
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Audit is one applied write, for the audit log. There are none unless Config.Audit.
type Audit struct {
	Conn    *Conn // nil: the server itself asked
	Session zk.SessionID
	IDs     []zk.ID // of the connection when it asked
	Op      wire.Op // what was asked; nil if it could not be decoded
	Result  txn.Result
	Deleted []string // the end of a session: the ephemerals that went with it
}

// AuthNote is the outcome of an auth packet.
type AuthNote struct {
	Conn   *Conn
	Scheme string
	OK     bool
}

// ask remembers what a txn was asked for with, until it is applied.
func (r *Replica) ask(z zk.Zxid, req *prep.Request) {
	if r.asked == nil {
		r.asked = map[zk.Zxid]prep.Request{}
	}
	r.asked[z] = *req
}

// audit makes the effect of an applied txn. r.changes are those of the txn.
func (r *Replica) audit(p proposal, res *txn.Result, e *Effects) {
	x := p.txn
	req, ok := r.asked[x.Zxid]
	if !ok {
		return
	}
	delete(r.asked, x.Zxid)
	a := Audit{Conn: p.conn, Session: x.Session, IDs: req.IDs, Op: req.Op, Result: *res}
	if x.Type == txn.TypeCloseSession {
		for i := range r.changes {
			if r.changes[i].Kind == txn.NodeDeleted {
				a.Deleted = append(a.Deleted, r.changes[i].Path)
			}
		}
	}
	e.Audits = append(e.Audits, a)
}
