package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
)

// reconfigure is what an operator does who changes the ensemble: the servers that are to come are started first, the change is asked for
// over a client, and who has left is stopped some time later. Often something goes wrong in the middle. It tells whether there was
// anything to change.
func (n *nemesis) reconfigure() bool {
	w := n.w
	op, late := n.change()
	if op == nil {
		return false
	}
	w.after(late, func() { n.order(op) })
	if w.chance(3) { // a second one, perhaps before the first is decided
		w.after(late+w.between(0, 60_000), func() {
			if op, _ := n.change(); op != nil {
				n.order(op)
			}
		})
	}
	if w.chance(2) {
		w.after(late+w.between(0, 30_000), n.mishap)
	}
	w.after(late+w.between(200, 3000)*1000, n.dismiss)
	return true
}

// order asks for a change, if a client can.
func (n *nemesis) order(op *wire.Reconfig) {
	w := n.w
	for _, i := range w.rng.Perm(len(w.clients)) {
		if c := w.clients[i]; !n.ended && c.conn != nil && c.conn.ready && c.conn.spell == nil && c.session != 0 && !c.done {
			w.note("client %d asks for the change %+v", c.id, *op)
			c.ask(&call{op: op})
			return
		}
	}
}

// change thinks of one, and of how long it takes until it can be asked for, µs.
func (n *nemesis) change() (op *wire.Reconfig, late int64) {
	w := n.w
	g := w.history.head()
	var joining, leaving []string
	voters := g.Voters()
	join := func() {
		var spare []*server
		for _, s := range w.servers {
			if _, member := g.Member(s.sid); !member {
				spare = append(spare, s)
			}
		}
		if len(spare) == 0 {
			return
		}
		s := spare[w.rng.IntN(len(spare))]
		m := newMember(s.sid, w.chance(2))
		n.invite(s, m)
		joining = append(joining, line(m))
		late = w.between(0, 2500) * 1000
	}
	leave := func(sid ensemble.SID) {
		if m, _ := g.Member(sid); m.Observer || len(voters) > 1 {
			leaving = append(leaving, fmt.Sprint(sid))
		}
	}
	turn := func(m ensemble.Member) {
		if m.Observer || len(voters) > 1 {
			m.Observer = !m.Observer
			joining = append(joining, line(m))
		}
	}
	some := g.Members[w.rng.IntN(len(g.Members))]
	leader := some.ID
	for _, m := range g.Members {
		if w.server(m.ID).role.State == zab.Leading {
			leader = m.ID
		}
	}
	switch w.rng.IntN(9) {
	case 0, 1, 2:
		join()
	case 3:
		leave(some.ID)
	case 4:
		leave(leader)
	case 5:
		turn(some)
	case 6: // who leads no longer votes
		m, _ := g.Member(leader)
		turn(m)
	case 7: // another quorum port
		m := some
		m.Peers = slices.Clone(m.Peers)
		m.Peers[0].QuorumPort = 2000 + w.rng.IntN(800)
		joining = append(joining, line(m))
	case 8:
		join()
		leave(some.ID)
	}
	if len(joining)+len(leaving) == 0 {
		return nil, 0
	}
	op = &wire.Reconfig{Joining: strings.Join(joining, ","), Leaving: strings.Join(leaving, ","), MembersNull: true, CurConfigID: -1}
	if g.Hierarchical() || w.chance(8) {
		if op = n.whole(g, op); op == nil {
			return nil, 0
		}
	}
	if w.chance(4) {
		op.CurConfigID = int64(g.Version)
	}
	return op, late
}

// whole is a change as a whole configuration, which is the only way where there are groups, to make some, and to be rid of them. nil: the
// voters that are left would be no quorum.
func (n *nemesis) whole(g *ensemble.Config, op *wire.Reconfig) *wire.Reconfig {
	plain := *g
	plain.Groups, plain.Weights = nil, nil
	next, err := plain.Reconfigure(ensemble.Change{Joining: op.Joining, Leaving: op.Leaving, From: -1}, 0, ensemble.Rules{})
	if err != nil {
		return nil
	}
	switch {
	case n.w.chance(4):
		group(next, n.w.rng)
	case g.Hierarchical() && !n.w.chance(4):
		next.Groups, next.Weights = g.Groups, g.Weights
		if !regroup(next, n.w.rng) {
			return nil
		}
	}
	return &wire.Reconfig{JoiningNull: true, LeavingNull: true, Members: next.File(), CurConfigID: -1}
}

func line(m ensemble.Member) string { return fmt.Sprintf("server.%d=%s", m.ID, m) }

// invite starts a server that is to join. Its zoo.cfg has the lines of the present members and its own. Its disk is empty, or, if it was
// a member before, as it left it: whoever forgets what it has promised may not come back.
func (n *nemesis) invite(s *server, m ensemble.Member) {
	if s.rep != nil {
		return // it has not been stopped since it left
	}
	g := *n.w.history.head()
	g.Members = append(slices.DeleteFunc(slices.Clone(g.Members), func(o ensemble.Member) bool { return o.ID == m.ID }), m)
	slices.SortFunc(g.Members, func(a, b ensemble.Member) int { return int(a.ID - b.ID) })
	s.kept.committed = g.At(0) // what was proposed and is not decided is in a file of its own
	n.w.check.rewritten(s)
	s.start()
}

// dismiss stops servers that are no members any more, once the ensemble serves without them.
func (n *nemesis) dismiss() {
	head := n.w.history.head()
	if n.ended || !head.Quorum(func(sid ensemble.SID) bool {
		s := n.w.server(sid)
		return s.role.Serving && s.core.Configs().Committed.Version >= head.Version
	}) {
		return
	}
	for _, s := range n.w.servers {
		if _, member := n.w.history.head().Member(s.sid); !member && s.rep != nil && !s.paused && n.w.chance(2) {
			s.leave()
		}
	}
}

// mishap is something that goes wrong while a change is under way.
func (n *nemesis) mishap() {
	w := n.w
	if n.ended {
		return
	}
	switch w.rng.IntN(4) {
	case 0:
		n.blackout()
	case 1:
		for _, s := range w.servers {
			if s.role.State == zab.Leading {
				s.crash("power, while it leads a change")
				n.restart(s)
				return
			}
		}
	case 2:
		n.strike(Partition)
	case 3:
		n.strike(LeaderIsolation)
	}
}

// blackout takes the power from all.
func (n *nemesis) blackout() {
	for _, s := range n.w.servers {
		if s.rep == nil {
			continue
		}
		n.w.after(n.w.between(0, 5_000), func() {
			if s.rep != nil && !n.ended {
				s.crash("power, like all others")
				n.restart(s)
			}
		})
	}
}
