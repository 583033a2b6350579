package zab

import "github.com/zooid-io/zooid/zk"

// Discovery (the Zab paper's phase 1; sections 4.3 and 4.5 A-I). Leader and learners agree on an epoch that is higher than any that
// a quorum has promised, and the leader makes sure that nobody in a quorum has a longer history than its own.

// leadership is a leader's side.
type leadership struct {
	learners []*learner // by link
	arrivals bool       // some of them are to be synchronized, at the end of the step
	roll     roll
	self     int
	need     *need // quorums for NEWLEADER and for proposals: committed, and last seen if that is newer
	elects   *need // and for an epoch: committed alone

	epoch      Epoch
	connecting set // have told their acceptedEpoch
	promised   set // have promised
	joined     set // have acked NEWLEADER
	// The history that this server brings: nobody who has more may follow.
	current  Epoch
	last     zk.Zxid
	proposed zk.Zxid // the last zxid given
	deposed  bool    // another was designated: nothing is committed any more

	deadline int64 // of a phase before broadcast
	half     int64 // when the next half tick is
	odd      bool
	tick     int64
	questions
}

// becomeLeader begins discovery (4.5 B and D).
func (c *Core) becomeLeader(v Vote) {
	c.role, c.leader, c.vote = Leading, c.o.SID, v
	c.enter(discovering)
	c.elect.become(Leading, v)
	c.trace("leading, last %v", c.last)
	c.lead = leadership{epoch: max(c.accepted, c.floor) + 1, current: c.current, last: c.last,
		deadline: c.now + c.o.InitLimit*c.o.Tick, half: c.now + c.halfTickTime()}
	c.lead.self = c.lead.roll.enter(c.o.SID)
	c.needs()
	c.lead.connecting.add(c.lead.self)
	c.discover()
}

// needs says anew which quorums are needed.
func (c *Core) needs() {
	c.lead.elects = newNeed(&c.lead.roll, c.configs.Committed)
	c.lead.need = c.lead.elects
	if c.configs.LastSeen.Version > c.configs.Committed.Version {
		c.lead.need = newNeed(&c.lead.roll, c.configs.Committed, c.configs.LastSeen)
	}
	for _, l := range c.lead.learners {
		l.index = c.lead.roll.find(l.sid)
	}
}

// register takes a learner's LearnerInfo.
func (c *Core) register(l *learner, p *LearnerInfo) {
	switch {
	case p.Version < protocolVersion:
		c.drop(l, "an old protocol")
		return
	case p.ConfigVersion > c.configs.Committed.Version:
		c.drop(l, "a newer configuration")
		return
	case p.SID == c.o.SID || p.Accepted < 0:
		c.drop(l, "a bad LEARNERINFO")
		return
	}
	l.sid, l.observer = p.SID, p.Observer
	l.index = c.lead.roll.find(p.SID)
	l.phase = learnerRegistered
	for _, old := range c.lead.learners {
		if old != l && old.phase > learnerNew && old.sid == p.SID {
			c.drop(old, "connected anew")
			break
		}
	}
	if c.role == Following {
		c.registerObserver(l)
		return
	}
	voter := c.configs.Committed.Votes(p.SID)
	if c.phase == discovering {
		c.lead.epoch = max(c.lead.epoch, p.Accepted+1)
		if voter {
			c.lead.connecting.add(l.index)
		}
		c.discover()
		return
	}
	// A voter that has promised more can never follow this leader. Only a new election takes it in; the next epoch
	// will be higher, so that this happens once for each such promise.
	if voter && p.Accepted > c.lead.epoch && p.Accepted > c.floor {
		c.floor = p.Accepted
		c.becomeLooking("a voter has promised a later epoch")
		return
	}
	if c.phase > announcing {
		c.inform(l)
	}
}

// discover decides the epoch, when a quorum of the committed configuration has come.
func (c *Core) discover() {
	if c.lead.elects.met(&c.lead.connecting) {
		c.epoch = c.lead.epoch
		c.enter(announcing)
		c.promiseEpoch(c.epoch)
	}
}

// announce sends LEADERINFO, now that this server's own promise is durable (4.5 E to H).
func (c *Core) announce() {
	c.enter(counting)
	c.lead.deadline = c.now + c.o.InitLimit*c.o.Tick
	c.lead.proposed = zxidOf(c.epoch)
	c.trace("epoch %d", c.epoch)
	if c.o.Reconfig && c.configs.Committed.Version == 0 && c.configs.LastSeen.Version == 0 {
		g := *c.configs.LastSeen
		g.Version = zxidOf(c.epoch)
		c.saw(&g)
	}
	for _, l := range c.lead.learners {
		if l.phase == learnerRegistered {
			c.inform(l)
		}
	}
	c.lead.promised.add(c.lead.self)
	c.count()
}

func (c *Core) inform(l *learner) {
	l.phase = learnerPromising
	l.patient = c.now + c.o.InitLimit*c.o.Tick
	c.send(l.link, &LeaderInfo{c.epoch, protocolVersion})
}

// countPromise takes a learner's ACKEPOCH. Who promised before is not counted, but may follow.
func (c *Core) countPromise(l *learner, p *AckEpoch) {
	if c.role == Following {
		l.last = p.Last
		c.due(l)
		return
	}
	if p.Current != -1 {
		// (e,0) has nothing of epoch e behind it: every server that has joined e has as much.
		more := p.Current > c.lead.current ||
			p.Current == c.lead.current && p.Last > c.lead.last && p.Last != zxidOf(c.lead.current)
		if more {
			c.drop(l, "a longer history: "+p.Last.String())
			return
		}
		c.lead.promised.add(l.index)
	}
	l.last = p.Last
	l.phase = learnerPromised
	if c.phase == counting {
		c.count()
	} else {
		c.due(l)
	}
}

// count joins the epoch, when a quorum has promised (4.5 H and I).
func (c *Core) count() {
	if !c.lead.elects.met(&c.lead.promised) {
		return
	}
	c.enter(establishing)
	c.lead.deadline = c.now + c.o.InitLimit*c.o.Tick
	for _, l := range c.lead.learners {
		if l.phase == learnerPromised {
			c.due(l)
		}
	}
	c.joinEpoch(c.epoch)
}

// promise is the learner's: a promise to follow no leader of a lower epoch.
func (c *Core) promise(p *LeaderInfo) {
	switch {
	case p.Version < protocolVersion:
		c.becomeLooking("an old protocol")
	case p.Epoch < c.accepted:
		c.becomeLooking("the leader's epoch is old")
	case p.Epoch == c.accepted:
		c.epoch = p.Epoch
		c.promised(-1)
	default:
		c.epoch = p.Epoch
		c.enter(promising)
		c.alive()
		c.promiseEpoch(p.Epoch)
	}
}

// promised sends ACKEPOCH: the promise is durable.
func (c *Core) promised(current Epoch) {
	c.enter(asking)
	c.alive()
	last := c.last
	if c.hollow && (current == -1 || c.role == Observing) { // who does not count may say that it has nothing
		last = 0
	}
	c.send(c.up.link, &AckEpoch{last, current})
}

// connectedVoters is whoever is there now, this server included.
func (c *Core) connectedVoters(until int64) set {
	var s set
	s.add(c.lead.self)
	for _, l := range c.lead.learners {
		if l.phase > learnerNew && l.due >= until {
			s.add(l.index)
		}
	}
	return s
}
