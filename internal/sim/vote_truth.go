package sim

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// notify is VoteTruth: who looks and votes for itself says its last txn and its epoch, as they are on its disk. Whoever does not vote
// is told the vote of the last election instead (ensemble protocol, section 3.3), and counts it not.
//
// It may also say what a peer says of it: one who still proposes it with a tail that it had before a TRUNC, and is in the same round. If it
// kept to its own word, the two of them could stand there for ever, neither with a quorum for its own. Nothing depends on it: whoever is
// elected so leads only if nobody in its quorum has more (discovery).
func (k *checks) notify(s *server, n *zab.Notify) {
	if n.State != zab.Looking || !s.voter(n.To) || n.Vote.Leader != s.sid {
		return
	}
	z := n.Vote.Zxid
	if k.gossip[rumour{s.sid, s.life, z, n.Vote.Epoch}] {
		return
	}
	if n.Vote.Epoch != s.epochs[1] || s.durable.last() != z && (z.Counter() != 0 || s.durable.last() > z) {
		k.w.fail("VoteTruth", "%d votes for itself with %v, epoch %d; on its disk are %v and %v", s.sid, z, n.Vote.Epoch, s.durable.last(), s.epochs)
	}
}

// rumour is what a peer has said of a server, to itself.
type rumour struct {
	of    ensemble.SID
	life  int
	zxid  zk.Zxid
	epoch zab.Epoch
}

// hears notes what a peer that looks says of a server.
func (k *checks) hears(s *server, v zab.Vote) {
	if v.Leader == s.sid {
		k.gossip[rumour{s.sid, s.life, v.Zxid, v.Epoch}] = true
	}
}
