package sim

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// prefix is PrefixConsistency: it compares what a server that serves has applied with the history, and lets that grow.
func (k *checks) prefix(s *server, z zk.Zxid) {
	h := &k.w.history
	n := s.issued.upTo(z)
	if n > 0 && s.issued[n-1].zxid != z && z.Counter() != 0 {
		k.w.fail("PrefixConsistency", "%d shows %v, which it has not logged", s.sid, z)
	}
	for ; s.checked < n; s.checked++ {
		e := s.issued[s.checked]
		if s.checked == len(h.log) {
			k.committed(s, e)
			x, err := txn.Decode(e.payload)
			if err != nil || x.Zxid != e.zxid {
				k.w.fail("PrefixConsistency", "%d applies %v, which cannot be read: %v", s.sid, e.zxid, err)
				continue
			}
			k.sweep(s, x)
			k.locals(x)
			k.loner(x)
			h.add(e, x)
			k.w.note("committed %v", e.zxid)
		} else if f := h.log[s.checked]; !e.same(f) {
			k.w.fail("PrefixConsistency", "%d has applied %v %x, others %v %x", s.sid, e.zxid, e.payload, f.zxid, f.payload)
		}
	}
}
