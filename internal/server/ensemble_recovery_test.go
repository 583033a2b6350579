package server

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// fill writes n znodes and waits for the answers.
func (c *client) fill(prefix string, n int) {
	c.t.Helper()
	var ops []wire.Op
	for i := range n {
		ops = append(ops, create(name("%s%d", prefix, i), "x"))
	}
	first := c.xid + 1
	c.send(ops...)
	for i := range n {
		if r := c.recv(first + int32(i)); r.Err != zk.OK {
			c.t.Fatalf("%s%d: %v", prefix, i, r.Err)
		}
	}
}

// all tells how many of the znodes that fill made are there.
func (c *client) all(prefix string, n int) (there int) {
	c.t.Helper()
	for i := range n {
		if c.exists(name("%s%d", prefix, i)) {
			there++
		}
	}
	return there
}

// A server that was away is sent what it lacks, a difference or the whole tree, while writes go on. It serves nobody before it has
// all that was acknowledged before it came (ZOOKEEPER-4503, 1264, 3104, 3642; ClickHouse Keeper #54572, #88058).
func TestEnsembleCatchUp(t *testing.T) {
	for _, lag := range []struct {
		writes int
		how    string
	}{{30, "DIFF from"}, {700, "SNAP as of"}} {
		t.Run(lag.how, func(t *testing.T) {
			w := gather(t, 3, 0)
			leader := w.serving()
			away := w.followers()[0]
			c := connect(t, w.all[leader], lasting)
			c.must(ephemeral("/mine"))
			c.must(&wire.Sync{Path: "/"})
			w.stop(away)
			c.fill("/before", lag.writes)
			told := w.logs[leader].with(lag.how)
			var ops []wire.Op
			for i := range 300 {
				ops = append(ops, create(name("/meanwhile%d", i), ""))
			}
			first := c.xid + 1
			c.send(ops...)
			w.start(away)
			eventually(t, "it serves", func() bool { return w.all[away].role().Serving })
			d := connect(t, w.all[away], lasting)
			if n := d.all("/before", lag.writes); n != lag.writes {
				t.Errorf("it serves with %d of %d", n, lag.writes)
			}
			for i := range ops {
				c.recv(first + int32(i))
			}
			d.must(&wire.Sync{Path: "/"})
			if n := d.all("/meanwhile", len(ops)); n != len(ops) {
				t.Errorf("%d of %d of what was written meanwhile", n, len(ops))
			}
			w.logs[leader].more(t, told, lag.how)
			w.same()
			// It restarts with what it was sent: the snapshot and what came behind it are on its disk.
			w.stop(away)
			w.start(away)
			w.serving()
			w.same()
			e, refused := c.resume(w.all[away])
			if refused || !e.exists("/mine") {
				t.Error("the session has not moved")
			}
		})
	}
}

// tail is what a leader alone has on its disk while its followers cannot write their logs: it is not committed. It stops then, the others
// go on without, and it comes back.
func tail(t *testing.T, ops ...wire.Op) (w *crowd, old int, c *client) {
	w = gather(t, 3, 0)
	old, c = w.tail(ops...)
	return w, old, c
}

func (w *crowd) tail(ops ...wire.Op) (old int, c *client) {
	t := w.t
	old = w.serving()
	c = connect(t, w.all[old], lasting)
	c.must(create("/a", "committed"))
	c.must(ephemeral("/mine"))
	c.must(&wire.Sync{Path: "/"})
	w.same()
	f := w.followers()
	for _, i := range f {
		w.faults[i].Add(vfs.Fault{Op: vfs.OpWrite, Name: "log."})
	}
	c.send(ops...)
	last := c.send(create("/never", ""))
	eventually(t, "it waits for its followers", func() bool {
		w.all[old].mu.RLock()
		defer w.all[old].mu.RUnlock()
		return w.all[old].rep.Proposed() == len(ops)+1
	})
	w.stop(old)
	for _, i := range f {
		w.stop(i)
		w.faults[i] = vfs.NewFaulty(w.disks[i])
		w.start(i)
	}
	w.serving()
	// No answer came: the connection just ended.
	if r, err := c.next(); err == nil {
		t.Fatalf("%+v was answered, up to %d were asked", r.ReplyHeader, last)
	}
	d, refused := c.resume(w.all[f[0]])
	if refused {
		t.Fatal("the session has ended")
	}
	d.must(create("/after", ""))
	return old, d
}

// What a leader had logged and nobody else is cut off when it comes back, tree and sessions included: changed data, ephemerals,
// a session's end (ZOOKEEPER-2832, 2845, 1549, 4837, 5010).
func TestEnsembleTailIsCut(t *testing.T) {
	w, old, c := tail(t, set("/a", "not committed"), ephemeral("/never-mine"), &wire.Delete{Path: "/mine", Version: -1}, sequential("/never", 10))
	cut := func() (n int) {
		for _, j := range w.logs {
			n += j.with("TRUNC to")
		}
		return n
	}
	was := cut()
	w.start(old)
	w.serving()
	w.same()
	eventually(t, "something was cut", func() bool { return cut() > was })
	for round := range 2 {
		d, refused := c.resume(w.all[old])
		if refused {
			t.Fatal("the session has ended")
		}
		if data, _ := d.data("/a"); data != "committed" || !d.exists("/after") || !d.exists("/mine") {
			t.Errorf("round %d: /a is %q", round, data)
		}
		if d.exists("/never") || d.exists("/never-mine") || len(d.children("/")) != 4 {
			t.Errorf("round %d: %q", round, d.children("/"))
		}
		c = d
		if round == 0 {
			w.stop(old)
			w.start(old)
			w.serving()
			w.same()
		}
	}
}

// The same, when the power goes in the midst of the cut, again and again (ZOOKEEPER-5094).
func TestEnsembleCutIsInterrupted(t *testing.T) {
	w, old, c := tail(t, set("/a", "not committed"), sequential("/never", 10))
	rng := dice(5094)
	for n := 1; n < 40; n += 3 {
		f := vfs.NewFaulty(w.disks[old])
		f.CrashAfter(n, rng)
		w.faults[old] = f
		s, err := w.try(old)
		if err == nil {
			w.all[old] = s
			eventually(t, "the power is gone, or it serves", func() bool { return f.Crashed() || s.role().Serving })
			w.stop(old)
		}
		w.disks[old] = w.disks[old].Crash(rng)
	}
	w.faults[old] = vfs.NewFaulty(w.disks[old])
	w.start(old)
	w.serving()
	w.same()
	d, refused := c.resume(w.all[old])
	if refused {
		t.Fatal("the session has ended")
	}
	if data, _ := d.data("/a"); data != "committed" || !d.exists("/after") || !d.exists("/mine") || len(d.children("/")) != 4 {
		t.Errorf("/a is %q, children %q", data, d.children("/"))
	}
}

// A follower whose disk is full holds up nobody, not even its own clients' writes, and acknowledges nothing; with the space it has
// everything.
func TestEnsembleFullDiskOfFollower(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) { o.PreAllocSize = 0 })
	leader := w.serving()
	full := w.followers()[0]
	c, d := connect(t, w.all[leader], lasting), connect(t, w.all[full], lasting)
	w.same()
	w.faults[full].SetSpace(0)
	c.fill("/over-the-leader", 20)
	d.fill("/over-it", 20)
	w.logs[full].wait(t, "ERROR the log cannot be written")
	w.faults[full].SetSpace(-1)
	w.same()
	// What it has acked it has: the power goes everywhere, and the other follower does not come back at first.
	w.blackout(dice(8))
	for i := range w.all {
		if i == full || i == leader {
			w.start(i)
		}
	}
	w.serving()
	e, refused := c.resume(w.all[full])
	if refused || e.all("/over-the-leader", 20) != 20 || e.all("/over-it", 20) != 20 {
		t.Error("something acknowledged is gone")
	}
}

// blackout ends servers, or all; on each disk there is what is durable, and of the rest something or nothing.
func (w *crowd) blackout(rng *rand.Rand, servers ...int) {
	w.t.Helper()
	if servers == nil {
		for i := range w.all {
			servers = append(servers, i)
		}
	}
	for _, i := range servers {
		w.faults[i].CrashAfter(0, dice(rng.Uint64())) // from here on nothing is written, and nothing acknowledged
	}
	for _, i := range servers {
		w.stop(i)
		w.disks[i] = w.disks[i].Crash(rng)
		w.faults[i] = vfs.NewFaulty(w.disks[i])
	}
}

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// A leader whose disk is full steps down, and another leads (ZOOKEEPER-3701, 2247). Nothing acknowledged is lost, also where it was
// before the leader knew.
func TestEnsembleFullDiskOfLeader(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) {
		o.PreAllocSize, o.TickTime, o.Ensemble.SyncLimit = 0, 50*time.Millisecond, 30
	})
	leader := w.serving()
	c := connect(t, w.all[leader], lasting)
	w.same()
	w.faults[leader].SetSpace(0)
	acked := 0
	end := time.Now().Add(patience)
	for i := 0; ; i++ {
		if time.Now().After(end) {
			t.Fatal("it leads on")
		}
		c.send(create(name("/n%d", i), ""))
		if r, err := c.next(); err != nil {
			break // it has stepped down
		} else if r.Err == zk.OK {
			acked++
		}
	}
	next := -1
	eventually(t, "another leads", func() bool {
		for i, s := range w.all {
			if r := s.role(); i != leader && r.Serving && r.State == zab.Leading {
				next = i
			}
		}
		return next >= 0
	})
	d, refused := c.resume(w.all[next])
	if refused {
		t.Fatal("the session has ended")
	}
	if n := d.all("/n", acked); n != acked {
		t.Errorf("%d of %d acknowledged writes are there", n, acked)
	}
	d.must(create("/after", ""))
	if w.all[leader].role().Serving {
		t.Error("the old leader serves")
	}
	w.faults[leader].SetSpace(-1)
	w.serving()
	w.same()
}

// All servers stop at once, by a power cut or in order, and come back: all that was acknowledged is there, no session has ended,
// and no ephemeral outlives its session (ZOOKEEPER-1367).
func TestEnsembleRestartOfAll(t *testing.T) {
	for _, how := range []string{"power cut", "in order"} {
		t.Run(how, func(t *testing.T) {
			w := gather(t, 3, 1)
			w.serving()
			c, gone := connect(t, w.all[0], lasting), connect(t, w.all[2], lasting)
			c.must(ephemeral("/mine"))
			gone.must(ephemeral("/gone"))
			c.fill("/n", 50)
			gone.must(&wire.CloseSession{})
			if how == "power cut" {
				w.blackout(dice(3))
			} else {
				for i := range w.all {
					w.stop(i)
				}
			}
			for i := range w.all {
				w.start(i)
			}
			w.serving()
			d, refused := c.resume(w.all[1])
			if refused {
				t.Fatal("the session has ended")
			}
			if d.all("/n", 50) != 50 || !d.exists("/mine") || d.exists("/gone") {
				t.Errorf("%q", d.children("/"))
			}
			d.must(create("/after", ""))
			w.same()
		})
	}
}

// Power goes and comes, here and there, while clients write: what was acknowledged stays, and the trees are the same in the end
// (ZOOKEEPER-3911, 4394, 4643, 4646, 4712, 4785).
func TestEnsembleBlackouts(t *testing.T) {
	w := gather(t, 3, 0, func(o *Options) {
		// A leader whose voters lose their power before it has an epoch waits for initLimit.
		o.TickTime, o.Ensemble.SyncLimit = 100*time.Millisecond, 100
	})
	rng := dice(4643)
	w.serving()
	c := connect(t, w.all[0], lasting)
	acked := map[string]bool{}
	sent := 0
	for round := range 6 {
		w.serving()
		at := rng.IntN(3)
		d, refused := c.resume(w.all[at])
		if refused {
			t.Fatal("the session has ended")
		}
		c = d
		paths := map[int32]string{}
		for range 200 {
			sent++
			p := name("/n%d", sent)
			paths[c.send(create(p, ""))] = p
		}
		for range 20 + rng.IntN(150) {
			r, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			acked[paths[r.Xid]] = r.Err == zk.OK
		}
		down := rng.Perm(3)[:1+round%3] // the power of one goes, of two, of all
		w.blackout(rng, down...)
		for _, i := range down {
			w.start(i)
		}
	}
	w.serving()
	w.same()
	for i, s := range w.all {
		d, refused := c.resume(s)
		if refused {
			t.Fatal("the session has ended")
		}
		c = d
		for p, ok := range acked {
			if ok && !d.exists(p) {
				t.Fatalf("%s was acknowledged, and is gone over server %d", p, i+1)
			}
		}
	}
}

// An ensemble of five goes on with two down, not with three, and does when one of these is back.
func TestEnsembleTwoOfFiveDown(t *testing.T) {
	w := gather(t, 5, 0)
	leader := w.serving()
	c := connect(t, w.all[leader], lasting)
	f := w.followers()
	w.stop(f[0])
	w.stop(f[1])
	c.fill("/two-down", 20)
	w.stop(leader)
	eventually(t, "two of five serve nobody", func() bool { return !w.all[f[2]].role().Serving && !w.all[f[3]].role().Serving })
	d := dial(t, w.all[f[2]])
	d.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
	d.ended()
	w.start(f[0])
	w.serving()
	e, refused := c.resume(w.all[f[0]])
	if refused || e.all("/two-down", 20) != 20 {
		t.Error("something acknowledged is gone")
	}
	w.start(leader)
	w.start(f[1])
	w.serving()
	w.same()
}

// While a server looks for a leader, it closes connections without a word; one that had seen more than it has is sent elsewhere in
// the same way, with its session (ZOOKEEPER-4503).
func TestEnsembleSendsAway(t *testing.T) {
	w := muster(t, 3, 0)
	w.start(0)
	c := dial(t, w.all[0])
	c.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
	c.ended()
	w.start(1)
	w.start(2)
	w.serving()
	c = connect(t, w.all[1], lasting)
	c.must(ephemeral("/mine"))
	for _, s := range w.all {
		d := dial(t, s)
		d.write(hello(&wire.ConnectRequest{
			TimeOut: lastingMs, SessionID: c.session.SessionID, Password: c.session.Password[:], LastZxidSeen: 1 << 62,
		}))
		d.ended()
	}
	if !c.exists("/mine") {
		t.Error("the session has ended")
	}
}

// An ensemble of one (standaloneEnabled=false) serves at once, again after a restart, and with a later epoch each time.
func TestEnsembleOfOne(t *testing.T) {
	w := gather(t, 1, 0, func(o *Options) { o.Ensemble.StandaloneEnabled = false })
	w.serving()
	c := connect(t, w.all[0], lasting)
	c.must(ephemeral("/mine"))
	c.must(&wire.Sync{Path: "/"})
	c.fill("/n", 20)
	epoch := w.all[0].role().Epoch
	w.blackout(dice(1))
	w.start(0)
	w.serving()
	if e := w.all[0].role().Epoch; e <= epoch {
		t.Errorf("epoch %d behind %d", e, epoch)
	}
	d, refused := c.resume(w.all[0])
	if refused || !d.exists("/mine") || d.all("/n", 20) != 20 {
		t.Error("something is gone")
	}
	d.must(create("/after", ""))
}

// Folders whose zxid is at the end of an epoch, or where Apache has let the counter run into the next one, are led on in a later epoch
// (ZOOKEEPER-1277, 4883).
func TestEnsembleAtTheEndOfAnEpoch(t *testing.T) {
	for _, last := range []zk.Zxid{0x1fffffffe, 0x1ffffffff, 0x200000000} {
		t.Run(last.String(), func(t *testing.T) {
			w := muster(t, 3, 0)
			for i := range w.disks {
				seedDisk(t, w.disks[i], last)
			}
			for i := range w.all {
				w.start(i)
			}
			leader := w.serving()
			c := connect(t, w.all[(leader+1)%3], lasting)
			for i := range 5 {
				if r := c.must(create(name("/n%d", i), "")); r.Zxid.Epoch() <= last.Epoch() || r.Zxid.Counter() > 8 {
					t.Errorf("%v behind %v", r.Zxid, last)
				}
			}
			w.same()
		})
	}
}

// seedDisk makes a folder with a tree as of z.
func seedDisk(t *testing.T, disk vfs.FS, z zk.Zxid) {
	t.Helper()
	o := Default()
	s, err := store.Open(disk, "data", "data", store.Options{AutoCreateDir: true, AutoCreateDB: true, PreAlloc: 4096, MaxRecord: o.maxRecord(),
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Rand: func(int) int { return 0 }, Digest: true, LastZxid: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := s.Restore(func() *tree.Tree { return tree.New(tree.Options{Seed: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	res.Tree.SetLastZxid(z)
	view := res.Tree.Freeze()
	defer view.Close()
	if _, _, err := s.WriteSnapshot(store.Snapshot{Zxid: z, ACLs: view.ACLs(), Digest: view.Digest(), HasDigest: true, Next: view.Next}); err != nil {
		t.Fatal(err)
	}
}

// The list of servers grows from three to five without reconfig, as operators do it: the new ones start first, then the others are
// restarted with the new list, one at a time. Clients are served all the while (ZOOKEEPER-3829).
func TestEnsembleLongerList(t *testing.T) {
	w := muster(t, 5, 0)
	long := w.config
	w.config = &ensemble.Config{Members: long.Members[:3]}
	for i := range 3 {
		w.start(i)
	}
	w.serving()
	c := connect(t, w.all[0], lasting)
	c.must(ephemeral("/mine"))
	w.config = long
	// The leader is the last: whoever has the short list yet does not know a new one that is not in it.
	for _, i := range append([]int{3, 4}, append(w.followers(), w.serving())...) {
		w.stop(i)
		w.start(i)
		w.serving()
		d, refused := c.resume(w.all[i])
		if refused || !d.exists("/mine") {
			t.Fatal("the session has ended")
		}
		c = d
		c.must(create(name("/n%d", i), ""))
	}
	w.same()
}

// Who was elected and cannot open its quorum port says so, and lets another lead, although it is the better one (ZOOKEEPER-4203); when the port is
// free it can lead again.
func TestEnsembleLeaderWithoutPort(t *testing.T) {
	w := muster(t, 3, 0, func(o *Options) { // it is barred for initLimit, and who serves is not given up for a moment's silence
		o.TickTime, o.Ensemble.InitLimit, o.Ensemble.SyncLimit = 50*time.Millisecond, 10, 200
	})
	a := w.config.Members[2].Peers[0]
	taken, err := net.Listen("tcp", fmt.Sprintf("%s:%d", a.Host, a.QuorumPort))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w.start(2) // of two that run, the quorum are both, and 3 is the better one
	w.start(0)
	w.logs[2].wait(t, "ERROR quorum port")
	w.logs[2].wait(t, "looking: learners cannot come")
	if leader := w.serving(); leader != 0 {
		t.Fatalf("server %d leads", leader+1)
	}
	c := connect(t, w.all[2], lasting)
	c.fill("/n", 20)
	taken.Close()
	w.start(1)
	w.serving()
	w.same()
	// In time it stands again, and the port is free: of all three it is the best.
	w.stop(1)
	w.stop(0)
	eventually(t, "nobody serves", func() bool { return !w.all[2].role().Serving })
	w.all[2].Advance(time.Minute)
	w.start(0)
	w.serving()
	w.same()
}
