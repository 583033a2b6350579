package zab

import (
	"cmp"

	"github.com/zooid-io/zooid/internal/ensemble"
)

// answer is what a peer was told last, and when.
type answer struct {
	vote Vote
	at   int64
}

// heard takes a notification, in every state (sections 3.1 and 3.3).
//
//	from a voter         this server looks                                    this server follows, leads, observes
//	  that looks         counted; if its round is behind: the proposal        the current vote, as elected
//	  that does not      counted                                              nothing
//	from anybody else
//	  that looks         the proposal                                         the current vote, with the logical clock
//	  that does not      nothing                                              nothing
//
// Apache answers whoever does not vote always, and two servers that do not know each other then answer each other without end. While it looks
// it tells them the vote that it had before, of a leader that may be gone; and who is a stranger here may be a voter to somebody who has seen
// a change on its way, and bring that vote back to all.
func (e *election) heard(from ensemble.SID, n *Notification, now int64) {
	if from == e.o.SID || n.State < Looking || n.State > Observing {
		return
	}
	delete(e.down, from)
	if e.newConfig(n) {
		return
	}
	looks := n.State == Looking
	switch {
	case !e.votes(from):
		if looks {
			v := e.vote
			if e.state == Looking {
				v = e.proposed
			}
			v.Round = e.round
			e.answer(from, v, now)
		}
	case e.state != Looking:
		if looks {
			e.tell(from, e.vote)
			e.keep(from, n, now)
		}
	case looks && n.Vote.Round < e.round:
		// Old, or of one that has begun anew: not counted, but told how far the others are. Only by voters: of nobody else
		// would it learn the round.
		if e.votes(e.o.SID) {
			e.answer(from, e.proposed, now)
		}
	case !e.votes(n.Vote.Leader):
		if looks && n.Vote.Round > e.round && newerSeen(e.view) != nil {
			// One that a reconfiguration is about to make a voter has no candidate of its own, and hears nothing of an earlier round.
			e.catchUp(n.Vote.Round, now)
		}
	case looks:
		e.proposal(from, n.Vote, now)
	case n.State != Observing:
		e.claimed(from, claim{n.Vote, n.State, n.Version})
	}
}

// outdone tells whether a notification takes a decision for this server back: a voter that could be one of its followers looks, and
// proposes a third one that is better. An election that decides without waiting for servers that cannot be reached yet may come to
// that: they come, and one that voted with this server goes over to them. Without a quorum this server would wait for it in vain, all of
// initLimit. A better one that comes alone is no reason: it will follow.
func (e *election) outdone(from ensemble.SID, n *Notification) bool {
	return n.State == Looking && n.Vote.Leader != from && n.Vote.Round >= e.vote.Round && e.votes(from) && e.votes(n.Vote.Leader) &&
		e.better(n.Vote, e.vote)
}

// newConfig tells whether a notification says that other servers vote than those that this election asks. Then it is not counted:
// the Core adopts that configuration, and the election begins anew. A newer version of the same members is adopted beside.
func (e *election) newConfig(n *Notification) bool {
	c := n.Config
	if !e.o.Reconfig || e.state != Looking || n.Version <= 1 || c == nil || c.Version <= e.view.Committed.Version {
		return false
	}
	if e.adopt == nil || c.Version > e.adopt.Version {
		e.adopt = c
	}
	return !alike(c, e.view.Committed)
}

// answer tells a peer something while it may answer that again. Two servers that look, and of which one does not count the other as
// a voter, would go on so at the speed of the network; what was said just now is not said again. Half the interval, so that the
// question is answered when it is repeated.
func (e *election) answer(to ensemble.SID, v Vote, now int64) {
	if e.state == Looking {
		if a, ok := e.answered[to]; ok && a.vote == v && now-a.at < cmp.Or(e.o.MinNotification, 200)/2 {
			return
		}
		if len(e.answered) >= maxAnswered {
			clear(e.answered) // sids of strangers are only numbers
		}
		e.answered[to] = answer{v, now}
	}
	e.tell(to, v)
}

// maxAnswered is how many answers are remembered.
const maxAnswered = 1024

// tell puts a notification into a peer's place, of which it has one.
func (e *election) tell(to ensemble.SID, v Vote) {
	n := Notify{to, Notification{State: e.state, Vote: v, Version: 2, Config: e.view.Committed}}
	for i := range e.notify {
		if e.notify[i].To == to {
			e.notify[i] = n
			return
		}
	}
	e.notify = append(e.notify, n)
}

// broadcast tells every other voter the proposal, and again after the interval.
func (e *election) broadcast(now int64) {
	for _, id := range e.voters {
		if id != e.o.SID {
			e.tell(id, e.proposed)
		}
	}
	e.repeat = now + e.interval
}
