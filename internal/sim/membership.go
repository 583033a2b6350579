package sim

import (
	"fmt"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/zab"
)

// membership is what a server keeps of the configurations, and where it listens: dynamic and places of package server.
type membership struct {
	// The dynamic files, as a start would find them: what zoo.cfg names, and what was proposed and is not decided, if anything is. They
	// are on a disk of their own: where they cannot be written a server goes on, as Apache's does, and nothing is promised.
	kept struct{ committed, next *ensemble.Config }

	view, past zab.Configs // that the driver was told last, and before that
	place      ensemble.Member
	port       int  // of the quorum port, 0 while it is closed
	master     bool // its port for observers is open
	tried      int  // which master an observer tries first
}

func newMember(sid ensemble.SID, observer bool) ensemble.Member {
	host := fmt.Sprintf("h%d", sid)
	return ensemble.Member{ID: sid, Observer: observer, Peers: []ensemble.Addr{{Host: host, QuorumPort: 2888, ElectionPort: 3888}}, ClientAddr: host + ":2181"}
}

// listed tells whether a server is in its own list, without which it does not start.
func (s *server) listed() bool {
	_, ok := s.kept.committed.Member(s.sid)
	return ok
}

// configs are the configurations that a start begins with.
func (s *server) configs() zab.Configs {
	c := zab.Configs{Committed: s.kept.committed, LastSeen: s.kept.committed}
	if g := s.kept.next; g != nil && g.Version > c.Committed.Version {
		if c.LastSeen = g; s.w.plant == HastyConfig {
			c.Committed = g
		}
	}
	return c
}

// see is what member.carryOut does with new configurations, but for the files.
func (s *server) see(c zab.Configs) {
	s.past, s.view = s.view, c
	if m, ok := c.Committed.Member(s.sid); ok {
		if s.place = m; s.port != 0 {
			s.port = m.Peers[0].QuorumPort
		}
	}
}

// keep writes the files, one after the other, each whole or not at all, as server.dynamic does. Then the disk goes on.
func (s *server) keep(c *zab.Configs) {
	var steps []func()
	if seen := c.LastSeen; seen.Version > c.Committed.Version && (s.kept.next == nil || s.kept.next.Version != seen.Version) {
		steps = append(steps, func() { s.kept.next = seen })
	}
	if c.Committed.Version > s.kept.committed.Version {
		steps = append(steps, func() {
			if s.w.plant != ForgottenConfig {
				s.kept.committed = c.Committed
			}
			s.w.check.highest[s.sid] = c.Committed.Version
		})
	}
	if c.LastSeen.Version <= c.Committed.Version {
		steps = append(steps, func() { s.kept.next = nil })
	}
	var next func()
	next = func() {
		if len(steps) > 0 {
			steps[0]()
			steps = steps[1:]
			s.after(s.w.nemesis.diskTime(s), next)
			return
		}
		s.disk.ops = s.disk.ops[1:]
		s.disk.busy = false
		s.turn()
	}
	next()
}

// listen opens and closes the port for learners with the role, as member.become does: a leader's quorum port, and a serving follower's
// for observers.
func (s *server) listen() {
	s.master = s.w.Masters && s.role.State == zab.Following && s.role.Serving
	switch {
	case s.role.State != zab.Leading:
		s.port = 0
	case !s.role.Serving && s.port == 0:
		s.port = s.place.Peers[0].QuorumPort
	}
}

// masters is member.masters: to whom an observer may go in the leader's place, beginning with another each time.
func (s *server) masters(leader ensemble.SID) (list []ensemble.SID) {
	if !s.w.Masters || s.role.State != zab.Observing {
		return nil
	}
	for _, m := range s.view.Committed.Members {
		if !m.Observer && m.ID != leader {
			list = append(list, m.ID)
		}
	}
	if n := len(list); n > 0 {
		s.tried++
		list = slices.Concat(list[s.tried%n:], list[:s.tried%n])
	}
	return list
}

// admits tells whether a server would be taken in as a learner by another.
func (o *server) admits(s *server, leader ensemble.SID) bool {
	if o.sid != leader {
		return o.master
	}
	return o.port != 0 && o.port == s.portOf(leader) // only a leader's port is open
}

// portOf is where a leader has its quorum port as far as a server knows, 0 if it knows nothing.
func (s *server) portOf(leader ensemble.SID) int {
	m, ok := s.view.Committed.Member(leader)
	if !ok {
		return 0
	}
	return m.Peers[0].QuorumPort
}

// knows tells whether a server has another's address for elections, and knew whether it had it before the last change.
func (s *server) knows(o *server) bool { return lists(s.view, o.sid) }
func (s *server) knew(o *server) bool  { return lists(s.past, o.sid) }

func lists(c zab.Configs, sid ensemble.SID) bool {
	for _, g := range []*ensemble.Config{c.Committed, c.LastSeen} {
		if g == nil {
			continue
		}
		if _, ok := g.Member(sid); ok {
			return true
		}
	}
	return false
}

// voter tells whether another votes, as far as a server knows.
func (s *server) voter(sid ensemble.SID) bool {
	c := s.core.Configs()
	return c.Committed.Votes(sid) || c.LastSeen.Votes(sid)
}

// running are the servers that run.
func (w *world) running() (list []*server) {
	for _, s := range w.servers {
		if s.rep != nil {
			list = append(list, s)
		}
	}
	return list
}

// current are the configurations of a server that runs, or that it would start with: those of its files, and the last change in its log, if
// that is newer (zab's recall).
func (s *server) current() zab.Configs {
	if s.rep != nil {
		return s.core.Configs()
	}
	c := s.configs()
	if g := s.durable.change(); g != nil && g.Version > c.LastSeen.Version {
		c.LastSeen = g
	}
	return c
}

// pending are configurations that were proposed behind the last committed one, and that a server has seen.
func (w *world) pending() (list []*ensemble.Config) {
	for _, s := range w.servers {
		if g := s.current().LastSeen; w.isPending(g) {
			list = append(list, g)
		}
	}
	return list
}

func (w *world) isPending(g *ensemble.Config) bool {
	return g.Version > w.history.head().Version && g.Version.Counter() != 0
}

// quorum draws servers that can go on: a quorum of the last committed configuration, and of whatever was proposed behind it and may be in
// somebody's files. One of them has to know that the last one is committed, and tells the others; if nobody does who can start, then
// what they know has to have its quorum, too.
func (w *world) quorum() map[ensemble.SID]bool {
	head := w.history.head()
	needs := append([]*ensemble.Config{head}, w.pending()...)
	keep := map[ensemble.SID]bool{}
	order := w.rng.Perm(len(w.servers))
	fill := func() {
		met := func() bool {
			for _, g := range needs {
				if !g.Quorum(func(sid ensemble.SID) bool { return keep[sid] }) {
					return false
				}
			}
			return true
		}
		for _, i := range order {
			for _, g := range needs {
				if sid := w.servers[i].sid; !met() && g.Votes(sid) {
					keep[sid] = true
				}
			}
		}
	}
	fill()
	knows := func(s *server) bool {
		return s.current().Committed.Version >= head.Version && (s.rep != nil || s.listed())
	}
	for _, s := range w.servers {
		if keep[s.sid] && knows(s) {
			return keep
		}
	}
	for _, i := range order {
		if s := w.servers[i]; knows(s) {
			keep[s.sid] = true
			return keep
		}
	}
	for _, s := range w.servers {
		if keep[s.sid] {
			needs = append(needs, s.current().Committed)
		}
	}
	fill()
	return keep
}
