package sim

import "github.com/zooid-io/zooid/zk"

// integrity is PrimaryIntegrity: who begins to lead has delivered all that anybody has of earlier epochs. There may be a later one
// already: the last acknowledgement that this leader waits for can be on its way for so long that its sender follows another meanwhile.
// Then nobody follows this one, and it commits nothing.
func (k *checks) integrity(s *server) {
	if n := k.w.history.log.upTo(zk.Zxid(s.role.Epoch) << 32); s.checked < n {
		k.w.fail("PrimaryIntegrity", "%d leads epoch %d with %d txns, and %d of earlier epochs were committed", s.sid, s.role.Epoch, s.checked, n)
	}
}
