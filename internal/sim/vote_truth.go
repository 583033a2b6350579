package sim

import "github.com/zooid-io/zooid/internal/zab"

// notify is VoteTruth: who looks and votes for itself says its last txn and its epoch, as they are on its disk. Whoever does not vote
// is told the vote of the last election instead (ensemble protocol, section 3.3), and counts it not.
func (k *checks) notify(s *server, n *zab.Notify) {
	if n.State != zab.Looking || !s.voter(n.To) || n.Vote.Leader != s.sid {
		return
	}
	z := n.Vote.Zxid
	if n.Vote.Epoch != s.epochs[1] || s.durable.last() != z && (z.Counter() != 0 || s.durable.last() > z) {
		k.w.fail("VoteTruth", "%d votes for itself with %v, epoch %d; on its disk are %v and %v", s.sid, z, n.Vote.Epoch, s.durable.last(), s.epochs)
	}
}
