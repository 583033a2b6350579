package zab

import (
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/zk"
)

// Broadcast (the Zab paper's phase 3; section 6.2), the leader's side.

// Next is the zxid that the leader's next proposal must have. ok is false when the counter is used up: the leader has stepped
// down then, and the next epoch begins at 1. It is false, too, of a server that does not lead.
func (c *Core) Next() (z zk.Zxid, ok bool) {
	if c.phase != leading {
		return 0, false
	}
	if z = c.lead.proposed + 1; z.Counter() == 1<<32-1 {
		c.becomeLooking("the epoch's zxids are used up")
		return 0, false
	}
	return z, true
}

// Propose broadcasts a proposal. Only a leader that serves may, and the zxid has to be Next's (invariant ZxidGapless).
func (c *Core) Propose(p Proposal, now int64) {
	if c.phase != leading || p.Zxid != c.lead.proposed+1 {
		invariant.Check(false, invariant.ZxidGapless, "proposed %v behind %v while %v", p.Zxid, c.lead.proposed, c.phase)
	}
	c.now = now
	c.lead.proposed = p.Zxid
	if p.Config != nil && c.o.Reconfig {
		c.saw(p.Config)
	}
	c.open.push(entry{Proposal: p, need: c.lead.need, asked: c.asked})
	c.logTo(c.open.len(), true)
	var out *Propose
	for _, l := range c.lead.learners {
		if l.phase >= learnerSyncing && !l.observer {
			if out == nil {
				out = &Propose{p}
			}
			l.sent(p.Zxid, now)
			c.send(l.link, out)
		}
	}
}

// acked counts a server's ACK of one proposal: they are not cumulative. What is not outstanding is of no interest.
func (c *Core) acked(index int, z zk.Zxid) {
	if c.open.len() == 0 || c.lead.deposed {
		return
	}
	i := int64(z - c.open.at(0).Zxid)
	if i < 0 || i >= int64(c.open.len()) {
		return
	}
	c.open.at(int(i)).acks.add(index)
	for i == 0 && c.open.len() > 0 && !c.lead.deposed && c.role == Leading {
		if e := c.open.at(0); !e.need.met(&e.acks) {
			return
		}
		c.commit()
	}
}

// commit commits the oldest proposal. That may be before it is in this server's own log (section 6.2): it is in a quorum's.
func (c *Core) commit() {
	e := *c.open.at(0)
	c.committing(&e)
	if e.Config != nil && c.o.Reconfig {
		c.commitConfig(&e)
		return
	}
	c.ordered++
	c.committed = e.Zxid
	c.deliver()
	defer c.answerSyncs()
	var commit *Commit
	var inform *Inform
	for _, l := range c.lead.learners {
		switch {
		case l.phase < learnerSyncing:
		case l.observer:
			if inform == nil {
				inform = &Inform{e.Proposal}
			}
			c.send(l.link, inform)
		default:
			if commit == nil {
				commit = &Commit{e.Zxid}
			}
			c.send(l.link, commit)
		}
	}
}

// fromAck takes a learner's ACK of a proposal.
func (c *Core) fromAck(l *learner, z zk.Zxid) {
	l.answered(z)
	if z.Counter() != 0 && c.phase == leading {
		if i := int64(z - c.firstOpen()); i >= 0 && i < int64(c.open.len()) {
			c.ackAnswers(l, c.open.at(int(i)))
		}
		c.acked(l.index, z)
	}
}

// firstOpen is the zxid of the oldest proposal that is not committed, 0 without one.
func (c *Core) firstOpen() zk.Zxid {
	if c.open.len() == 0 {
		return 0
	}
	return c.open.at(0).Zxid
}
