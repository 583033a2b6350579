package sim

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Ensemble is the servers of a run, with their disks, their network and their faults, and without the clients: those are its
// driver's, and so is the clock. What the checkers see of servers they look at as in any run. Its methods are called one at a
// time; times are µs from its beginning, and never fall. After a Failure nothing happens any more.
type Ensemble struct {
	w       *world
	guests  int
	failure *Failure
}

// NewEnsemble starts the servers of a seed.
func NewEnsemble(o Options) *Ensemble {
	p := draw(o.Seed, o.Faults)
	p.Clients, p.Minds, p.Compression, p.Local = 0, 0, "", false // a guest wants the ensemble to know its session
	if o.Gap > 0 {
		p.Gap = o.Gap
	}
	w := newWorld(p, o)
	w.trace.each = o.Trace
	for _, m := range w.first.Members { // the others come with a reconfiguration
		w.after(w.between(0, 100_000), w.server(m.ID).start)
	}
	w.nemesis.haunt()
	return &Ensemble{w: w}
}

// Params are what was drawn.
func (e *Ensemble) Params() Params { return e.w.Params }

// Faults tells how often each has happened so far.
func (e *Ensemble) Faults() map[Fault]int { return e.w.nemesis.tally }

// Failure is the first objection, nil if there is none.
func (e *Ensemble) Failure() *Failure { return e.failure }

// Trace gives the last lines of what happened.
func (e *Ensemble) Trace() []string { return e.w.trace.last() }

// Note writes into the trace what the driver does.
func (e *Ensemble) Note(format string, args ...any) { e.w.note(format, args...) }

// guarded does something, unless an invariant was broken; if that happens now it is kept.
func (e *Ensemble) guarded(do func()) {
	if e.failure != nil {
		return
	}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *Failure:
			e.failure = x
		case invariant.Broken:
			e.failure = &Failure{Checker: string(x.Name), Detail: x.Detail, At: e.w.now}
		default:
			panic(x)
		}
	}()
	do()
}

// Next is when something is due.
func (e *Ensemble) Next() (at int64, ok bool) {
	if e.failure != nil {
		return 0, false
	}
	return e.w.agenda.next()
}

// Run lets happen what is due until now.
func (e *Ensemble) Run(now int64) {
	e.guarded(func() { e.w.run(now, nil) })
}

// Guest is the client's end of a connection. Its methods are called from within those of Ensemble and Line.
type Guest interface {
	Receive(frame []byte) // what a server sends, with its length
	Closed()              // the connection is no more
}

// Line is a connection to a server.
type Line struct {
	e *Ensemble
	k *conn
}

// Dial connects to a server, from 0; it gives nil where nobody listens.
func (e *Ensemble) Dial(server int, g Guest) (l *Line) {
	e.guarded(func() {
		w := e.w
		s := w.servers[server]
		if s.rep == nil {
			return
		}
		c := &client{w: w, id: 1000 + e.guests, guest: g, done: true, closed: true}
		e.guests++
		k := &conn{c: c, s: s, life: s.life, here: true, there: true, from: w.now, spoke: w.now, heard: s.clock()}
		c.conn = k
		k.rc = replica.NewConn(k, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
		s.conns = append(s.conns, k)
		l = &Line{e, k}
	})
	return l
}

// Send sends a frame, without its length. The first is the handshake.
func (l *Line) Send(frame []byte) {
	l.e.guarded(func() {
		k := l.k
		s := k.s
		if !k.here {
			return
		}
		if k.hailed {
			k.toServer(func() {
				k.heard = s.clock()
				s.request(k, frame)
			})
			return
		}
		k.hailed = true
		var req wire.ConnectRequest
		if err := req.Decode(frame); err != nil {
			panic(fmt.Sprintf("a handshake that cannot be read: %v", err))
		}
		l.e.w.note("guest %d connects to %d, session %v, seen %v", k.c.id, s.sid, req.SessionID, req.LastZxidSeen)
		k.toServer(func() { s.greet(k, req) })
	})
}

// Hold lets nothing through before a moment, either way: what is sent meanwhile, and the end, come then.
func (l *Line) Hold(until int64) {
	l.k.up.at, l.k.down.at = max(l.k.up.at, until), max(l.k.down.at, until)
}

// Close ends the connection. The guest is not told.
func (l *Line) Close() {
	l.e.guarded(func() {
		l.k.c.guest = nil
		l.k.cut()
	})
}

// Expire ends a session, if there is a leader who knows it.
func (e *Ensemble) Expire(id zk.SessionID) (done bool) {
	e.guarded(func() {
		for _, s := range e.w.servers {
			if s.rep != nil && !s.paused && s.role.Serving && s.role.State == zab.Leading && s.rep.Sessions().Known(id) {
				e.w.note("session %v is made to expire", id)
				s.step(&replica.Expire{Session: id, Now: s.wall(), Clock: s.clock()})
				done = true
				return
			}
		}
	})
	return done
}

// Heal ends the faults for good: who is down starts again, soon.
func (e *Ensemble) Heal() {
	e.guarded(func() {
		keep := map[ensemble.SID]bool{}
		for _, s := range e.w.servers {
			keep[s.sid] = true
		}
		e.w.note("healed: all")
		e.w.nemesis.heal(keep)
	})
}

// Alike tells whether all servers serve, in one state, which is on their disks, and know no session.
func (e *Ensemble) Alike() bool {
	keep := map[ensemble.SID]bool{}
	for _, s := range e.w.servers {
		if s.disk.busy || len(s.disk.ops) > 0 {
			return false
		}
		keep[s.sid] = true
	}
	return e.w.alike(keep) && e.w.servers[0].rep.Sessions().Len() == 0
}

// Judge looks at the whole, when all sessions are over.
func (e *Ensemble) Judge() {
	e.guarded(func() { e.w.judge() })
}

// Committed is the newest zxid that a server has applied.
func (e *Ensemble) Committed() zk.Zxid { return e.w.history.log.last() }

// Life is a znode from its creation to its end.
type Life struct {
	Path    string
	Owner   zk.SessionID
	Created zk.Zxid
	Deleted zk.Zxid // 0: it is there
	Data    []Datum // the first is that of its creation; a Set of the same txn is not told apart
}

// Datum is what a znode's data was from a zxid on.
type Datum struct {
	From zk.Zxid
	Data []byte
}

// Lasted tells whether a znode was there as of a zxid.
func (l *Life) Lasted(z zk.Zxid) bool { return l.Created <= z && (l.Deleted == 0 || z < l.Deleted) }

// Lives are those of the children that a path has had, or, with self, its own, by the order of their creation. One that came and
// went in one txn is not among them.
func (e *Ensemble) Lives(folder string) []*Life {
	return e.lives(func(p string) bool { return path.Dir(p) == folder })
}

// LivesOf are those of a znode itself.
func (e *Ensemble) LivesOf(path string) []*Life {
	return e.lives(func(p string) bool { return p == path })
}

func (e *Ensemble) lives(of func(path string) bool) (all []*Life) {
	for p, revs := range e.w.history.revs {
		if !of(p) {
			continue
		}
		var now *Life
		for _, r := range revs {
			if now != nil && (!r.exists || r.stat.Czxid != now.Created) {
				now.Deleted, now = r.zxid, nil
			}
			switch {
			case !r.exists:
			case now == nil:
				now = &Life{Path: p, Owner: r.stat.EphemeralOwner, Created: r.stat.Czxid}
				all = append(all, now)
				fallthrough
			default:
				now.Data = append(now.Data, Datum{r.zxid, r.data})
			}
		}
	}
	slices.SortFunc(all, func(a, b *Life) int {
		if a.Created != b.Created {
			return int(a.Created - b.Created)
		}
		return strings.Compare(a.Path, b.Path)
	})
	return all
}

// There are the znodes that there are, sorted, without the servers' own.
func (e *Ensemble) There() (paths []string) {
	for p, revs := range e.w.history.revs {
		if revs[len(revs)-1].exists && !strings.HasPrefix(p, "/zookeeper") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// dropGuest ends the connection of some guest.
func (w *world) dropGuest() {
	s := w.nemesis.some()
	if s == nil || len(s.conns) == 0 {
		return
	}
	s.conns[w.rng.IntN(len(s.conns))].cut()
}

// Unused tells whether a znode is a container that never had a child. Such a one stays, as with Apache's servers.
func (e *Ensemble) Unused(path string) bool {
	t := e.w.history.model
	n := t.Find(path)
	if n == 0 {
		return false
	}
	m := t.Meta(n)
	return m.Owner == tree.ContainerOwner && m.CVersion == 0
}

// Elapsed is the present time, µs.
func (e *Ensemble) Elapsed() int64 { return e.w.now }

// Txns is how many were committed.
func (e *Ensemble) Txns() int { return len(e.w.history.log) }
