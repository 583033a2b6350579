package replica_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Tests of docs/defects.md that need a whole replica and no disk.

func ephemeral(path string) *wire.Create {
	c := create(path)
	c.Mode = zk.Ephemeral
	return c
}

// restarted is a world whose replica begins with a tree and sessions that a disk has kept.
func restarted(t *testing.T, tr *tree.Tree, sessions map[zk.SessionID]int32, now int64) *world {
	t.Helper()
	rules, err := auth.New(auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: now, out: map[string][]string{}}
	w.r = replica.New(replica.Config{
		Prep:  prep.Config{Rules: rules, CloseSessionPaths: true, Digest: true, MaxTxn: 2 << 20},
		Rules: rules, Seed: 7, FirstSession: 0x900, Tick: 2000, MinTimeout: 4000, MaxTimeout: 40000,
	}, tr, sessions, now, now)
	return w
}

// resume takes a session over to a new connection.
func (w *world) resume(name string, id zk.SessionID) *replica.Conn {
	w.t.Helper()
	pw := session.Password(id)
	c := replica.NewConn(name, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{TimeOut: 10000, SessionID: id, Password: pw[:]}, Now: w.now, Clock: w.now})
	return c
}

// synced says that n more txns are on disk.
func (w *world) synced(n int) {
	w.t.Helper()
	w.step(&replica.Synced{Zxid: w.r.Tree().LastZxid() + zk.Zxid(n), Clock: w.now})
}

// tick says the time; of those who were heard from, it was now.
func (w *world) tick(heard ...*replica.Conn) {
	w.t.Helper()
	w.step(&replica.Tick{Now: w.now, Clock: w.now, Heard: func(c *replica.Conn) int64 {
		if slices.Contains(heard, c) {
			return w.now
		}
		return 0
	}})
}

// content is what a frozen view holds: the owners of ephemerals by path, and a tree made of it.
func content(t *testing.T, f *replica.Frozen, between func()) (owners map[string]zk.SessionID, tr *tree.Tree) {
	t.Helper()
	owners = map[string]zk.SessionID{}
	tr = tree.New(tree.Options{Seed: 1})
	tr.BeginLoad()
	for _, e := range f.View.ACLs() {
		tr.LoadACL(e.Key, e.ACL)
	}
	for more := true; more; between() {
		var b []byte
		b, more = f.View.Next(nil, 100)
		for d := jute.NewDecoder(b); d.Left() > 0; {
			path, data, acl := d.String(), d.Buffer(), d.Long()
			m := tree.Meta{Czxid: zk.Zxid(d.Long()), Mzxid: zk.Zxid(d.Long()), Ctime: d.Long(), Mtime: d.Long(), Version: d.Int(), CVersion: d.Int(), AVersion: d.Int()}
			m.Owner, m.Pzxid = d.Long(), zk.Zxid(d.Long())
			if d.Err() != nil {
				t.Fatal(d.Err())
			}
			if err := tr.LoadNode(path, data, acl, m); err != nil {
				t.Fatal(err)
			}
			if m.Owner != 0 {
				owners[path] = zk.SessionID(m.Owner)
			}
		}
	}
	tr.FinishLoad(f.View.Zxid())
	return owners, tr
}

// ZOOKEEPER-1549: a snapshot holds what is on disk and nothing else, neither a znode nor a session of a txn that is still on its way,
// and its zxid is that of the last that it shows.
func TestSnapshotHoldsOnlyWhatIsOnDisk(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	w.send(a, 1, ephemeral("/on-disk"))
	w.sync()
	w.send(a, 2, ephemeral("/on-its-way"))
	late := replica.NewConn("late", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: late, Request: wire.ConnectRequest{TimeOut: 10000}, Now: w.now, Clock: w.now})
	w.send(a, 3, &wire.CloseSession{})
	f := w.r.Freeze()
	defer f.View.Close()
	owners, tr := content(t, f, func() {})
	if f.View.Zxid() != 2 || tr.Digest() != f.View.Digest() {
		t.Errorf("as of %v", f.View.Zxid())
	}
	if len(owners) != 1 || owners["/on-disk"] != a.Session() || len(f.Sessions) != 1 || f.Sessions[0].ID != a.Session() {
		t.Errorf("ephemerals %v, sessions %v", owners, f.Sessions)
	}
}

// ZOOKEEPER-3144: the sessions of a snapshot and its tree are of one moment, whatever goes on while it is written: no ephemeral without
// its session, no session that had ended, none missing.
func TestSnapshotSessionsFitItsTree(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3144))
		w := newWorld(t)
		var open []*replica.Conn
		n := 0
		work := func() {
			w.now += 100
			switch k := rng.IntN(10); {
			case k < 2:
				n++
				c := replica.NewConn(fmt.Sprint(n), zk.ID{Scheme: "ip", ID: "127.0.0.1"})
				w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{TimeOut: 5000}, Now: w.now, Clock: w.now})
				open = append(open, c)
			case k == 2 && len(open) > 0: // ends by its client
				i := rng.IntN(len(open))
				w.send(open[i], int32(n), &wire.CloseSession{})
				open = slices.Delete(open, i, i+1)
			case k == 3 && len(open) > 0: // ends by silence
				w.now += 12000
				i := rng.IntN(len(open))
				open = slices.Delete(open, i, i+1)
				w.tick(open...)
			case k < 8 && len(open) > 0:
				n++
				w.send(open[rng.IntN(len(open))], int32(n), ephemeral(fmt.Sprintf("/e%d", n)))
			default:
				w.synced(rng.IntN(w.r.Proposed() + 1))
			}
		}
		for range 60 {
			work()
		}
		alive := map[zk.SessionID]bool{}
		for _, s := range w.r.Sessions().All() {
			alive[s.ID] = true
		}
		f := w.r.Freeze()
		owners, tr := content(t, f, func() {
			work()
			w.synced(rng.IntN(w.r.Proposed() + 1))
		})
		f.View.Close()
		if tr.Digest() != f.View.Digest() {
			t.Fatalf("seed %d: the tree is not that of %v", seed, f.View.Zxid())
		}
		listed := map[zk.SessionID]bool{}
		for _, s := range f.Sessions {
			listed[s.ID] = true
		}
		for path, owner := range owners {
			if !listed[owner] {
				t.Errorf("seed %d: %s belongs to session %v, which the snapshot does not list", seed, path, owner)
			}
		}
		if fmt.Sprint(listed) != fmt.Sprint(alive) {
			t.Errorf("seed %d: sessions %v, at that moment there were %v", seed, listed, alive)
		}
	}
}

// ZOOKEEPER-1367: after a restart every session that was not closed goes on, with its ephemerals and its whole timeout; if its client
// comes back it stays, and if not, both end.
func TestSessionsAfterRestart(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.connect("a"), w.connect("b"), w.connect("c")
	w.send(a, 1, ephemeral("/a"))
	w.send(b, 1, ephemeral("/b"))
	w.send(c, 1, ephemeral("/c"))
	w.send(c, 2, &wire.CloseSession{})
	w.sync()
	kept := map[zk.SessionID]int32{}
	for _, s := range w.r.Sessions().All() {
		kept[s.ID] = s.Timeout
	}
	if len(kept) != 2 {
		t.Fatalf("%v", kept)
	}
	w = restarted(t, w.r.Tree(), kept, w.now+3_600_000) // down for an hour
	b2 := w.resume("b2", b.Session())
	w.want("b2", fmt.Sprintf("connect %v", b.Session()))
	w.send(b2, 1, &wire.Exists{Path: "/a", Watch: true})
	w.out["b2"] = nil
	w.now += 8000
	w.tick(b2)
	w.sync()
	w.want("b2") // not yet: its client has its whole timeout
	w.now += 6000
	w.tick(b2)
	w.sync()
	w.want("b2", fmt.Sprintf("notice 2 /a z=%d", w.r.Tree().LastZxid()))
	for path, want := range map[string]bool{"/a": false, "/b": true, "/c": false} {
		if got := w.r.Tree().Find(path) != 0; got != want {
			t.Errorf("%s is there: %v", path, got)
		}
	}
	w.resume("a2", a.Session())
	w.want("a2", "refused", "close")
}

// ZOOKEEPER-1208, 2355: whatever a session still creates around its end, by any of its connections, in a multi or alone, and however
// much of it is on disk in between: when it has ended nothing of it is left, and what came after the end is refused.
func TestNoEphemeralOutlivesItsSession(t *testing.T) {
	type scene struct {
		w    *world
		a, b *replica.Conn // b took the session over from a, perhaps
		n    int
	}
	next := func(s *scene) string { s.n++; return fmt.Sprintf("/e%d", s.n) }
	last := func(s *scene) *replica.Conn {
		if s.b != nil {
			return s.b
		}
		return s.a
	}
	steps := []struct {
		name string
		do   func(s *scene)
	}{
		{"create", func(s *scene) { s.w.send(last(s), 1, ephemeral(next(s))) }},
		{"multi", func(s *scene) {
			s.w.send(last(s), 2, &wire.Multi{Ops: []wire.Op{ephemeral(next(s)), ephemeral(next(s))}})
		}},
		{"old connection creates", func(s *scene) { s.w.send(s.a, 3, ephemeral(next(s))) }},
		{"resume", func(s *scene) {
			if s.b == nil {
				s.b = s.w.resume("b", s.a.Session())
			}
		}},
		{"close", func(s *scene) { s.w.send(last(s), 4, &wire.CloseSession{}) }},
		{"expire", func(s *scene) { s.w.now += 14000; s.w.tick() }},
		{"one txn on disk", func(s *scene) { s.w.synced(1) }},
		{"all on disk", func(s *scene) { s.w.synced(s.w.r.Proposed()) }},
	}
	const length = 4
	script := make([]int, length)
	for more := true; more; {
		s := &scene{w: newWorld(t)}
		s.a = s.w.connect("a")
		id := s.a.Session()
		var told []string
		for _, i := range script {
			told = append(told, steps[i].name)
			steps[i].do(s)
		}
		s.w.now += 60000 // it ends now, if it has not yet
		s.w.tick()
		s.w.synced(s.w.r.Proposed())
		if left := s.w.r.Tree().Ephemerals(id); len(left) > 0 || s.w.r.Sessions().Known(id) {
			t.Fatalf("%q: left over are %v; the session is known: %v", told, left, s.w.r.Sessions().Known(id))
		}
		if s.w.r.Tree().NodeCount() != tree.New(tree.Options{}).NodeCount() {
			t.Fatalf("%q: %d znodes", told, s.w.r.Tree().NodeCount())
		}
		more = false
		for i := range script { // the next script
			if script[i]++; script[i] < len(steps) {
				more = true
				break
			}
			script[i] = 0
		}
	}
}

// ZOOKEEPER-1277, 4883: the zxid goes on across the end of its counter as the 64-bit number that it is, for replies, Stats, watches, a
// sync, a client that returns and what it has missed.
func TestCounterOverflow(t *testing.T) {
	const border = zk.Zxid(1) << 32
	tr := tree.New(tree.Options{Seed: 1})
	tr.SetLastZxid(border - 3)
	w := restarted(t, tr, nil, 1_000_000)
	a, b := w.connect("a"), w.connect("b") // border - 2 and - 1
	w.send(b, 1, &wire.GetChildren{Path: "/", Watch: true})
	w.out["b"] = nil
	w.send(a, 1, create("/x")) // the counter is 0
	w.send(b, 2, &wire.Sync{Path: "/"})
	w.want("b")
	w.sync()
	w.want("a", "reply 1 z=4294967296")
	w.want("b", "notice 4 / z=4294967296", "reply 2 z=4294967296")
	w.send(a, 2, &wire.SetData{Path: "/x", Version: 0})
	w.sync()
	w.want("a", "reply 2 z=4294967297")
	if m := tr.Meta(tr.Find("/x")); m.Czxid != border || m.Mzxid != border+1 {
		t.Errorf("%+v", m)
	}

	back := func(name string, seen zk.Zxid) *replica.Conn {
		pw := session.Password(b.Session())
		c := replica.NewConn(name, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
		w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{LastZxidSeen: seen, TimeOut: 10000, SessionID: b.Session(), Password: pw[:]}, Now: w.now, Clock: w.now})
		return c
	}
	back("ahead", border+2)
	w.want("ahead", "close")
	for i, seen := range []zk.Zxid{border - 1, border, border + 1} {
		name := fmt.Sprint("back", i)
		c := back(name, seen)
		w.out[name] = nil
		w.send(c, wire.XidSetWatches, &wire.SetWatches{
			RelativeZxid: seen, Data: []string{"/x"}, Exist: []string{}, Child: []string{"/"}, Persistent: []string{}, Recursive: []string{},
		})
		var want []string
		if seen < border+1 {
			want = append(want, "notice 3 /x z=-1")
		}
		if seen < border {
			want = append(want, "notice 4 / z=-1")
		}
		w.want(name, append(want, "reply -8 z=4294967297")...)
	}
}
