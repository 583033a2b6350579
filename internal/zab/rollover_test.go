package zab

import "testing"

// ZOOKEEPER-1277, 4883: the zxids of an epoch are used up while servers write. The leader steps down, the next epoch begins at 1, every
// write that was taken is on all servers, and no zxid has the counter 2^32-1.
func TestRollover(t *testing.T) {
	w := newWorld(t, 1277, 3, 1)
	for _, n := range w.nodes {
		n.start()
	}
	if !w.calm(5000, w.all) {
		w.fail("no leader")
	}
	// As if four billion writes had been there.
	l, epoch := w.leader(), w.highest
	last := zxidOf(epoch+1) - 6
	for _, n := range w.nodes {
		if n == l {
			n.core.lead.proposed = last
		} else {
			n.core.up.seen = last
		}
	}
	taken := 0
	for l.propose() {
		taken++
	}
	if taken != 4 {
		w.fail("%d writes are taken", taken)
	}
	if l.role.State != Looking {
		w.fail("the leader leads on")
	}
	if !w.calm(10000, func() bool { return w.highest > epoch && w.all() }) {
		w.fail("no second leader")
	}
	if !w.leader().propose() || !w.calm(1000, func() bool { return len(w.history) == taken+1 && w.all() }) {
		w.fail("%d of %d writes are committed", len(w.history), taken+1)
	}
	for i := range w.history {
		if w.history[i].Zxid.Counter() == 1<<32-1 || w.history[i].Zxid.Counter() == 0 {
			w.fail("%v was given", w.history[i].Zxid)
		}
	}
	if z := w.history[taken].Zxid; z != zxidOf(w.highest)+1 {
		w.fail("the new epoch begins at %v", z)
	}
}
