package zab

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// The protocol of a quorum port, the only one there is.
const protocolVersion = 0x10000

// upstream is a learner's side of its link to the leader.
type upstream struct {
	link     Link // 0 is none
	deadline int64
	// What leads to the tree's state before this link, then the stream: everything up to base was there before; seen is the
	// last proposal, ordered the last that was committed.
	base, seen, ordered zk.Zxid
	config              *ensemble.Config // NEWLEADER's
}

// dial asks for a link to the leader. Of a leader that is in no configuration of ours nobody knows the address.
func (c *Core) dial(v Vote) {
	c.vote, c.leader = v, v.Leader
	c.enter(dialling)
	c.elect.become(c.role, v)
	_, ok := c.configs.Committed.Member(v.Leader)
	if !ok {
		_, ok = c.configs.LastSeen.Member(v.Leader)
	}
	if !ok {
		c.becomeLooking("the leader is in no configuration")
		return
	}
	budget := c.o.ConnectLimit
	if budget == 0 {
		budget = c.o.InitLimit
	}
	budget *= c.o.Tick
	c.dials++
	c.up = upstream{link: 2*c.dials - 1, deadline: c.now + budget}
	c.out.Dial = &Dial{c.up.link, v.Leader, budget}
	c.trace("%v %d", c.role, v.Leader)
}

// connected opens the conversation.
func (c *Core) connected() {
	if c.phase != dialling {
		return // said twice
	}
	c.enter(registering)
	c.up.deadline = c.now + c.o.InitLimit*c.o.Tick
	c.send(c.up.link, &LearnerInfo{SID: c.o.SID, Observer: c.role == Observing, Accepted: c.accepted, Version: protocolVersion,
		ConfigVersion: c.configs.Committed.Version})
}

// fromLeader takes a packet. A leader's PING is answered after UPTODATE only, and earlier ignored (section 4.4).
func (c *Core) fromLeader(p Packet) {
	switch c.phase {
	case registering:
		if p, ok := p.(*LeaderInfo); ok {
			c.promise(p)
			return
		}
	case asking:
		switch p := p.(type) {
		case *Diff:
			c.trace("DIFF")
			c.share(c.last)
			return
		case *Trunc:
			c.truncate(p.Zxid)
			return
		case *Snap:
			c.snapshot()
			return
		case *Ping:
			c.alive()
			return
		}
	case syncing, joining, waiting:
		c.alive()
		switch p := p.(type) {
		case *Propose:
			c.takeProposal(&p.Proposal)
		case *Commit:
			c.takeCommit(p.Zxid)
		case *CommitActivate:
			c.takeActivation(p.Zxid, p.Leader)
		case *Inform:
			if c.takeProposal(&p.Proposal) {
				c.takeCommit(p.Zxid)
			}
		case *InformActivate:
			if c.takeProposal(&p.Proposal) {
				c.takeActivation(p.Zxid, p.Leader)
			}
		case *NewLeader:
			c.newLeader(p)
		case *UpToDate:
			c.upToDate()
		default: // ignored, as section 4.4 has it
		}
		return
	case following:
		c.alive()
		c.fromServingLeader(p)
		return
	case promising:
		if _, ok := p.(*Ping); ok {
			return
		}
	}
	c.becomeLooking("an unexpected " + packetName(p) + " while " + c.phase.String())
}

// alive puts off the end of patience: initLimit until NEWLEADER, syncLimit from its ACK on. While this server itself is busy it
// has no end; that the stream behind SNAP gets on is watched by who reads it.
func (c *Core) alive() {
	switch c.phase {
	case promising, loading, joining:
		c.up.deadline = never
	case waiting, following:
		c.up.deadline = c.now + c.o.SyncLimit*c.o.Tick
	default:
		c.up.deadline = c.now + c.o.InitLimit*c.o.Tick
	}
}

// fromServingLeader is section 6.4.
func (c *Core) fromServingLeader(p Packet) {
	switch p := p.(type) {
	case *Propose:
		if c.role == Following {
			c.takeProposal(&p.Proposal)
		}
	case *Commit:
		if c.role == Following {
			told, relays := c.relays()
			if c.takeCommit(p.Zxid) && relays {
				c.relay(&Inform{*told})
			}
		}
	case *CommitActivate:
		if c.role == Following {
			c.takeActivation(p.Zxid, p.Leader)
		}
	case *Inform:
		if c.role == Observing && c.takeProposal(&p.Proposal) {
			c.takeCommit(p.Zxid)
		}
	case *InformActivate:
		if c.role == Observing && c.takeProposal(&p.Proposal) {
			c.takeActivation(p.Zxid, p.Leader)
		}
	case *Ping, *Revalidated, *SyncDone:
		c.out.Upper = append(c.out.Upper, Upper{c.up.link, c.leader, p})
	default: // logged and ignored by Apache, too
		c.trace("ignored %s", packetName(p))
	}
}

// takeProposal puts a proposal behind the others of the stream. It is refused if it leaves a gap, whoever leads
// (ZOOKEEPER-4925), if its epoch is one that this server has not promised (EpochMonotone), or if nobody could read it again
// (ZOOKEEPER-2355): it is in no log then, and may come whole another time. Before UPTODATE one may come that is known already: a leader of
// Apache's sends its tree as it is, and then again what was applied meanwhile.
func (c *Core) takeProposal(p *Proposal) bool {
	if p.Zxid <= c.up.seen && c.phase != following {
		return true
	}
	if !follows(c.up.seen, p.Zxid) {
		c.becomeLooking("proposal " + p.Zxid.String() + " behind " + c.up.seen.String())
		return false
	}
	if Epoch(p.Zxid.Epoch()) > c.epoch {
		c.becomeLooking(fmt.Sprintf("proposal %v of an epoch after its leader's, %d", p.Zxid, c.epoch))
		return false
	}
	if p.Unreadable {
		c.becomeLooking("proposal " + p.Zxid.String() + " cannot be read")
		return false
	}
	if p.Config != nil && c.takeDecision(p.Config) {
		return false
	}
	c.up.seen = p.Zxid
	c.open.push(entry{Proposal: *p})
	if p.Config != nil {
		c.saw(p.Config)
	}
	if c.phase >= waiting && c.role == Following {
		c.logTo(c.open.len(), true)
	}
	return true
}

// takeCommit commits the oldest proposal that is not. Anything else is not for this history: better to look for a leader anew
// than to apply it.
func (c *Core) takeCommit(z zk.Zxid) bool {
	if z <= c.up.ordered && c.phase != following {
		return true
	}
	if c.ordered == c.open.len() || c.open.at(c.ordered).Zxid != z {
		c.becomeLooking("COMMIT of " + z.String() + " is not of the oldest proposal")
		return false
	}
	c.ordered++
	c.up.ordered = z
	c.logOrdered()
	c.deliver()
	if c.phase == following {
		c.committed = z
	}
	return true
}

// logOrdered appends what has been committed. Before NEWLEADER that is the leader's initial history, and nothing else is logged;
// an observer logs nothing else at any time.
func (c *Core) logOrdered() {
	if c.phase == syncing || c.role == Observing && c.phase >= waiting {
		c.logTo(c.ordered, false)
	}
}

func packetName(p Packet) string {
	switch p.(type) {
	case *LearnerInfo:
		return "LEARNERINFO"
	case *LeaderInfo:
		return "LEADERINFO"
	case *AckEpoch:
		return "ACKEPOCH"
	case *Diff:
		return "DIFF"
	case *Trunc:
		return "TRUNC"
	case *Snap:
		return "SNAP"
	case *NewLeader:
		return "NEWLEADER"
	case *UpToDate:
		return "UPTODATE"
	case *Propose:
		return "PROPOSAL"
	case *Ack:
		return "ACK"
	case *Commit:
		return "COMMIT"
	case *CommitActivate:
		return "COMMITANDACTIVATE"
	case *Inform:
		return "INFORM"
	case *InformActivate:
		return "INFORMANDACTIVATE"
	case *Ping:
		return "PING"
	case *Request:
		return "REQUEST"
	case *Revalidate, *Revalidated:
		return "REVALIDATE"
	case *SyncDone:
		return "SYNC"
	}
	return "packet"
}
