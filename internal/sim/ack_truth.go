package sim

import "github.com/zooid-io/zooid/internal/zab"

// truth is AckTruth: what is said is on the disk at the moment of saying.
func (k *checks) truth(s *server, p zab.Packet) {
	ok := true
	switch p := p.(type) {
	case *zab.LeaderInfo:
		ok = s.epochs[0] >= p.Epoch
	case *zab.AckEpoch:
		// Whose word does not count may say that it has nothing, to be sent a whole tree.
		hollow := p.Last == 0 && (p.Current == -1 || s.role.State == zab.Observing)
		ok = (p.Current == -1 || p.Current == s.epochs[1]) && (hollow || p.Last.Counter() == 0 && s.durable.last() <= p.Last || s.durable.last() == p.Last)
	case *zab.Ack:
		if p.Zxid.Counter() == 0 {
			ok = s.epochs[1] >= zab.Epoch(p.Zxid.Epoch())
		} else {
			ok = s.durable.has(p.Zxid)
		}
	}
	if !ok {
		k.w.fail("AckTruth", "%d says %s; on its disk are txns up to %v, epochs %v", s.sid, say(p), s.durable.last(), s.epochs)
	}
}
