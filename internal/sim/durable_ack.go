package sim

import (
	"github.com/zooid-io/zooid/internal/replica"
)

// reply notes an answer for DurableAck, which is looked at when the history has what the same step has committed: a change of the
// configuration in it decides whose disks count.
func (k *checks) reply(s *server, send *replica.Send) {
	if s.rep.ReadOnly() || send.Notice || send.Zxid <= 0 || !send.Header.Type.IsWrite() || len(s.eff.Bytes(send)) == 0 || send.Zxid.Counter() == 0 {
		return
	}
	k.replies = append(k.replies, send.Zxid)
}

// replied is DurableAck.
func (k *checks) replied(s *server) {
	for _, z := range k.replies {
		if !k.quorumHas(z) {
			k.w.fail("DurableAck", "%d answers %v, which %s", s.sid, z, k.who(z))
		}
	}
	k.replies = k.replies[:0]
}
