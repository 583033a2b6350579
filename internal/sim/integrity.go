package sim

import (
	"github.com/zooid-io/zooid/internal/zab"
)

// broadcast is Integrity: a txn comes to be in the log of the server that leads its epoch, and is the same in every other.
func (k *checks) broadcast(s *server, e entry) {
	first, ok := k.born[e.zxid]
	if !ok {
		role := s.rep.Role
		if r, _ := role(); r.State != zab.Leading || int64(r.Epoch) != int64(e.zxid.Epoch()) {
			k.w.fail("Integrity", "%v comes to be at %d, which is %v of epoch %d", e.zxid, s.sid, r.State, r.Epoch)
		}
		k.born[e.zxid] = e
		k.times[e.zxid] = s.wall()
		return
	}
	if !first.same(e) {
		k.w.fail("Integrity", "%d logs %v as %x, and it was broadcast as %x", s.sid, e.zxid, e.payload, first.payload)
	}
}
