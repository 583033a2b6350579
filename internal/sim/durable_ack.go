package sim

import (
	"github.com/zooid-io/zooid/internal/replica"
)

// reply is DurableAck.
func (k *checks) reply(s *server, send *replica.Send) {
	if send.Notice || send.Zxid <= 0 || !send.Header.Type.IsWrite() || len(s.eff.Bytes(send)) == 0 || send.Zxid.Counter() == 0 {
		return
	}
	if !k.quorumHas(send.Zxid) {
		k.w.fail("DurableAck", "%d answers %v, which %s", s.sid, send.Zxid, k.who(send.Zxid))
	}
}
