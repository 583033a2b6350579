package sim

// agreement is Agreement, and TotalOrder: at the end, each server's log is compared with each other's, entry by entry. It is what the disk was
// given: an observer shows what the others have, and its own disk has a moment later.
func (k *checks) agreement() {
	all := k.w.running()
	for i, a := range all {
		for _, b := range all[:i] {
			la, lb := a.issued.cut(a.rep.Tree().LastZxid()), b.issued.cut(b.rep.Tree().LastZxid())
			if len(la) != len(lb) {
				k.w.fail("Agreement", "%d has delivered %d txns, and %d %d", a.sid, len(la), b.sid, len(lb))
				continue
			}
			for j := range la {
				if !la[j].same(lb[j]) {
					k.w.fail("Agreement", "as its txn number %d, %d has delivered %v, and %d %v", j, a.sid, la[j].zxid, b.sid, lb[j].zxid)
				}
			}
		}
	}
}
