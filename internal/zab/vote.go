package zab

import (
	"cmp"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// beats is the order of votes: epoch, then zxid, then sid, all signed. Rounds are not compared, and weights are the election's to
// look at (section 3.2).
func (v Vote) beats(w Vote) bool {
	return cmp.Or(cmp.Compare(v.Epoch, w.Epoch), cmp.Compare(v.Zxid, w.Zxid), cmp.Compare(v.Leader, w.Leader)) > 0
}

// claim is a vote together with what its sender says it is: looking, it proposes; following or leading, it tells who leads.
type claim struct {
	Vote
	state   State
	version int32 // of the notification's format; 0 where Apache forgets it
}

// agrees tells whether two claims count as the same vote. Proposals must be equal in everything. Claims of an established ensemble
// need not be: its members were elected in different rounds, with different zxids, and those of a format without epochs know
// only the leader (section 3.2).
func (c claim) agrees(d claim) bool {
	switch {
	case c.state == Looking || d.state == Looking:
		return c.Vote == d.Vote
	case (c.version > 0) != (d.version > 0):
		return c.Leader == d.Leader
	}
	return c.Leader == d.Leader && c.Epoch == d.Epoch
}

// claims are the newest claims of peers.
type claims map[ensemble.SID]claim

// leads tells whether a server itself says that it leads. A quorum that follows it is not enough: it may be dead already
// (checkLeader, section 3.4).
func (s claims) leads(id ensemble.SID) bool { return s[id].state == Leading }

// agreeing tells who agrees with c.
func (s claims) agreeing(c claim) func(ensemble.SID) bool {
	return func(id ensemble.SID) bool {
		d, ok := s[id]
		return ok && d.agrees(c)
	}
}

// quorum tells whether those that agree with c are a quorum of the committed configuration, and of a newer one that was seen.
func (s claims) quorum(view Configs, c claim) bool {
	in, seen := s.agreeing(c), newerSeen(view)
	return view.Committed.Quorum(in) && (seen == nil || seen.Quorum(in))
}

// support tells whether those that agree with c are a quorum of one of the two. That is enough to follow another server that says it leads:
// whose ACKs a leader needs is for it to know, not for who follows it. With both, a server that has written a configuration down
// which nobody else ever saw would not find the ensemble again.
func (s claims) support(view Configs, c claim) bool {
	in, seen := s.agreeing(c), newerSeen(view)
	return view.Committed.Quorum(in) || seen != nil && seen.Quorum(in)
}

// newerSeen is the last seen configuration if it is newer than the committed one: then both count (section 3.2).
func newerSeen(v Configs) *ensemble.Config {
	if v.LastSeen == nil || v.LastSeen.Version <= v.Committed.Version {
		return nil
	}
	return v.LastSeen
}
