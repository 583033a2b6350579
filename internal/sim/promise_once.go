package sim

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// promise is who promises, and for which epoch.
type promise struct {
	by    ensemble.SID
	epoch zab.Epoch
}

// promiseOnce is PromiseOnce: for each epoch a server counts towards one leader at most, itself among them.
func (k *checks) promiseOnce(s *server, p zab.Packet) {
	to := s.role.Leader
	switch p := p.(type) {
	case *zab.LeaderInfo:
		if s.role.State == zab.Following {
			return // says to an observer what it has promised
		}
		to = s.sid
	case *zab.AckEpoch:
		if p.Current == -1 {
			return // says that it is not to be counted
		}
	default:
		return
	}
	key := promise{s.sid, s.role.Epoch}
	if first, ok := k.promised[key]; ok && first != to {
		k.w.fail("PromiseOnce", "%d promises epoch %d to %d, and has promised it to %d", s.sid, key.epoch, to, first)
	}
	k.promised[key] = to
}
