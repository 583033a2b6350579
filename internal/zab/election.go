package zab

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/zk"
)

// election is fast leader election (section 3): it keeps answering peers in every state, and between begin and its decision looks
// for a leader. It gives hints only; safety is discovery's and synchronization's.
//
// A server proposes itself, and whoever hears of a better candidate proposes that one instead. When a quorum proposes the same,
// it waits a little (it settles) for a vote that is better still, and decides. A server that comes late is not voted with: it is
// told who leads, and believes that if a quorum says so and the leader, too.
//
//	begin --> looking --quorum of proposals--> settling --nothing better can come, or has come--> decided
//	             ^  |                             |                                                  ^
//	             |  '--quorum of claims, the leader's own among them-----------------------------------'
//	             '------------a better vote-------'
//
// Who is heard and answered is in notification.go; what counts as equal, and as a quorum, in vote.go.
type election struct {
	o       *Options
	view    Configs
	state   State // what peers are told
	vote    Vote  // the current vote: of the last decision, or as replaced since
	notify  []Notify
	decided *Vote            // set once by a decision; the Core takes it
	adopt   *ensemble.Config // a newer committed configuration that a peer told of while looking; the Core takes it

	voters []ensemble.SID // of the configurations of the view together, rising
	down   map[ensemble.SID]bool
	led    bool  // vote is of a decision, or was given by become
	round  int64 // the logical clock; a new process begins at 1 and learns higher ones from its peers

	last     Vote   // zxid and epoch that begin was given
	own      Vote   // the vote that this run began with
	proposed Vote   // Round is always the round
	received claims // of this round, with this server's own
	outside  claims // of those that follow or lead, of any round
	answered map[ensemble.SID]answer
	early    map[ensemble.SID]proposed // what peers proposed while this server did not look
	interval int64                     // until the proposal is repeated
	repeat   int64                     // when
	settled  int64                     // when the proposal that has a quorum is decided; far away while none has
}

// newElection makes an election that has not begun.
func newElection(o *Options, view Configs) *election {
	e := &election{
		o: o, down: map[ensemble.SID]bool{}, received: claims{}, outside: claims{}, answered: map[ensemble.SID]answer{},
		early: map[ensemble.SID]proposed{}, repeat: math.MaxInt64, settled: math.MaxInt64,
	}
	e.see(view)
	return e
}

func (e *election) see(view Configs) {
	e.view, e.voters = view, nil
	for _, c := range []*ensemble.Config{view.Committed, view.LastSeen} {
		if c == nil {
			continue
		}
		for _, m := range c.Members {
			if !m.Observer {
				e.voters = append(e.voters, m.ID)
			}
		}
	}
	slices.Sort(e.voters)
	e.voters = slices.Compact(e.voters)
}

// votes tells whether a server is a voter of one of the configurations.
func (e *election) votes(id ensemble.SID) bool {
	_, ok := slices.BinarySearch(e.voters, id)
	return ok
}

// begin starts to look. own.Zxid and own.Epoch are this server's last logged zxid and currentEpoch; whether it votes, and what it
// says if it does not, the election takes from the configuration. The round is the election's. A server that is the only voter
// has decided when begin returns.
func (e *election) begin(own Vote, now int64) {
	e.last = own
	if !e.led {
		e.vote = Vote{Leader: e.o.SID, Zxid: own.Zxid, Epoch: own.Epoch}
	}
	e.state, e.decided, e.adopt = Looking, nil, nil
	e.round++
	e.own = e.initial()
	e.interval = cmp.Or(e.o.MinNotification, 200)
	e.forget()
	interval := e.interval
	e.propose(e.own, now)
	for _, id := range e.voters {
		if p, ok := e.early[id]; ok && now-p.at < interval {
			e.heard(id, &p.Notification, now)
		}
	}
	clear(e.early)
	if e.state == Looking {
		e.count(now)
	}
}

// proposed is what a peer that looks proposed, and when.
type proposed struct {
	Notification
	at int64
}

// keep keeps what a voter proposes while this server does not look, for the case that it is about to: the peers of a leader that is
// gone do not notice that at the same instant, nor is everybody's disk ready then. Who proposed it does not say it again before its
// interval has passed; so long it is as good as new.
func (e *election) keep(from ensemble.SID, n *Notification, now int64) {
	if n.State == Looking && e.votes(from) {
		e.early[from] = proposed{*n, now}
	}
}

// initial is the vote that a server begins with: for itself, if it is a voter of the committed configuration. A server that is
// about to join, or was removed, has no candidate yet; an observer says nothing at all (section 3.2).
func (e *election) initial() Vote {
	m, member := e.view.Committed.Member(e.o.SID)
	switch {
	case !member:
		return Vote{Leader: ensemble.NoSID, Zxid: e.last.Zxid, Epoch: e.last.Epoch}
	case m.Observer:
		return Vote{Leader: ensemble.NoSID, Zxid: zk.Zxid(math.MinInt64), Epoch: math.MinInt64}
	}
	return Vote{Leader: e.o.SID, Zxid: e.last.Zxid, Epoch: e.last.Epoch}
}

// forget empties what belongs to one run.
func (e *election) forget() {
	clear(e.received)
	clear(e.outside)
	clear(e.answered)
	e.repeat, e.settled = math.MaxInt64, math.MaxInt64
}

// propose makes a vote the proposal, counts it, and tells everybody. Apache sends its own vote to itself; here that is one line, and
// it is left out where Apache would drop the vote on arrival.
func (e *election) propose(v Vote, now int64) {
	v.Round = e.round
	e.proposed = v
	e.settled = math.MaxInt64
	if e.votes(e.o.SID) && e.votes(v.Leader) && e.own.Zxid != noDatabase {
		e.received[e.o.SID] = claim{Vote: v}
	}
	if !e.view.Committed.Votes(e.o.SID) {
		// Whom only a pending change makes a voter does not count votes: it is told who leads when it asks again, and that has to be while the
		// leader still waits for it.
		e.interval = cmp.Or(e.o.MinNotification, 200)
	}
	e.broadcast(now)
}

// noDatabase is the zxid of a server that has no database and was told not to make one. It neither votes nor is heard.
const noDatabase zk.Zxid = -1

// better tells whether a vote should take the place of another. Who has weight 0 is never proposed to anybody, and gives way to whoever has
// not: Apache's keeps its own vote where that is newer, and a configuration on its way in which it has a weight may need just that vote. Nor does who
// has no candidate hold its own log against any: it votes in a configuration on its way alone, and what is
// committed is with a quorum of the committed one, whose voters compare their logs themselves.
func (e *election) better(v, w Vote) bool {
	return e.counts(v.Leader) && (w.Leader == ensemble.NoSID || v.beats(w) || !e.counts(w.Leader))
}

// counts tells whether a server has a weight.
func (e *election) counts(id ensemble.SID) bool {
	c := e.view.Committed
	if !c.Votes(id) && e.view.LastSeen != nil {
		c = e.view.LastSeen
	}
	return c.Weight(id) != 0
}

// proposal takes a peer's proposal.
func (e *election) proposal(from ensemble.SID, v Vote, now int64) {
	if e.own.Zxid == noDatabase || v.Zxid == noDatabase {
		return
	}
	switch {
	case v.Round > e.round:
		e.round = v.Round
		clear(e.received)
		if e.better(v, e.own) {
			e.propose(v, now)
		} else {
			e.propose(e.own, now)
		}
	case v.Round < e.round:
		return // it was answered
	case e.better(v, e.proposed):
		e.propose(v, now)
	}
	e.received[from] = claim{Vote: v}
	e.count(now)
}

// catchUp begins a later round, which a voter is in that has no candidate. Apache's servers stay behind, and if that one's vote is needed
// there is no decision.
func (e *election) catchUp(round, now int64) {
	if e.own.Zxid == noDatabase {
		return
	}
	e.round = round
	clear(e.received)
	e.propose(e.own, now)
	e.count(now)
}

// count looks whether the proposal has a quorum, and decides when no better vote is to be expected.
//
// A server that does not vote is answered by Apache's, while they look, with the leader they had before, so it waits for claims instead.
func (e *election) count(now int64) {
	if !e.votes(e.o.SID) || !e.received.quorum(e.view, claim{Vote: e.proposed}) {
		e.settled = math.MaxInt64
		return
	}
	if e.settled == math.MaxInt64 {
		e.settled = now + cmp.Or(e.o.Settle, 200)
	}
	if now >= e.settled || e.complete() {
		e.decide(e.proposed)
	}
}

// complete tells whether every voter has voted in this round or cannot be reached. The proposal is the best of all that was
// received, and nobody's own vote is better than the one it passed on: so nothing better can come, and to wait is idle.
func (e *election) complete() bool {
	for _, id := range e.voters {
		if _, ok := e.received[id]; !ok && !e.down[id] {
			return false
		}
	}
	return true
}

// claimed takes what a peer that follows or leads says.
func (e *election) claimed(from ensemble.SID, c claim) {
	elected := func(s claims) bool {
		if c.Leader == e.o.SID { // others still follow this server: true only of the round that they elected it in
			return s.quorum(e.view, c) && c.Round == e.round
		}
		return s.support(e.view, c) && s.leads(c.Leader)
	}
	if c.Round == e.round {
		// Apache keeps these without the format's version, so that among them only the leader is compared: some have raised
		// their vote to the new epoch and others are about to.
		e.received[from] = claim{Vote: c.Vote, state: c.state}
		if elected(e.received) {
			e.decide(c.Vote)
			return
		}
	}
	e.outside[from] = c
	if elected(e.outside) {
		e.round = c.Round
		e.decide(c.Vote)
	}
}

func (e *election) decide(v Vote) {
	e.vote, e.led, e.decided = v, true, &v
	m, _ := e.view.Committed.Member(e.o.SID)
	switch {
	case v.Leader == e.o.SID:
		e.state = Leading
	case m.Observer:
		e.state = Observing
	default:
		e.state = Following
	}
	e.forget()
}

// connected says whether a peer can be reached. An election need not wait for the better vote of one that cannot; and one that
// again can has perhaps missed the proposal.
func (e *election) connected(sid ensemble.SID, up bool, now int64) {
	delete(e.answered, sid)
	delete(e.early, sid)
	if up {
		delete(e.down, sid)
	} else {
		e.down[sid] = true
	}
	switch {
	case e.state != Looking:
	case up && sid != e.o.SID && e.votes(sid):
		e.tell(sid, e.proposed)
	case !up && e.settled != math.MaxInt64:
		e.count(now)
	}
}

// timer is called when the deadline has passed, or earlier.
func (e *election) timer(now int64) {
	switch {
	case e.state != Looking || now < e.deadline():
	case e.settled != math.MaxInt64:
		e.count(now)
	default:
		e.interval = min(2*e.interval, max(cmp.Or(e.o.MaxNotification, 60000), e.interval))
		e.broadcast(now)
	}
}

// deadline is when timer is due: far away while not looking. While it settles, nothing is repeated.
func (e *election) deadline() int64 {
	if e.state != Looking {
		return math.MaxInt64
	}
	if e.settled != math.MaxInt64 {
		return e.settled
	}
	return e.repeat
}

// become says what the server has become, for the answers to peers: state and the vote with the new epoch. Late joiners need
// that epoch to find a quorum of equal claims.
func (e *election) become(s State, v Vote) {
	e.state, e.vote, e.led = s, v, true
	if s != Looking {
		e.forget()
	}
}

// reconfigured says that the configurations have changed. Whoever looks begins anew, unless those who vote, and how much, are still
// the same: of a new version or address an election takes no notice.
func (e *election) reconfigured(view Configs, now int64) {
	old := e.view
	e.see(view)
	e.adopt = nil
	if e.state == Looking && !(alike(old.Committed, view.Committed) && alike(newerSeen(old), newerSeen(view))) {
		e.led = false // the leader of another configuration is nobody's
		e.begin(e.last, now)
	}
}

// alike tells whether two configurations have the same members in the same parts.
func alike(a, b *ensemble.Config) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	return slices.EqualFunc(a.Members, b.Members, func(m, n ensemble.Member) bool { return m.ID == n.ID && m.Observer == n.Observer }) &&
		maps.Equal(a.Weights, b.Weights) &&
		maps.EqualFunc(a.Groups, b.Groups, func(x, y []ensemble.SID) bool { return slices.Equal(x, y) })
}
