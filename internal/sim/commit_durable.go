package sim

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// committed is CommitDurable: the first server shows a txn.
func (k *checks) committed(s *server, e entry) {
	if !k.quorumHas(e.zxid) {
		k.w.fail("CommitDurable", "%d has committed %v, which %s", s.sid, e.zxid, k.who(e.zxid))
	}
	k.joint(s, e)
}

// quorumHas tells whether a txn is on the disks of a quorum of the configuration that was in force before it.
func (k *checks) quorumHas(z zk.Zxid) bool { return k.has(k.w.history.force(z), z) }

func (k *checks) has(g *ensemble.Config, z zk.Zxid) bool {
	return g.Quorum(func(sid ensemble.SID) bool { return k.w.server(sid).durable.has(z) })
}

// who tells who has a txn.
func (k *checks) who(z zk.Zxid) string {
	out := "is on the disks of"
	for _, s := range k.w.servers {
		if s.durable.has(z) {
			out += " " + string(rune('0'+s.sid))
		}
	}
	return out
}
