package sim

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/zab"
)

// nemesis makes faults happen, and knows which are going on.
type nemesis struct {
	w       *world
	tally   map[Fault]int
	ended   bool // no more faults
	loss    int  // how many windows of it are open
	repeat  int
	delayed int
	slowed  map[ensemble.SID]int
	cuts    []*cut // partitions that are going on
	keep    map[ensemble.SID]bool
}

// cut is a partition, by what it blocks.
type cut struct{ pairs [][2]ensemble.SID }

func (n *nemesis) init(w *world) {
	n.w, n.tally, n.slowed = w, map[Fault]int{}, map[ensemble.SID]int{}
}

// latency is how long something takes on the network, µs.
func (n *nemesis) latency(p *pipe) int64 {
	t := n.w.between(60, 600)
	if p != nil {
		t += p.slow
	}
	if n.delayed > 0 && n.w.chance(4) {
		t += n.w.between(0, 500_000)
	}
	return t
}

// slow is a new link's pace.
func (n *nemesis) slow() int64 { return n.w.between(0, 300) }

// late is how long it takes until somebody finds out that a link is no more, µs.
func (n *nemesis) late() int64 {
	if n.w.chance(4) {
		return n.w.between(0, 3_000_000)
	}
	return n.w.between(0, 20_000)
}

func (n *nemesis) loses() bool   { return n.loss > 0 && n.w.chance(2) }
func (n *nemesis) repeats() bool { return n.repeat > 0 && n.w.chance(2) }

// diskTime is how long an operation takes, µs.
func (n *nemesis) diskTime(s *server) int64 {
	t := n.w.between(100, 2500)
	if n.slowed[s.sid] > 0 {
		t *= 100
	}
	return t
}

// haunt makes something happen now and then.
func (n *nemesis) haunt() {
	w := n.w
	if len(w.Faults) == 0 {
		return
	}
	w.after(w.between(1000, 2000*w.Gap), func() {
		if n.ended {
			return
		}
		n.strike(w.Faults[w.rng.IntN(len(w.Faults))])
		n.haunt()
	})
}

// window begins something that ends by itself.
func (n *nemesis) window(least, most int64, counter *int) {
	*counter++
	n.w.after(n.w.between(least, most)*1000, func() { *counter-- })
}

// some gives a random server that runs, nil if it is none.
func (n *nemesis) some() *server {
	s := n.w.servers[n.w.rng.IntN(len(n.w.servers))]
	if s.rep == nil {
		return nil
	}
	return s
}

// strike lets a fault happen, if it can.
func (n *nemesis) strike(f Fault) {
	w := n.w
	s := n.some()
	switch f {
	case MessageLoss:
		n.window(100, 2000, &n.loss)
	case MessageRepeat:
		n.window(100, 2000, &n.repeat)
	case Delay:
		n.window(100, 1500, &n.delayed)
	case Reorder:
		for _, p := range w.net.pipes {
			p.slow = w.between(0, 20_000)
		}
	case Partition:
		if len(w.servers) < 2 {
			return
		}
		var c cut
		side := make([]bool, len(w.servers))
		for i := range side {
			side[i] = w.chance(2)
		}
		for _, a := range w.servers {
			for _, b := range w.servers {
				if side[a.sid-1] != side[b.sid-1] {
					c.pairs = append(c.pairs, pair(a, b))
				}
			}
		}
		n.partition(&c)
	case OneWay:
		if len(w.servers) < 2 {
			return
		}
		a := w.rng.IntN(len(w.servers))
		b := (a + 1 + w.rng.IntN(len(w.servers)-1)) % len(w.servers)
		n.partition(&cut{[][2]ensemble.SID{pair(w.servers[a], w.servers[b])}})
	case LeaderIsolation:
		var c cut
		for _, a := range w.servers {
			if a.role.State == zab.Leading {
				for _, b := range w.servers {
					if a != b {
						c.pairs = append(c.pairs, pair(a, b), pair(b, a))
					}
				}
				break
			}
		}
		if len(c.pairs) == 0 {
			return
		}
		n.partition(&c)
	case LinkReset:
		if len(w.net.pipes) == 0 {
			return
		}
		p := w.net.pipes[w.rng.IntN(len(w.net.pipes))]
		w.note("reset %d-%d", p.ends[0].sid, p.ends[1].sid)
		w.net.reset(p)
	case Crash:
		if s == nil {
			return
		}
		s.crash("power")
		n.restart(s)
	case CrashInEffect, TornWrite:
		if s == nil {
			return
		}
		tear := w.rng
		if f == CrashInEffect {
			tear = nil
		}
		s.fs.CrashAfter(w.rng.IntN(12), tear)
	case SlowDisk:
		if s == nil {
			return
		}
		sid := s.sid
		n.slowed[sid]++
		w.after(w.between(100, 3000)*1000, func() { n.slowed[sid]-- })
	case FullDisk, FailingDisk:
		if s == nil {
			return
		}
		fs := s.fs
		switch {
		case f == FullDisk:
			fs.SetSpace(w.between(0, 3000))
		case w.chance(2):
			fs.Add(vfs.Fault{Op: vfs.OpSync, Times: 1 + w.rng.IntN(3), Lose: true, LoseRand: w.rng})
		default:
			fs.Add(vfs.Fault{Op: vfs.OpWrite, Times: 1 + w.rng.IntN(2), Short: w.rng.IntN(300)})
		}
		w.after(w.between(50, 2500)*1000, fs.Clear)
	case ClockJump:
		if s == nil {
			return
		}
		s.skew += w.between(-600_000, 600_000)
	case Pause:
		if s == nil || s.paused {
			return
		}
		s.paused = true
		life := s.life
		w.after(w.between(10, 3000)*1000, func() {
			if s.life == life && s.paused {
				w.note("%d goes on", s.sid)
				s.resume()
			}
		})
	case RollingRestart:
		at := int64(0)
		for _, s := range w.servers {
			at += w.between(50_000, 600_000)
			w.after(at, func() {
				if !n.ended && s.rep != nil && !s.paused {
					s.leave()
					n.restart(s)
				}
			})
		}
	case Blackout:
		n.blackout()
	case Reconfiguration:
		if !n.reconfigure() {
			return
		}
	case ClientDrop:
		if len(w.clients) == 0 {
			w.dropGuest()
			break
		}
		c := w.clients[w.rng.IntN(len(w.clients))]
		if c.conn == nil {
			return
		}
		c.conn.cut()
	}
	n.tally[f]++
	if s != nil {
		w.note("fault %s, perhaps of %d", f, s.sid)
	} else {
		w.note("fault %s", f)
	}
}

// restart starts a server again after a while.
func (n *nemesis) restart(s *server) {
	least, most := int64(1), int64(2_000)
	if n.ended {
		most = 100
	}
	n.w.after(n.w.between(least, most)*1000, func() {
		if s.rep != nil || n.keep != nil && !n.keep[s.sid] {
			return
		}
		// It became a member while it was down, and has heard before of a configuration without it; or it was removed, and is needed
		// once more because nobody else knows of that.
		for _, g := range append(n.w.pending(), n.w.history.head(), &ensemble.Config{Members: []ensemble.Member{s.place}}) {
			if m, member := g.Member(s.sid); member && !s.listed() && (n.keep != nil || g == n.w.history.head()) {
				n.invite(s, m)
				return
			}
		}
		if m, member := n.w.history.head().Member(s.sid); member && n.keep != nil && n.astray(s) {
			n.invite(s, m)
			return
		}
		s.start()
	})
}

// astray tells that of all whom a server would ask nobody is left, while the ensemble serves: they have left it while this one was down. An
// operator has to tell it who is there now.
func (n *nemesis) astray(s *server) bool {
	head := n.w.history.head().Voters()
	for _, sid := range head {
		if !n.keep[sid] || sid == s.sid && len(head) == 1 {
			return false // it may be needed before anybody serves
		}
	}
	c := s.current()
	for _, g := range []*ensemble.Config{c.Committed, c.LastSeen} {
		for _, sid := range g.Voters() {
			if sid != s.sid && n.keep[sid] {
				return false
			}
		}
	}
	return true
}

// crashed is the end of a server whose disk has said so.
func (n *nemesis) crashed(s *server) {
	s.crash("at an effect on the disk")
	n.restart(s)
}

func (n *nemesis) partition(c *cut) {
	for _, p := range c.pairs {
		n.w.net.blocked[p]++
		n.w.note("blocked %d>%d", p[0], p[1])
	}
	n.cuts = append(n.cuts, c)
	for _, p := range c.pairs {
		if n.w.chance(2) {
			n.w.net.meet(n.w.server(p[0]), n.w.server(p[1]), false)
		}
	}
	most := int64(4000)
	if n.w.ReadOnly {
		most = 8000 // so long that who is left alone gives up hope
	}
	n.w.after(n.w.between(100, most)*1000, func() { n.mend(c) })
}

// mend ends a partition.
func (n *nemesis) mend(c *cut) {
	for _, p := range c.pairs {
		n.w.net.blocked[p]--
	}
	for _, p := range c.pairs {
		a, b := n.w.server(p[0]), n.w.server(p[1])
		if a.rep != nil && b.rep != nil && !n.w.net.apart(a, b) && (a.knows(b) || b.knows(a)) {
			n.w.net.meet(a, b, true)
		}
	}
	c.pairs = nil
}

// heal ends all faults for some servers, and keeps the others down.
func (n *nemesis) heal(keep map[ensemble.SID]bool) {
	n.ended, n.keep = true, keep
	n.loss, n.repeat, n.delayed = 0, 0, 0
	clear(n.slowed)
	for _, c := range n.cuts {
		n.mend(c)
	}
	for _, p := range n.w.net.pipes {
		p.slow = 0
	}
	for _, s := range n.w.servers {
		if s.rep != nil {
			s.fs.Clear()
		}
		switch {
		case !keep[s.sid]:
			if s.rep != nil {
				s.crash("kept down")
			}
		case s.rep == nil:
			n.restart(s)
		case s.paused:
			s.resume()
		}
	}
}
