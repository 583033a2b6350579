package zab

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/zk"
)

// Synchronization (the Zab paper's phase 2; sections 4.4, 4.6 and 5). The leader brings each learner to its own history, and leads when
// a quorum has that, durably, in the new epoch.

// due marks a learner for synchronization at the end of the step: a SNAP says exactly as of which zxid the tree is.
func (c *Core) due(l *learner) {
	l.phase = learnerDue
	c.lead.arrivals = true
}

// synchronize sends what a learner lacks, or says what it has too much (5.2 and 5.3). What is not committed comes behind NEWLEADER,
// so that no COMMIT ever reaches back over it (ZOOKEEPER-4394).
//
// Memory has the newest of what is committed. What comes before that may be in the log: then the driver is asked first (case 5), and
// what is found is sent as a stream, up to the oldest that memory has by then. All of that was delivered, so that the log has it, and
// nothing else between (invariant ZxidGapless); it is read while this server goes on.
func (c *Core) synchronize(l *learner) {
	if c.outrun(l) {
		c.drop(l, "it has seen more")
		return
	}
	h, peer := &c.history, l.last
	from := h.q.len() // the first proposal to send
	least, most := c.delivered, c.delivered
	if from > 0 {
		least = h.q.at(0).Zxid
	}
	const (
		diff = iota
		trunc
		snap
	)
	op, to := snap, most
	var passage *Passage
	switch {
	case c.o.ForceSnapshot:
	case peer == c.delivered:
		op = diff
	case peer > most && peer.Counter() != 0 && peer.Epoch() == most.Epoch():
		op = trunc
	case least <= peer && peer < most && from > 0:
		i := h.after(peer)
		prev := h.q.at(i - 1).Zxid
		switch {
		case prev == peer || peer.Counter() == 0:
			op, from = diff, i
		case prev.Epoch() == peer.Epoch():
			op, to, from = trunc, prev, i
		}
	case c.o.Passages && peer < least && !l.sought && peer != 0: // nothing is not above 0
		l.phase = learnerSought
		c.out.Search = append(c.out.Search, Search{l.link, peer, least})
		return
	case peer < least && l.found:
		passage = &Passage{l.at, least}
		switch {
		case l.at == peer || peer.Counter() == 0:
			op = diff
		case l.at.Epoch() == peer.Epoch():
			op, to = trunc, l.at
		}
		from = min(from, 1) // memory goes on behind its oldest
	}
	if op == snap {
		passage, from = nil, h.q.len()
	}
	l.loads, l.whole = op == snap || passage != nil, op == snap
	if c.crowded(l) {
		c.drop(l, "too many are being brought up to date")
		return
	}
	c.forgetAcks(l)
	n := h.q.len() - from
	switch op {
	case diff:
		c.trace("DIFF from %v to %d, %d proposals", peer, l.sid, n)
		c.out.Send = append(c.out.Send, Send{l.link, &Diff{most}, passage})
	case trunc:
		c.trace("TRUNC to %v to %d, %d proposals", to, l.sid, n)
		c.out.Send = append(c.out.Send, Send{l.link, &Trunc{to}, passage})
	case snap:
		c.trace("SNAP as of %v to %d", most, l.sid)
		c.send(l.link, &Snap{most})
	}
	if passage != nil {
		c.trace("and before them those behind %v, up to %v, out of the log", passage.After, passage.To)
	}
	for ; from < h.q.len(); from++ {
		p := h.q.at(from)
		c.send(l.link, &Propose{*p})
		c.send(l.link, &Commit{p.Zxid})
	}
	l.phase = learnerSyncing
	l.patient = c.now + c.o.InitLimit*c.o.Tick
	// What is seen and not committed here belongs to the history that this reign begins with, or, later, comes as a proposal behind
	// NEWLEADER. A learner takes what it is told now for committed at UPTODATE: it must not be what may still be lost.
	g := c.configs.LastSeen
	if c.phase != establishing { // a follower has its observers, too
		g = c.configs.Committed
	}
	c.send(l.link, &NewLeader{c.epoch, g})
	if !l.observer {
		for i := range c.open.len() {
			l.sent(c.open.at(i).Zxid, c.now)
			c.send(l.link, &Propose{c.open.at(i).Proposal})
		}
	}
}

// crowded tells whether so many learners are being brought up to date already that this one has to come again. Only observers have to:
// followers are counted, but are what a quorum waits for (section 5.7). It is over with the ACK of NEWLEADER.
func (c *Core) crowded(l *learner) bool {
	limit := c.o.MaxDiffSyncs
	if l.whole {
		limit = c.o.MaxSnapSyncs
	}
	if limit == 0 || !l.observer {
		return false
	}
	n := 0
	for _, x := range c.lead.learners {
		if x.phase == learnerSyncing && x.whole == l.whole {
			n++
		}
	}
	return n >= limit
}

// forgetAcks forgets what a learner has acked of the proposals that are open. That it came back with them in its log is not enough:
// TRUNC and SNAP take them off its disk again, and it gets and acks them anew behind NEWLEADER. Without this, one could be
// committed while no quorum has it (invariant CommitDurable).
func (c *Core) forgetAcks(l *learner) {
	for i := range c.open.len() {
		c.open.at(i).acks.remove(l.index)
	}
}

// ackedNewLeader counts a learner's ACK of NEWLEADER.
func (c *Core) ackedNewLeader(l *learner) {
	l.phase = learnerAcked
	if c.phase == leading || c.role == Following {
		c.letServe(l)
		return
	}
	c.lead.joined.add(l.index)
	c.establish()
}

// letServe sends UPTODATE, and takes the ACKs that came before their time (ZOOKEEPER-4685).
func (c *Core) letServe(l *learner) {
	c.send(l.link, &UpToDate{})
	l.phase = learnerServing
	l.patient = c.now + c.o.SyncLimit*c.o.Tick
	early := l.early
	l.early = nil
	for _, z := range early {
		c.fromAck(l, z)
		if c.role != Leading {
			return
		}
	}
}

// establish begins to lead, when quorums have joined the epoch, this server in any case (4.5 J and K). The initial history is
// committed now.
func (c *Core) establish() {
	if c.phase != establishing || !c.lead.joined.has(c.lead.self) || !c.lead.need.met(&c.lead.joined) {
		return
	}
	c.enter(leading)
	c.hollow = false
	c.committed = c.delivered
	c.vote.Epoch = c.epoch
	c.elect.become(Leading, c.vote)
	c.serving = true
	c.trace("established")
	c.activateInitial()
	c.lead.half, c.lead.odd = c.now+c.halfTickTime(), false
	c.progress = c.now
	for i := 0; i < len(c.lead.learners); i++ {
		if l := c.lead.learners[i]; l.phase == learnerAcked {
			c.letServe(l)
		}
	}
}

// share begins the stream: leader and learner have the same history up to z.
func (c *Core) share(z zk.Zxid) {
	c.enter(syncing)
	c.alive()
	c.up.base, c.up.seen, c.up.ordered = z, z, z
}

// truncate cuts off what the leader does not have. That must not be what a quorum has: then it is the wrong leader.
func (c *Core) truncate(z zk.Zxid) {
	if z < c.committed || z > c.last {
		c.becomeLooking("TRUNC to " + z.String() + ", committed is " + c.committed.String() + ", last " + c.last.String())
		return
	}
	c.trace("TRUNC to %v", z)
	if z < c.last && c.ahead {
		c.anew("TRUNC of what is in memory alone")
		return
	}
	if z < c.last {
		c.reload = c.write(&Truncate{z})
		c.last, c.delivered = z, z
		c.history.truncate(z)
	}
	c.share(z)
}

// snapshot waits for the stream. Until it is read the server's state is the old one, also if it never is (ZOOKEEPER-3642).
func (c *Core) snapshot() {
	c.trace("SNAP")
	c.enter(loading)
	c.alive()
}

func (c *Core) loaded(z zk.Zxid) {
	c.write(&Install{z})
	c.last, c.delivered = z, z
	c.ahead, c.hollow = false, false
	c.history.clear()
	c.share(z)
}

// newLeader joins the epoch, once the history is durable: history, then currentEpoch, then the ACK (4.6; ZOOKEEPER-4643, 4646).
// Proposals that are not committed stay in memory meanwhile, so that the ACK of NEWLEADER is the first (ZOOKEEPER-4685).
func (c *Core) newLeader(p *NewLeader) {
	if c.phase != syncing || p.Epoch != c.epoch {
		c.becomeLooking("an unexpected NEWLEADER")
		return
	}
	if g := p.Config; g != nil && c.o.Reconfig {
		if c.takeDecision(g) {
			return
		}
		// What this server has seen and the leader has not was cut off.
		if c.up.config = g; g.Version != c.configs.LastSeen.Version && g.Version >= c.configs.Committed.Version {
			c.configs.LastSeen = g
			c.reconfigured()
		}
	}
	c.enter(joining)
	c.alive()
	c.joinEpoch(p.Epoch)
}

// hasJoined sends the ACK of NEWLEADER, and then logs what waited for it.
func (c *Core) hasJoined() {
	invariant.Check(c.reload == 0, invariant.DurableAck, "ACK of NEWLEADER before a Truncate is done")
	c.hollow = false
	c.enter(waiting)
	c.alive()
	c.send(c.up.link, &Ack{zxidOf(c.epoch)})
	if c.role == Following {
		c.logTo(c.open.len(), true)
	}
	c.logOrdered()
	c.deliver()
}

// upToDate begins to serve.
func (c *Core) upToDate() {
	if c.phase != waiting {
		c.becomeLooking("an unexpected UPTODATE")
		return
	}
	c.send(c.up.link, &Ack{zxidOf(c.epoch)})
	if c.up.config != nil && c.activate(c.up.config, ensemble.NoSID, 0) {
		c.becomeLooking("a new configuration")
		return
	}
	c.enter(following)
	c.alive()
	c.committed = max(c.committed, c.delivered)
	c.vote.Epoch = c.epoch
	c.elect.become(c.role, c.vote)
	c.serving = true
	c.trace("serving")
}
