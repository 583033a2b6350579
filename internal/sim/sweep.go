package sim

import (
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
)

// sweep is Sweep: what a leader deletes by itself is a container that had children, or a znode whose data is older than its time to
// live by the clock of the leader; and it has no children. The model is as it was before the txn.
func (k *checks) sweep(s *server, x *txn.Txn) {
	del, ok := x.Body.(*txn.Delete)
	if !ok || x.Type != txn.TypeDeleteContainer {
		return
	}
	t := k.w.history.model
	n := t.Find(del.Path)
	if n == 0 {
		k.w.fail("Sweep", "as of %v, %s is deleted, which is not there", x.Zxid, del.Path)
		return
	}
	st := t.Stat(n)
	owner, old := t.Meta(n).Owner, min(x.Time, k.times[x.Zxid])-st.Mtime
	switch kind := t.KindOf(owner); {
	case st.NumChildren > 0:
		k.w.fail("Sweep", "as of %v, %s is deleted, which has %d children", x.Zxid, del.Path, st.NumChildren)
	case kind == tree.Container && st.CVersion > 0:
	case kind == tree.TTL && old > tree.TTLOf(owner):
	default:
		k.w.fail("Sweep", "as of %v, %s is deleted: kind %d, cversion %d, %d ms old", x.Zxid, del.Path, kind, st.CVersion, old)
	}
	k.w.history.swept++
}
