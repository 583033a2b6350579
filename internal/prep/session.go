package prep

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// CreateSession is the server's own request behind a handshake: it makes Request.Session.
type CreateSession struct{ TimeOut int32 } // ms

// OpCode is OpCreateSession.
func (*CreateSession) OpCode() wire.OpCode { return wire.OpCreateSession }

// Append is never needed: the request does not travel.
func (*CreateSession) Append(b []byte) []byte { return b }

// closeSession: client protocol, section 3.4.15. The txn lists the session's ephemerals, pending ones too, so that replay
// over a fuzzy snapshot deletes the same ones. Upstream writes a list longer than any reader takes and never starts again
// (ZOOKEEPER-4306 and its kin); here a list that is too long is left out, which readers since 3.4 take as "what the tree
// lists".
func (p *Prep) closeSession(r *Request, z zk.Zxid) (txn.Type, txn.Body) {
	paths := p.ephemerals(r.Session)
	size := txn.HeaderSize + 4 + 12
	for _, path := range paths {
		size += 4 + len(path)
		parent, _, _ := zk.SplitPath(path)
		p.removeChild(parent, p.find(parent, 1), z)
		p.remove(path, p.find(path, 0), z)
	}
	p.note(r.Session, z).ends = true
	if !p.cfg.CloseSessionPaths || size > p.cfg.MaxTxn {
		return txn.TypeCloseSession, &txn.CloseSession{}
	}
	return txn.TypeCloseSession, &txn.CloseSession{HasPaths: true, Paths: paths}
}
