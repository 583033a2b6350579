package zab

// A follower may have observers of its own (section 6.8), so that the leader need not send to each of them. It shakes hands as a leader does,
// in the epoch that it follows, waits for nobody, and brings them to what it has delivered itself; then it tells them of each commit
// that it is told of. Their ACKs count nowhere, and what they ask for goes on to the leader: the upper layer sees to that.

// masters tells whether this server may have learners although it does not lead.
func (c *Core) masters() bool { return c.o.Master && c.role == Following && c.phase == following }

// master begins the half ticks, with the first observer.
func (c *Core) master() {
	if len(c.lead.learners) == 0 {
		c.lead.half = c.now + c.halfTickTime()
	}
}

// registerObserver takes an observer's LearnerInfo.
func (c *Core) registerObserver(l *learner) {
	if !l.observer {
		c.drop(l, "only observers may come here")
		return
	}
	c.inform(l)
}

// outrun tells whether an observer has seen more than this follower. It must not lose that again: it comes back when this server has it, or goes
// to another.
func (c *Core) outrun(l *learner) bool {
	return c.role == Following && Epoch(l.last.Epoch()) == c.epoch && l.last > c.delivered
}

// masterTick is what a follower does every half tick for its observers.
func (c *Core) masterTick() {
	c.lead.half = c.now + c.halfTickTime()
	c.judge()
	p := &Ping{Zxid: c.up.seen}
	for _, l := range c.lead.learners {
		if l.phase >= learnerSyncing {
			c.send(l.link, p)
		}
	}
}

// relays tells whether somebody is to be told of the commit at hand, and gives its proposal.
func (c *Core) relays() (*Proposal, bool) {
	if len(c.lead.learners) == 0 || c.ordered == c.open.len() {
		return nil, false
	}
	p := c.open.at(c.ordered).Proposal
	return &p, true
}

// relay tells observers of a commit. It was delivered, so that whoever is yet to be synchronized gets it in its history.
func (c *Core) relay(p Packet) {
	for _, l := range c.lead.learners {
		if l.phase >= learnerSyncing {
			c.send(l.link, p)
		}
	}
}
