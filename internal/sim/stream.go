package sim

import (
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// stream is what a leader has said on one link: ZxidGapless and CommitFollowsProposal.
type stream struct {
	begun bool
	last  zk.Zxid // proposed
	open  []zk.Zxid
}

func (t *stream) take(w *world, p *pipe, packet zab.Packet) {
	switch x := packet.(type) {
	case *zab.Trunc:
		t.begun, t.last = true, x.Zxid
	case *zab.Snap:
		t.begun, t.last = true, x.Zxid
	case *zab.Propose:
		t.propose(w, p, x.Zxid)
		t.open = append(t.open, x.Zxid)
	case *zab.Inform:
		t.propose(w, p, x.Zxid)
	case *zab.InformActivate:
		t.propose(w, p, x.Zxid)
	case *zab.Commit:
		t.commit(w, p, x.Zxid)
	case *zab.CommitActivate:
		t.commit(w, p, x.Zxid)
	}
}

func (t *stream) commit(w *world, p *pipe, z zk.Zxid) {
	if len(t.open) == 0 || t.open[0] != z {
		w.fail("CommitFollowsProposal", "%d tells %d to commit %v, while %v are open", p.ends[1].sid, p.ends[0].sid, z, t.open)
		return
	}
	t.open = t.open[1:]
}

func (t *stream) propose(w *world, p *pipe, z zk.Zxid) {
	// A DIFF does not say where the learner's history ends.
	if t.begun && !follows(t.last, z) {
		w.fail("ZxidGapless", "%d proposes %v to %d behind %v", p.ends[1].sid, z, p.ends[0].sid, t.last)
	}
	t.begun, t.last = true, z
}
