package sim

import (
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// told is WatchBeforeData: an answer shows no change that one of the client's watches has not told.
func (k *checks) told(c *client, a *call) {
	h := &k.w.history
	_, rearms := a.op.(*wire.SetWatches)
	for _, t := range c.watches {
		if rearms && t.kind == existsWatch && !h.at(t.path, a.zxid).exists {
			// It is missing, as it was: that it was there meanwhile no server can tell who was away.
			t.at = a.zxid
		}
		list := h.events[t.path]
		if t.kind == childWatch {
			list = h.kids[t.path]
		}
		if z, ok := between(list, t.at, a.zxid); ok {
			k.w.fail("WatchBeforeData", "client %d has watched %s since %v; %s %d shows %v, and nothing has told of %v", c.id, t.path, t.at, a.op.OpCode(), a.xid, a.zxid, z)
		}
	}
}

// notice is OneShot: a notice is of a watch that the client has.
func (k *checks) notice(c *client, ev zk.Event) {
	lasting := k.tells(c, ev)
	if !c.spent(ev) && !lasting {
		k.w.fail("OneShot", "client %d is told %d of %s, which it does not watch", c.id, ev.Type, ev.Path)
	}
}
