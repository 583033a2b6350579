package zab

import (
	"fmt"
	"math"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/zk"
)

// Options is what an operator can set. Times are ms, limits are ticks.
type Options struct {
	SID             ensemble.SID
	Tick            int64
	InitLimit       int64
	SyncLimit       int64
	ConnectLimit    int64 // to connect to a leader; 0 is InitLimit
	MinNotification int64 // until a notification is repeated, 0 is 200; it doubles
	MaxNotification int64 // up to this, 0 is 60000
	Settle          int64 // how long a quorum of equal votes waits for a better one, 0 is 200
	CommitLog       int   // proposals kept for learners that lag, at least 500
	CommitLogBytes  int   // and their bytes, at most, 0 is 64 MiB
	ForceSnapshot   bool  // never send a difference
	Passages        bool  // send what memory has no longer out of the log, where Ready.Search finds it
	MaxSnapSyncs    int   // observers that come while so many learners are being sent a snapshot are sent away; 0 is no limit
	MaxDiffSyncs    int   // the same, of differences
	Reconfig        bool  // reconfigEnabled
	Master          bool  // as a follower, have observers (observerMasterPort)
	Unlogged        bool  // as an observer, log nothing (syncEnabled=false)
}

// Durable is what a server has on disk when it starts.
type Durable struct {
	Accepted Epoch
	Current  Epoch
	Last     zk.Zxid    // of the last txn logged; the tree is as of it
	Recent   []Proposal // the last of them, without a gap, up to Last; may be empty. Config is set, as elsewhere
	Configs
}

// Core is one server's part in the agreement.
type Core struct {
	o       Options
	now     int64
	configs Configs

	// The disk, as it will be when it has done all that it was given.
	accepted Epoch
	current  Epoch
	last     zk.Zxid // logged
	issued   uint64  // operations
	synced   uint64  // of them durable
	progress int64   // when the disk last got on, or left idleness
	held     queue[held]

	// The tree, and what it waits for.
	delivered zk.Zxid
	committed zk.Zxid      // known to be committed by a quorum, in this life
	open      queue[entry] // proposals that were not yet delivered: the first logged of them are in the log,
	logged    int
	ordered   int    // and the first ordered of them were committed
	reload    uint64 // the number of a Truncate: nothing is delivered before it is done
	history   history
	ahead     bool // an observer that logs nothing: the tree has more than the disk
	hollow    bool // what is on disk leads to no leader's history: a whole tree is asked for

	role    State
	phase   phase
	leader  ensemble.SID
	epoch   Epoch // of the leader, 0 is unknown
	serving bool
	vote    Vote   // the last decision
	next    *Vote  // a leader that is to be followed without an election: section 1.3
	why     string // this server last left a role
	ending  bool
	barred  int64 // until when it does not stand for leader: nobody could come to it
	floor   Epoch // the highest that a voter is known to have promised

	elect *election
	up    upstream
	lead  leadership

	asked, confirmed uint64 // Confirm
	dials            Link
	told             Role
	out, spare       Ready
	nothing          Ready
}

// entry is a proposal on its way. A leader keeps who has it, and what it needs.
type entry struct {
	Proposal
	acks  set
	need  *need
	asked uint64 // the last question when it was proposed
}

// held is what waits for the disk: DurableAck.
type held struct {
	n    uint64
	what holding
	zxid zk.Zxid
}

type holding uint8

const (
	promise holding = iota // acceptedEpoch: ACKEPOCH, or LEADERINFO
	joined                 // currentEpoch and the history before it: ACK of NEWLEADER, or the leader's own
	logging                // a proposal: its ACK, or the leader's own
)

// phase is where a server is in its role. Only the becomes, and enter, write it.
type phase uint8

const (
	electing phase = iota
	draining       // a role was left; the disk has yet to do what it was given. Peers are not answered
	stopped

	dialling    // a learner's: until the link is up
	registering // LearnerInfo is out, until LEADERINFO
	promising   // until acceptedEpoch is durable
	asking      // ACKEPOCH is out, until DIFF, TRUNC or SNAP
	loading     // until the stream behind SNAP is read
	syncing     // until NEWLEADER
	joining     // until history and currentEpoch are durable
	waiting     // ACK of NEWLEADER is out, until UPTODATE
	following   // broadcast

	discovering  // a leader's: until a quorum has told its acceptedEpoch (4.5 D)
	announcing   // until the leader's own acceptedEpoch is durable
	counting     // until a quorum has promised (4.5 H)
	establishing // until a quorum has acked NEWLEADER (4.5 J)
	leading      // broadcast
)

var phases = [...]string{"electing", "draining", "stopped",
	"dialling", "registering", "promising", "asking", "loading", "syncing", "joining", "waiting", "following",
	"discovering", "announcing", "counting", "establishing", "leading"}

func (p phase) String() string { return phases[p] }

const never = 1<<63 - 1

// New makes a server that is looking for a leader. now is ms, of a clock that never steps.
func New(o Options, d Durable, now int64) *Core {
	c := &Core{o: o, now: now, configs: d.Configs, accepted: d.Accepted, current: d.Current, last: d.Last, delivered: d.Last,
		leader: ensemble.NoSID, role: Looking, phase: draining, told: Role{Leader: ensemble.NoSID}}
	if c.configs.LastSeen == nil {
		c.configs.LastSeen = c.configs.Committed
	}
	c.history = newHistory(&c.o, d.Recent, d.Last)
	c.recall(d.Recent)
	c.elect = newElection(&c.o, c.configs)
	c.drain()
	return c
}

// Step takes one event. Then the caller takes Ready, and does what it says before the next Step.
func (c *Core) Step(ev Event, now int64) {
	c.now = now
	switch ev := ev.(type) {
	case *Notified:
		if c.phase == discovering && c.elect.outdone(ev.From, &ev.Notification) {
			c.becomeLooking("others look for a better leader")
		}
		switch c.phase {
		case draining: // whoever has left a role has no vote before the disk has done what it was given
			c.elect.keep(ev.From, &ev.Notification, now)
		case stopped:
		default:
			c.elect.heard(ev.From, &ev.Notification, now)
		}
	case *PeerConn:
		c.elect.connected(ev.SID, ev.Up, now)
	case *LinkUp:
		if ev.Link&1 == 0 {
			c.learnerUp(ev.Link)
		} else if ev.Link == c.up.link {
			c.connected()
		}
	case *LinkDown:
		if ev.Link&1 == 0 {
			if l := c.learner(ev.Link); l != nil {
				c.learnerGone(l)
			}
		} else if ev.Link == c.up.link {
			c.up.link = 0
			c.becomeLooking("the link to the leader is down")
		}
	case *Received:
		if ev.Link&1 == 0 {
			if l := c.learner(ev.Link); l != nil {
				c.fromLearner(l, ev.Packet)
			}
		} else if ev.Link == c.up.link {
			c.fromLeader(ev.Packet)
		}
	case *Loaded:
		switch {
		case c.Wants(ev):
			c.loaded(ev.Zxid)
		case ev.Link == c.up.link && c.phase == loading:
			c.becomeLooking("SNAP as of " + ev.Zxid.String() + ", committed is " + c.committed.String())
		}
	case *Found:
		if l := c.learner(ev.Link); l != nil && l.phase == learnerSought {
			l.sought, l.found, l.at = true, ev.OK, ev.At
			c.due(l)
		}
	case *Unreachable:
		if c.role == Leading {
			c.bar()
		}
	case *Failed:
		c.failed(ev)
	case *Synced:
		c.durable(ev.N)
	case *Timer:
		c.timer()
	case *Stop:
		c.ending = true
		if c.role != Looking {
			c.becomeLooking("stopping")
		} else if c.phase == electing {
			c.enter(stopped)
		}
	}
	c.settle()
}

// settle does what follows from an event, at its end: an election's decision, and the synchronization of learners, for which
// the tree has to be as it will be when Ready has been done.
func (c *Core) settle() {
	if g := c.elect.adopt; g != nil {
		c.elect.adopt = nil
		if c.phase == electing {
			c.adopt(g)
		}
	}
	if v := c.elect.decided; v != nil {
		c.elect.decided = nil
		if c.phase == electing {
			c.become(*v)
		}
	}
	if c.lead.arrivals {
		c.lead.arrivals = false
		for i := 0; i < len(c.lead.learners); i++ {
			if l := c.lead.learners[i]; l.phase == learnerDue {
				if c.synchronize(l); i < len(c.lead.learners) && c.lead.learners[i] != l {
					i-- // it was sent away
				}
			}
		}
	}
}

// become takes the role that a decision gives.
func (c *Core) become(v Vote) {
	self, known := c.configs.Committed.Member(c.o.SID)
	switch {
	case c.ahead && !self.Observer:
		c.next = &v
		c.enter(draining)
		c.drain()
	case v.Leader == c.o.SID:
		c.becomeLeader(v)
	case known && self.Observer:
		c.becomeObserver(v)
	default:
		c.becomeFollower(v)
	}
}

// becomeLooking leaves the role. What was given to the disk is waited for, then the whole log is delivered, because a vote is
// for what is logged, committed or not (section 1.3). What was received and not logged is forgotten.
func (c *Core) becomeLooking(why string) {
	c.trace("looking: %s", why)
	c.why = why
	if c.up.link != 0 {
		c.out.Close = append(c.out.Close, c.up.link)
	}
	for _, l := range c.lead.learners {
		c.out.Close = append(c.out.Close, l.link)
	}
	c.up, c.lead = upstream{}, leadership{}
	c.held.cut(0)
	c.open.cut(c.logged)
	c.ordered = min(c.ordered, c.logged)
	c.role, c.leader, c.epoch, c.serving = Looking, ensemble.NoSID, 0, false
	c.enter(draining)
	c.drain()
}

func (c *Core) drain() {
	if c.synced < c.issued {
		return
	}
	if c.open.len() > 0 {
		c.trace("delivered up to %v", c.open.at(c.open.len()-1).Zxid)
	}
	c.ordered = c.logged
	c.deliver()
	c.unsee()
	if c.ending {
		c.enter(stopped)
		return
	}
	if c.ahead && !observes(c.configs.Committed, c.o.SID) {
		// It is an observer no more, and has to have on disk what it will vote for and go on from.
		c.ahead = false
		c.write(&Install{c.delivered})
		return
	}
	if v := c.next; v != nil {
		c.next = nil
		c.become(*v)
		return
	}
	c.enter(electing)
	own := Vote{Leader: c.o.SID, Zxid: c.last, Epoch: c.current}
	if !c.configs.Committed.Votes(c.o.SID) {
		own.Leader = ensemble.NoSID
	}
	if c.now < c.barred {
		own.Zxid, own.Epoch = math.MinInt64, math.MinInt64
	}
	c.elect.begin(own, c.now)
}

// bar makes this server stand behind all others for initLimit, in what it proposes of itself. Whoever is elected meanwhile leads only if nobody
// in its quorum has more: discovery looks at histories, not at votes. A server that is a quorum by itself needs nobody to come, and leads on.
func (c *Core) bar() {
	var alone set
	alone.add(c.lead.self)
	if c.lead.elects.met(&alone) {
		return
	}
	c.barred = c.now + c.o.InitLimit*c.o.Tick
	c.becomeLooking("learners cannot come")
}

func (c *Core) becomeFollower(v Vote) {
	c.role = Following
	c.dial(v)
}

func (c *Core) becomeObserver(v Vote) {
	c.role = Observing
	c.dial(v)
}

func (c *Core) enter(p phase) { c.phase = p }

// write gives the disk something to do, and numbers it.
func (c *Core) write(d Disk) uint64 {
	if c.issued == c.synced {
		c.progress = c.now
	}
	c.issued++
	c.out.Disk = append(c.out.Disk, d)
	return c.issued
}

// promiseEpoch writes acceptedEpoch.
func (c *Core) promiseEpoch(e Epoch) {
	invariant.Check(e > c.accepted, invariant.EpochMonotone, "acceptedEpoch %d after %d", e, c.accepted)
	c.accepted = e
	c.hold(c.write(&WriteAccepted{e}), promise, 0)
}

// joinEpoch writes currentEpoch, behind the history.
func (c *Core) joinEpoch(e Epoch) {
	invariant.Check(e >= c.current && e <= c.accepted, invariant.EpochMonotone, "currentEpoch %d after %d, accepted is %d", e, c.current, c.accepted)
	if e > c.current && !c.ahead { // else the disk has not the history that this would be the word for
		c.current = e
		c.write(&WriteCurrent{e})
	}
	c.hold(c.issued, joined, 0)
}

// logTo appends the first n open proposals. ack says whether they are to be acked when they are durable.
func (c *Core) logTo(n int, ack bool) {
	for ; c.logged < n; c.logged++ {
		p := &c.open.at(c.logged).Proposal
		if p.Zxid <= c.last { // Check's words would be allocated each time
			invariant.Check(false, invariant.TotalOrder, "proposal %v is logged behind %v", p.Zxid, c.last)
		}
		c.last = p.Zxid
		if c.role == Observing && c.o.Unlogged {
			c.ahead = true
			continue
		}
		if i := c.write(&Append{*p}); ack {
			c.held.push(held{i, logging, p.Zxid})
		}
	}
}

// deliver gives to the tree what is both logged and committed.
func (c *Core) deliver() {
	if c.reload > c.synced {
		return
	}
	for c.ordered > 0 && c.logged > 0 {
		e := c.open.pop()
		c.ordered--
		c.logged--
		if e.Zxid <= c.delivered {
			invariant.Check(false, invariant.CommitInOrder, "%v is delivered behind %v", e.Zxid, c.delivered)
		}
		c.delivered = e.Zxid
		c.history.add(&e.Proposal)
		c.out.Committed = append(c.out.Committed, e.Proposal)
	}
}

// hold keeps something until the first n operations are durable.
func (c *Core) hold(n uint64, what holding, z zk.Zxid) {
	c.held.push(held{n, what, z})
	c.release()
}

func (c *Core) durable(n uint64) {
	if n > c.issued {
		invariant.Check(false, invariant.DurableAck, "%d operations are durable, %d were given", n, c.issued)
	}
	if n <= c.synced {
		return
	}
	c.synced, c.progress = n, c.now
	if c.reload != 0 && c.reload <= n {
		c.reload = 0
		c.deliver()
	}
	c.release()
	if c.phase == draining {
		c.drain()
	}
}

// failed goes on from what the disk has, without what it was given: as if this server had just started, and yet with the leader that it
// had. That leader has counted its promise by now, or counts another (sections 4.3 and 4.4): in the same epoch it is promised before, and this
// server's word about its history, that there is none, is not heard by anybody who counts.
func (c *Core) failed(ev *Failed) {
	invariant.Check(!c.serving && c.issued > c.synced, invariant.DurableAck, "an operation fails while %v, %d of %d are done", c.phase, c.synced, c.issued)
	c.issued, c.reload = c.synced, 0
	c.held.cut(0)
	c.open.cut(0)
	c.logged, c.ordered = 0, 0
	c.last, c.delivered, c.current = ev.Last, ev.Last, ev.Current
	c.history.clear()
	c.ahead = false
	if c.phase == draining {
		c.hollow = true
		c.drain()
		return
	}
	c.anew("the disk could not follow")
}

// anew leaves the leader and comes to it again, for a whole tree.
func (c *Core) anew(why string) {
	v := c.vote
	c.hollow, c.next = true, &v
	c.becomeLooking(why)
}

// release lets go what the disk has made true.
func (c *Core) release() {
	for c.held.len() > 0 && c.held.at(0).n <= c.synced {
		h := c.held.pop()
		switch {
		case h.what == logging && c.role == Leading:
			c.acked(c.lead.self, h.zxid)
		case h.what == logging:
			c.send(c.up.link, &Ack{h.zxid})
		case h.what == promise && c.phase == announcing:
			c.announce()
		case h.what == promise && c.phase == promising:
			c.promised(c.current)
		case h.what == joined && c.phase == establishing:
			c.lead.joined.add(c.lead.self)
			c.establish()
		case h.what == joined && c.phase == joining:
			c.hasJoined()
		default:
			invariant.Check(false, invariant.DurableAck, "held %d is released while %v", h.what, c.phase)
		}
	}
}

func (c *Core) send(link Link, p Packet) {
	c.out.Send = append(c.out.Send, Send{Link: link, Packet: p})
}

func (c *Core) trace(format string, args ...any) {
	c.out.Trace = append(c.out.Trace, fmt.Sprintf(format, args...))
}

func (c *Core) timer() {
	if c.phase == electing {
		if c.now >= c.elect.deadline() {
			c.elect.timer(c.now)
		}
		return
	}
	switch c.role {
	case Following, Observing:
		if c.now >= c.up.deadline {
			c.becomeLooking("nothing from the leader while " + c.phase.String())
		} else if len(c.lead.learners) > 0 && c.now >= c.lead.half {
			c.masterTick()
		}
	case Leading:
		if c.now >= c.lead.half {
			c.halfTick()
		}
	}
}

// Deadline is when the next Timer is due.
func (c *Core) Deadline() int64 {
	switch {
	case c.phase == electing:
		return c.elect.deadline()
	case c.role == Leading:
		return c.lead.half
	case c.role != Looking && len(c.lead.learners) > 0:
		return min(c.up.deadline, c.lead.half)
	case c.role != Looking:
		return c.up.deadline
	}
	return never
}

// Wants tells whether a Loaded would be taken: the tree is to be exchanged for the one that was read.
func (c *Core) Wants(ev *Loaded) bool {
	return ev.Link == c.up.link && c.phase == loading && ev.Zxid >= c.committed
}

// Undelivered is the number of proposals that are on their way: received or proposed, and not delivered.
func (c *Core) Undelivered() int { return c.open.len() }

// Configs are the configurations as they are now.
func (c *Core) Configs() Configs { return c.configs }

// Role tells what the server is now.
func (c *Core) Role() Role { return Role{c.role, c.leader, c.epoch, c.serving} }

// Ready gives what has to be done since the last call, and forgets it. It is valid until the next call of any method.
func (c *Core) Ready() *Ready {
	c.settle()
	if len(c.elect.notify) == 0 && c.out.Empty() && c.Role() == c.told {
		return &c.nothing // it is asked until there is nothing: that has to cost little
	}
	if r := c.Role(); r != c.told {
		c.told = r
		role := r
		c.out.Role = &role
	}
	c.out.Notify, c.elect.notify = append(c.out.Notify, c.elect.notify...), c.elect.notify[:0]
	c.out, c.spare = c.spare, c.out
	c.out.forget()
	return &c.spare
}

// forget empties a Ready and keeps its room.
func (r *Ready) forget() {
	clear(r.Committed)
	clear(r.Disk)
	clear(r.Notify)
	clear(r.Send)
	clear(r.Search)
	clear(r.Upper)
	clear(r.Trace)
	*r = Ready{Committed: r.Committed[:0], Disk: r.Disk[:0], Notify: r.Notify[:0], Send: r.Send[:0], Search: r.Search[:0], Close: r.Close[:0],
		Upper: r.Upper[:0], Trace: r.Trace[:0]}
}

// Send sends a packet of the upper layer: to a learner by its link, or with link 0 to the leader. It reports false, and sends
// nothing, if there is no such link or it is not ready for it.
func (c *Core) Send(l Link, p Packet) bool {
	if l == 0 {
		if c.phase != following {
			return false
		}
		c.send(c.up.link, p)
		return true
	}
	h := c.learner(l)
	if h == nil || h.phase < learnerAcked {
		return false
	}
	c.send(l, p)
	return true
}
