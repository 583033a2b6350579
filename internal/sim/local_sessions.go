package sim

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// locals is LocalSession: with local sessions, a txn makes a session only of one that has asked for an ephemeral, and only where that
// makes it the ensemble's; and none ends another.
func (k *checks) locals(x *txn.Txn) {
	h := &k.w.history
	switch x.Type {
	case txn.TypeCreateSession:
		h.global[x.Session] = true
		if k.w.Local && (!k.w.Upgrade || !h.wanted[x.Session]) {
			k.w.fail("LocalSession", "%v makes the session %v the ensemble's, which has asked for no ephemeral", x.Zxid, x.Session)
		}
	case txn.TypeCloseSession:
		if k.w.Local && !h.global[x.Session] {
			k.w.fail("LocalSession", "%v ends the session %v, which is a local one", x.Zxid, x.Session)
		}
	}
}

// local tells whether a session was never the ensemble's, so that its end is no txn.
func (h *history) local(id zk.SessionID) bool { return !h.global[id] }

// wants notes who asks for an ephemeral.
func (h *history) wants(a *call) {
	switch op := a.op.(type) {
	case *wire.Create:
		if op.Mode.IsEphemeral() {
			h.wanted[a.session] = true
		}
	case *wire.Multi:
		for _, part := range op.Ops {
			h.wants(&call{op: part, session: a.session})
		}
	}
}
