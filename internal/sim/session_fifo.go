package sim

import (
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// fifo is SessionFIFO: that xids come back in their order is seen by client.receive; here, that a session's writes were carried out
// in the order in which they were asked for.
func (k *checks) fifo(c *client, conn *conn, a *call) {
	if !a.op.OpCode().IsWrite() || a.zxid <= 0 || a.op.OpCode() == wire.OpCloseSession && k.w.history.local(a.session) {
		return
	}
	if a.zxid <= conn.wrote {
		k.w.fail("SessionFIFO", "client %d: %s %d is %v, and an earlier one %v", c.id, a.op.OpCode(), a.xid, a.zxid, conn.wrote)
	}
	conn.wrote = a.zxid
}

// connected looks at a connection that is established.
func (k *checks) connected(c *client, conn *conn) {
	z := zk.Zxid(0)
	if n := len(k.w.history.calls); n > 0 {
		z = c.seen
	}
	conn.wrote = z
}
