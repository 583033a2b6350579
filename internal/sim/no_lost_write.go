package sim

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// lost is NoLostWrite: what a client was told is done is in the history, under the zxid that it was told, as its own.
func (k *checks) lost() {
	h, running := &k.w.history, k.w.running()
	for _, a := range h.calls {
		if a.returned < 0 || a.alone || !a.op.OpCode().IsWrite() || a.zxid <= 0 {
			continue
		}
		if a.op.OpCode() == wire.OpCloseSession && h.local(a.session) {
			continue
		}
		n := h.log.upTo(a.zxid)
		if n == 0 || h.log[n-1].zxid != a.zxid {
			k.w.fail("NoLostWrite", "client %d was told that %s %d is %v, which is not in the history", a.client, a.op.OpCode(), a.xid, a.zxid)
			continue
		}
		for _, s := range running {
			if !s.durable.has(a.zxid) {
				k.w.fail("NoLostWrite", "client %d was told that %s %d is %v, which server %d does not have", a.client, a.op.OpCode(), a.xid, a.zxid, s.sid)
			}
		}
		x := h.txns[n-1]
		failed := x.Type == txn.TypeError
		if x.Session != a.session || x.Cxid != a.xid && a.op.OpCode() != wire.OpCloseSession || failed != (a.code != zk.OK) && a.op.OpCode() != wire.OpMulti {
			k.w.fail("NoLostWrite", "client %d was told that %s %d is %v with %d, which is session %v's %d, %T", a.client, a.op.OpCode(), a.xid, a.zxid, a.code, x.Session, x.Cxid, x.Body)
		}
	}
}
