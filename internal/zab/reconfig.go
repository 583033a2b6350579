package zab

import (
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// Reconfiguration (sections 8.3 and 8.4). A configuration is last seen from its proposal on and committed from its commit on; in
// between everything needs quorums of both. With Options.Reconfig off, nothing here ever changes a configuration.

// saw makes a configuration the last seen, if it is newer.
func (c *Core) saw(g *ensemble.Config) {
	if c.o.Reconfig && g.Version > c.configs.LastSeen.Version {
		c.configs.LastSeen = g
		c.reconfigured()
	}
}

// recall takes the changes in this server's own log for seen, if its files are older: an operator may have written them anew, for a member
// that was removed and is to come back. If it took an old configuration of a peer's for the last one then, it could lead in that, with
// a quorum that is none any more.
func (c *Core) recall(log []Proposal) {
	if !c.o.Reconfig {
		return
	}
	for i := range log {
		g := log[i].Config
		if g == nil || g.Version <= c.configs.LastSeen.Version {
			continue
		}
		if c.decides(g) {
			c.configs.Committed = c.configs.LastSeen
		}
		c.configs.LastSeen = g
		now := c.configs
		c.out.Config = &now
	}
}

// decides tells whether a change shows that the one before it, the last that this server has seen, was committed: that is in the history
// that the later one stands in, and a leader proposes none while another is under way. Without this the earlier one would be forgotten,
// and with it that its quorum is needed, if the leader is gone before UPTODATE. A leader's notification says what is committed, too, but
// it may be one of an earlier reign. Of what is older than memory reaches, and behind SNAP, that is all there is.
func (c *Core) decides(g *ensemble.Config) bool {
	z := c.configs.LastSeen.Version
	return c.o.Reconfig && z > c.configs.Committed.Version && g.Version > z && c.knows(z)
}

// knows tells whether a zxid is in the history, as far back as memory reaches.
func (c *Core) knows(z zk.Zxid) bool {
	if i := c.history.after(z); i > 0 && c.history.q.at(i-1).Zxid == z {
		return true
	}
	for i := range c.open.len() {
		if c.open.at(i).Zxid == z {
			return true
		}
	}
	return false
}

// takeDecision makes the last seen configuration the committed one if a later change says so. It tells whether this server has left its
// role because of that.
func (c *Core) takeDecision(g *ensemble.Config) bool {
	if !c.decides(g) || !c.activate(c.configs.LastSeen, ensemble.NoSID, 0) {
		return false
	}
	c.becomeLooking("a new configuration")
	return true
}

// unsee forgets a last seen configuration that is not in the log, when that is all that the disk was given: so this server has told
// nobody that it has it, and nobody it leads may find it in a history that does not have the change. It was received and not logged,
// or a leader has cut it off. What came with a NEWLEADER that was acked stays: currentEpoch is later than it then, and a leader of
// Apache's that has seen it without its txn has asked for its quorum, too.
func (c *Core) unsee() {
	g := c.configs.LastSeen
	z := g.Version
	if z <= c.configs.Committed.Version || z.Counter() == 0 || int64(c.current) > int64(z.Epoch()) || z <= c.last && !c.history.lacks(z) {
		return
	}
	c.trace("configuration %x is not in the log", int64(z))
	c.configs.LastSeen = c.configs.Committed
	c.reconfigured()
}

// HasQuorum tells whether a quorum of a configuration is there: this server and those that have acked NEWLEADER on their link, voters or
// not as yet. Observers are not among them (section 8.4, step 1): they have no part in a quorum of what is proposed next.
func (c *Core) HasQuorum(g *ensemble.Config) bool {
	return c.phase == leading && g.Quorum(func(sid ensemble.SID) bool {
		return sid == c.o.SID || slices.ContainsFunc(c.lead.learners, func(l *learner) bool {
			return l.sid == sid && !l.observer && l.phase >= learnerAcked
		})
	})
}

func (c *Core) reconfigured() {
	g := c.configs
	c.out.Config = &g
	c.elect.reconfigured(g, c.now)
	if c.role == Leading {
		c.needs()
	}
}

// adopt takes a committed configuration that a peer told of, while there is no leader.
func (c *Core) adopt(g *ensemble.Config) {
	if c.o.Reconfig && g.Version > c.configs.Committed.Version {
		c.trace("configuration %x of a peer", int64(g.Version))
		c.commitTo(g)
	}
}

func (c *Core) commitTo(g *ensemble.Config) {
	c.configs.Committed = g
	if c.configs.LastSeen.Version < g.Version {
		c.configs.LastSeen = g
	}
	c.reconfigured()
}

// activate makes a configuration the committed one. It reports whether that changes who leads, or what this server is: then it
// has to leave its role. suggested is who leads from now on, NoSID if nobody said; where somebody did, or the leader stays, the
// next role is taken without an election.
func (c *Core) activate(g *ensemble.Config, suggested ensemble.SID, z zk.Zxid) bool {
	old := c.configs.Committed
	if !c.o.Reconfig || g.Version <= old.Version {
		return false
	}
	c.trace("configuration %x", int64(g.Version))
	c.commitTo(g)
	c.next = nil
	v := c.vote
	switch {
	case suggested == ensemble.NoSID && !stays(old, g, c.leader):
		return true
	case suggested != ensemble.NoSID && suggested != c.leader:
		v = Vote{Leader: suggested, Zxid: z, Round: -1, Epoch: -1}
	case observes(old, c.o.SID) == observes(g, c.o.SID):
		return false
	}
	c.next = &v
	return true
}

func observes(g *ensemble.Config, sid ensemble.SID) bool {
	m, ok := g.Member(sid)
	return ok && m.Observer
}

// stays tells whether a server votes in both configurations, at the same addresses for learners.
func stays(old, g *ensemble.Config, sid ensemble.SID) bool {
	m, was := old.Member(sid)
	n, is := g.Member(sid)
	at := func(m ensemble.Member) []string { return slices.Sorted(slices.Values(m.QuorumAddrs())) } // their order says nothing
	return was && is && !m.Observer && !n.Observer && slices.Equal(at(m), at(n))
}

// takeActivation is COMMITANDACTIVATE, at a learner.
func (c *Core) takeActivation(z zk.Zxid, leader ensemble.SID) {
	var g *ensemble.Config
	if c.ordered < c.open.len() && c.open.at(c.ordered).Zxid == z {
		g = c.open.at(c.ordered).Config
	}
	told, relays := c.relays()
	if !c.takeCommit(z) {
		return
	}
	if relays {
		c.relay(&InformActivate{*told, leader})
	}
	if g != nil && c.activate(g, leader, z) {
		c.becomeLooking("a new configuration")
	}
}

// commitConfig commits a reconfiguration, which is the oldest proposal, and says who leads from here on.
func (c *Core) commitConfig(e *entry) {
	leader := c.designate(e.Config, &e.acks)
	c.ordered++
	c.committed = e.Zxid
	c.deliver()
	commit, inform := &CommitActivate{e.Zxid, leader}, &InformActivate{e.Proposal, leader}
	for _, l := range c.lead.learners {
		switch {
		case l.phase < learnerSyncing:
		case l.observer:
			c.send(l.link, inform)
		default:
			c.send(l.link, commit)
		}
	}
	c.handOver(e.Config, leader, e.Zxid)
}

// handOver activates a configuration at the leader. If another is to lead, this one commits nothing more; it loses its learners
// to that one, and then follows it itself.
func (c *Core) handOver(g *ensemble.Config, leader ensemble.SID, z zk.Zxid) {
	c.activate(g, leader, z)
	// What was proposed meanwhile, and needed both quorums, needs that of the new one alone by now. The old one's members may stop: if
	// their ACKs were waited for, this server would lead, and commit nothing, until it is stopped itself.
	for i := range c.open.len() {
		c.open.at(i).need = c.lead.need
	}
	if leader != c.o.SID {
		c.lead.deposed = true
		c.trace("%d is to lead", leader)
	}
}

// activateInitial activates, at the beginning of a reign, what was seen and not committed in the last.
func (c *Core) activateInitial() {
	if g := c.configs.LastSeen; c.o.Reconfig && g.Version > c.configs.Committed.Version {
		c.handOver(g, c.designate(g, &c.lead.joined), c.delivered)
	}
}

// designate picks who leads under a configuration: this server if it stays a voter, else the voter that has acked it and most of
// what came behind it.
func (c *Core) designate(g *ensemble.Config, acks *set) ensemble.SID {
	if stays(c.configs.Committed, g, c.o.SID) {
		return c.o.SID
	}
	best, most := c.o.SID, -1
	for _, m := range g.Members {
		i := c.lead.roll.find(m.ID)
		if m.Observer || !acks.has(i) {
			continue
		}
		n := 0
		for n < c.open.len() && c.open.at(n).acks.has(i) {
			n++
		}
		if n > most {
			best, most = m.ID, n
		}
	}
	return best
}
