package zab

import (
	"slices"
	"strings"
	"testing"
)

// A follower acks what is not committed yet, loses its link and comes back: TRUNC takes that off its disk again. Until it has acked anew
// the ack must not count, or the leader and this follower would be the quorum of a proposal that only the leader has (CommitDurable).
func TestAcksBeforeTruncDoNotCount(t *testing.T) {
	w := newWorld(t, 1, 3, 0)
	for _, n := range w.nodes {
		n.start()
	}
	if !w.calm(5000, w.all) {
		w.fail("no leader")
	}
	leader := w.leader()
	var f *node
	for _, n := range w.nodes {
		if n != leader {
			f = n
		}
	}
	link := func() *pipe {
		for _, p := range w.pipes {
			if p.ends[0] == f {
				return p
			}
		}
		return nil
	}
	carry := func(side int) {
		for p := link(); p != nil && len(p.ways[side]) > 0; p = link() {
			w.carry(p, side)
		}
	}
	leader.propose() // its own disk is slow, and the other follower's link, too
	carry(0)
	f.sync(len(f.disk), true)
	carry(1)
	if len(w.history) != 0 {
		w.fail("one disk is no quorum")
	}
	w.cut(link())
	for i := 0; f.core.phase != syncing && f.core.phase != joining; i++ {
		if i == 100 {
			w.fail("the follower does not come back: %v", f.core.phase)
		}
		for _, o := range w.nodes {
			w.tell(f.sid, o.sid)
			w.tell(o.sid, f.sid)
		}
		f.connect()
		carry(1)
		carry(0)
	}
	f.sync(len(f.disk), true)
	if len(f.saved.log) != 0 {
		w.fail("the follower was not cut back: %v", f.saved.log)
	}
	leader.sync(len(leader.disk), true)
	if len(w.history) != 0 {
		w.fail("it is committed, and only the leader has it")
	}
	if !w.calm(5000, func() bool { return len(w.history) == 1 && w.all() }) {
		w.fail("it is not committed in the end")
	}
}

// While as many learners as may be are brought up to date, an observer is sent away and comes again; a follower never is (section 5.7).
func TestCrowdedObserversComeAgain(t *testing.T) {
	w := newWorld(t, 1, 3, 2)
	w.opts.MaxDiffSyncs = 1
	for _, n := range w.nodes[:3] {
		n.start()
	}
	voters := func() bool {
		return w.leader() != nil && len(w.leader().core.lead.learners) == 2 && w.nodes[0].role.Serving && w.nodes[1].role.Serving && w.nodes[2].role.Serving
	}
	if !w.calm(5000, voters) {
		w.fail("no leader")
	}
	count := func(text string) (n int) {
		for _, l := range w.trace {
			if strings.Contains(l, text) {
				n++
			}
		}
		return n
	}
	for _, n := range w.nodes[3:] {
		n.start()
	}
	// The disks of both stand still, so that neither joins.
	stuck := func() bool {
		for _, a := range w.nodes[3:] {
			for _, b := range w.nodes {
				w.tell(a.sid, b.sid)
				w.tell(b.sid, a.sid)
			}
			if a.connect(); a.core.phase == promising {
				a.sync(len(a.disk), true)
			}
			for _, p := range slices.Clone(w.pipes) {
				if p.ends[0] == a {
					w.carry(p, 1)
					w.carry(p, 0)
				}
			}
		}
		return count("too many are being brought up to date") > 0
	}
	for i := 0; !stuck(); i++ {
		if i == 1000 {
			w.fail("neither is sent away")
		}
	}
	if n := count("dropped"); n != 1 {
		w.fail("%d are sent away", n)
	}
	if !w.calm(5000, w.all) {
		w.fail("not all serve")
	}
}
