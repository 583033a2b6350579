package zab

import (
	"github.com/zooid-io/zooid/internal/ensemble"
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
	Reconfig        bool  // reconfigEnabled
}

// Durable is what a server has on disk when it starts.
type Durable struct {
	Accepted Epoch
	Current  Epoch
	Last     zk.Zxid    // of the last txn logged; the tree is as of it
	Recent   []Proposal // the last of them, without a gap, up to Last; may be empty
	Configs
}

// Core is one server's part in the agreement.
type Core struct {
	o Options
}

// New makes a server that is looking for a leader. now is ms, of a clock that never steps.
func New(o Options, d Durable, now int64) *Core { return &Core{o: o} }

// Step takes one event. Then the caller takes Ready, and does what it says before the next Step.
func (c *Core) Step(ev Event, now int64) {}

// Propose broadcasts a proposal. Only a leader that serves may, and the zxid has to be Next's (invariant ZxidGapless).
func (c *Core) Propose(p Proposal, now int64) {}

// Next is the zxid that the leader's next proposal must have. ok is false when the counter is used up: the leader has stepped
// down then, and the next epoch begins at 1.
func (c *Core) Next() (z zk.Zxid, ok bool) { return 0, false }

// Send sends a packet of the upper layer: to a learner by its link, or with link 0 to the leader. It reports false, and sends
// nothing, if there is no such link or it is not ready for it.
func (c *Core) Send(l Link, p Packet) bool { return false }

// Confirm asks a quorum whether it still follows. Confirmed rises to the number that Confirm gives, once it is known that this
// server led when Confirm was called: so a deposed leader answers no sync.
func (c *Core) Confirm(now int64) uint64 { return 0 }

// Confirmed is the number up to which questions have been answered.
func (c *Core) Confirmed() uint64 { return 0 }

// Ready gives what has to be done since the last call, and forgets it. It is valid until the next call of any method.
func (c *Core) Ready() *Ready { return nil }

// Deadline is when the next Timer is due.
func (c *Core) Deadline() int64 { return 0 }

// Role tells what the server is now.
func (c *Core) Role() Role { return Role{} }
