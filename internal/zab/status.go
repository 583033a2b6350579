package zab

import (
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// What operators are told of a Core. Nothing here changes anything.

// String is a state as operators read it in zk_peer_state (operations, section 2).
func (s State) String() string {
	return [...]string{"looking", "following", "leading", "observing"}[s]
}

// Stage names how far a server is in its role, as Apache's zk_peer_state does: election, discovery, synchronization, broadcast.
// It is empty of one that has just left a role, or has ended.
func (c *Core) Stage() string {
	switch c.phase {
	case electing:
		return "election"
	case dialling, registering, promising, asking, discovering, announcing, counting:
		return "discovery"
	case loading, syncing, joining, waiting, establishing:
		return "synchronization"
	case following, leading:
		return "broadcast"
	}
	return ""
}

// Electing tells whether this server is a voter that takes part in an election: what it was given to write is on disk, and its whole log
// is delivered.
func (c *Core) Electing() bool { return c.phase == electing && c.configs.Committed.Votes(c.o.SID) }

// Why is the reason for which this server last left a role.
func (c *Core) Why() string { return c.why }

// Learners counts a leader's learners, as Apache's gauges do: a synced one is sent proposals, whether or not it has caught up.
type Learners struct {
	Connected int // all that are there, of either kind
	Followers int // synced, those that do not vote among them
	NonVoting int // of Followers, those that are no participants
	Observers int // synced
}

// Learners are those of a leader, none of anybody else's.
func (c *Core) Learners() (n Learners) {
	for _, l := range c.lead.learners {
		n.Connected++
		switch {
		case l.phase < learnerSyncing:
		case l.observer:
			n.Observers++
		default:
			n.Followers++
			if !c.configs.Committed.Votes(l.sid) {
				n.NonVoting++
			}
		}
	}
	return n
}

// LearnerOn is who is at the other end of a learner's link, NoSID while it has not said.
func (c *Core) LearnerOn(link Link) ensemble.SID {
	if l := c.learner(link); l != nil && l.phase > learnerNew {
		return l.sid
	}
	return ensemble.NoSID
}

// Supporters are the servers that have joined a leader's epoch, it among them.
func (c *Core) Supporters() (sids []ensemble.SID) {
	for i, sid := range c.lead.roll.ids {
		if c.lead.joined.has(i) {
			sids = append(sids, sid)
		}
	}
	slices.Sort(sids)
	return sids
}
