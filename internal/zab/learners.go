package zab

import (
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// learner is what a leader knows of one learner, on one link.
type learner struct {
	link     Link
	sid      ensemble.SID
	index    int // in sets
	observer bool
	phase    learnerPhase
	last     zk.Zxid // that it had logged when it came
	loads    bool    // a stream
	whole    bool    // that is a snapshot
	sought   bool    // Found has come,
	found    bool    // and at is where the log goes on for it
	at       zk.Zxid
	early    []zk.Zxid // ACKs that came before that of NEWLEADER

	due     int64 // the tick until which it counts as being there
	patient int64 // when its silence is too long
	// One proposal at a time, and the one after it, is watched for its ACK: section 6.7.
	watched, then     zk.Zxid
	watchedAt, thenAt int64
	pings             queue[uint64] // those not answered, with the question that each answers
	confirmed         uint64
}

// learnerPhase is how far a learner is.
type learnerPhase uint8

const (
	learnerNew        learnerPhase = iota
	learnerRegistered              // waits for LEADERINFO
	learnerPromising               // to send ACKEPOCH
	learnerPromised                // waits for a quorum of promises
	learnerDue                     // to be synchronized at the end of the step
	learnerSought                  // its last zxid is looked for in the log
	learnerSyncing                 // has been sent a history, and gets what is new
	learnerAcked                   // NEWLEADER; waits for UPTODATE
	learnerServing
)

func (c *Core) learner(link Link) *learner {
	i, ok := slices.BinarySearchFunc(c.lead.learners, link, func(l *learner, link Link) int { return int(int64(l.link) - int64(link)) })
	if !ok {
		return nil
	}
	return c.lead.learners[i]
}

func (c *Core) learnerUp(link Link) {
	if c.role != Leading && !c.masters() {
		c.out.Close = append(c.out.Close, link)
		return
	}
	if c.role != Leading {
		c.master()
	}
	l := &learner{link: link, index: -1, due: c.lead.tick + c.o.InitLimit + c.o.SyncLimit, patient: c.now + c.o.InitLimit*c.o.Tick}
	i, _ := slices.BinarySearchFunc(c.lead.learners, link, func(l *learner, link Link) int { return int(int64(l.link) - int64(link)) })
	c.lead.learners = slices.Insert(c.lead.learners, i, l)
}

// drop ends a learner's link.
func (c *Core) drop(l *learner, why string) {
	c.trace("dropped %d: %s", l.sid, why)
	c.out.Close = append(c.out.Close, l.link)
	c.learnerGone(l)
}

// learnerGone forgets a learner. What it has acked stays so, until it comes back: see forgetAcks. A leader whose quorum is gone for certain does not wait for the
// next tick.
func (c *Core) learnerGone(l *learner) {
	c.lead.learners = slices.DeleteFunc(c.lead.learners, func(x *learner) bool { return x == l })
	if c.phase == leading {
		s := c.connectedVoters(0)
		if !c.lead.need.met(&s) {
			c.becomeLooking("the quorum is gone")
		}
	}
}

// fromLearner takes a learner's packet.
func (c *Core) fromLearner(l *learner, p Packet) {
	l.due = c.lead.tick + c.o.SyncLimit
	limit := c.o.SyncLimit
	if l.phase < learnerSyncing {
		limit = c.o.InitLimit
	}
	l.patient = c.now + limit*c.o.Tick
	switch l.phase {
	case learnerNew:
		if p, ok := p.(*LearnerInfo); ok {
			c.register(l, p)
			return
		}
	case learnerPromising:
		if p, ok := p.(*AckEpoch); ok {
			c.countPromise(l, p)
			return
		}
	case learnerSyncing:
		if p, ok := p.(*Ack); ok {
			if p.Zxid == zxidOf(c.epoch) {
				c.ackedNewLeader(l)
			} else {
				l.early = append(l.early, p.Zxid)
			}
			return
		}
	case learnerAcked:
		if p, ok := p.(*Ack); ok {
			l.early = append(l.early, p.Zxid)
			return
		}
	case learnerServing:
		switch p := p.(type) {
		case *Ack:
			c.fromAck(l, p.Zxid)
		case *Ping:
			c.pingAnswered(l)
			c.out.Upper = append(c.out.Upper, Upper{l.link, l.sid, p})
		case *Request, *Revalidate:
			c.out.Upper = append(c.out.Upper, Upper{l.link, l.sid, p})
		default:
			c.trace("ignored %s of %d", packetName(p), l.sid)
		}
		return
	}
	c.drop(l, "an unexpected "+packetName(p))
}

// sent notes that a proposal has been sent, to watch how long its ACK takes.
func (l *learner) sent(z zk.Zxid, now int64) {
	switch {
	case l.watched == 0:
		l.watched, l.watchedAt = z, now
	case l.then == 0:
		l.then, l.thenAt = z, now
	}
}

func (l *learner) answered(z zk.Zxid) {
	if z == l.watched {
		l.watched, l.watchedAt, l.then = l.then, l.thenAt, 0
	}
}

func (c *Core) halfTickTime() int64 { return max(c.o.Tick/2, 1) }

// halfTick is what a leader does every half tick (section 6.7), and in earlier phases the judgement of who is silent.
func (c *Core) halfTick() {
	c.lead.half = c.now + c.halfTickTime()
	if c.judge(); c.role != Leading {
		return
	}
	if c.phase != leading {
		if c.now >= c.lead.deadline {
			c.becomeLooking("no quorum while " + c.phase.String())
		}
		return
	}
	if c.lead.odd = !c.lead.odd; !c.lead.odd {
		c.lead.tick++
		if s := c.connectedVoters(c.lead.tick); !c.lead.need.met(&s) {
			c.becomeLooking("the quorum is silent")
			return
		}
	}
	if c.issued > c.synced && c.now-c.progress > c.o.SyncLimit*c.o.Tick {
		c.becomeLooking("the disk is stalled")
		return
	}
	c.ping()
}

// judge drops the learners that are silent, or slow.
func (c *Core) judge() {
	for i := 0; i < len(c.lead.learners); i++ {
		l := c.lead.learners[i]
		// Who waits for us owes nothing, and who reads a stream is watched by who sends it.
		owes := l.phase == learnerNew || l.phase == learnerPromising || l.phase == learnerSyncing && !l.loads || l.phase == learnerServing
		slow := l.phase == learnerServing && l.watched != 0 && c.now-l.watchedAt > c.o.SyncLimit*c.o.Tick
		if slow || owes && c.now > l.patient {
			why := "silent"
			if slow {
				why = "slow to ack"
			}
			if c.drop(l, why); c.role == Looking {
				return
			}
			i--
		}
	}
}
