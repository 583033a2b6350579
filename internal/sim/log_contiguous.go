package sim

import (
	"slices"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// found is LogContiguous: what a start finds on the disk is what was durable, or what the operation under way would have made of it, or,
// of appends, a part of them, or what the newest snapshot shows. The tree is as those txns make it.
func (k *checks) found(s *server, res *store.Restored) {
	z := max(res.LastZxid, 0)
	found, ok := s.durable, fits(s.durable, z)
	for _, l := range s.limbo {
		if ok {
			break
		}
		if appended := len(l) > len(s.durable) && l[:len(s.durable)].last() == s.durable.last(); appended && z > s.durable.last() {
			l = l.cut(z)
		}
		found, ok = l, fits(l, z)
	}
	if !ok && z > s.durable.last() && z == s.shot.last() {
		found, ok = s.shot, true
	}
	if !ok {
		k.w.fail("LogContiguous", "%d finds txns up to %v; durable were those up to %v", s.sid, z, s.durable.last())
	}
	if res.DigestMismatches > 0 {
		k.w.fail("DigestAgreement", "%d finds %d wrong digests on its disk", s.sid, res.DigestMismatches)
	}
	s.durable, s.issued, s.shot, s.limbo = found, slices.Clip(found), nil, nil
	t := k.w.fresh()
	for _, e := range found {
		x, err := txn.Decode(e.payload)
		if err != nil {
			k.w.fail("LogContiguous", "%d has logged %v, which cannot be read: %v", s.sid, e.zxid, err)
		}
		t.Replay(x)
	}
	if t.Digest() != res.Tree.Digest() {
		k.w.fail("DigestAgreement", "%d restores another tree at %v than its txns make", s.sid, z)
	}
}

// fits tells whether a log can be what a disk with a last zxid holds. One with the counter 0 is that of a snapshot from the beginning of
// an epoch: no txn has it.
func fits(l ledger, z zk.Zxid) bool { return l.last() == z || z.Counter() == 0 && l.last() < z }
