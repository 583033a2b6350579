package server

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// sequential asks for a znode whose name shows how often it was made.
func sequential(prefix string, size int) *wire.Create {
	c := create(prefix, strings.Repeat("d", size))
	c.Mode = zk.PersistentSequential
	return c
}

// A full disk acknowledges nothing and loses nothing: writers wait, everybody else reads on, no session ends, and when there
// is space again each write is acknowledged once and was done once (defects 19, 33, 67).
func TestFullDisk(t *testing.T) {
	for _, prealloc := range []int64{0, 16 << 10} {
		t.Run(name("prealloc %d", prealloc), func(t *testing.T) {
			mem := vfs.NewMem()
			disk := vfs.NewFaulty(mem)
			var j journal
			s := start(t, disk, j.into, func(o *Options) { o.PreAllocSize = prealloc })
			var writers []*client
			for i := range 3 {
				c := connect(t, s, lasting)
				c.must(create(name("/w%d", i), ""))
				writers = append(writers, c)
			}
			idle := connect(t, s, lasting)
			idle.must(ephemeral("/idle"))

			disk.SetSpace(1000)
			const n = 100
			for i, c := range writers {
				var ops []wire.Op
				for range n {
					ops = append(ops, sequential(name("/w%d/s", i), 1000))
				}
				c.send(ops...)
			}
			j.wait(t, "ERROR the log cannot be written")
			tries := disk.Effects()
			eventually(t, "it was tried again", func() bool { return disk.Effects() > tries+3 })
			for i := range writers {
				if got := idle.children(name("/w%d", i)); len(got) > 0 && prealloc == 0 {
					t.Errorf("%d writes are visible that are nowhere on the disk", len(got))
				}
			}
			idle.send(&wire.Ping{})
			if r := idle.recv(wire.XidPing); r.Err != zk.OK {
				t.Error(r.Err)
			}
			if s.conns.len() != 4 {
				t.Fatalf("%d connections are left", s.conns.len())
			}

			disk.SetSpace(-1)
			for i, c := range writers {
				for k := range n {
					var p wire.PathReply
					c.recv(int32(k+2)).into(t, &p)
					if want := name("/w%d/s%010d", i, k); p.Path != want {
						t.Fatalf("made %s, not %s", p.Path, want)
					}
				}
				if !c.silent() {
					t.Error("a write was answered twice")
				}
				if got := len(c.children(name("/w%d", i))); got != n {
					t.Errorf("%d of %d are there", got, n)
				}
			}
			j.wait(t, "WARN the log can be written again")
			for _, fs := range []vfs.FS{mem.Crash(rand.New(rand.NewPCG(1, 1))), again(t, s, mem)} {
				s2 := start(t, fs)
				c, refused := idle.resume(s2)
				if refused || !c.exists("/idle") {
					t.Fatal("the idle session is gone")
				}
				for i := range writers {
					if got := len(c.children(name("/w%d", i))); got != n {
						t.Errorf("after a restart %d of %d are there", got, n)
					}
				}
				s2.Close()
			}
		})
	}
}

// again closes a server and gives the file system it was on.
func again(t *testing.T, s *Server, fs vfs.FS) vfs.FS {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// A session does not end because the server does not read what its client sends: who waits for a disk is alive.
func TestHeldSessionsLive(t *testing.T) {
	t.Parallel()
	disk := vfs.NewFaulty(vfs.NewMem())
	var j journal
	s := start(t, disk, j.into, func(o *Options) {
		o.GlobalOutstandingLimit, o.PreAllocSize = 10, 0
		o.TickTime = 20 * time.Millisecond
	})
	c := connect(t, s, lasting)
	gone := connect(t, s, lasting) // sends nothing
	disk.SetSpace(0)
	const n = 100
	for range n {
		c.write(c.request(sequential("/s", 100)))
	}
	eventually(t, "requests wait", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.InFlight() > 10
	})
	eventually(t, "it is not read from", served(t, s, c).held.Load)
	pass(s, 2*lasting)
	j.wait(t, "Expiring session "+gone.session.SessionID.String())
	disk.SetSpace(-1)
	for xid := range int32(n) {
		if r := c.recv(xid + 1); r.Err != zk.OK {
			t.Fatal(r.Err)
		}
	}
	if j.with("Expiring session "+c.session.SessionID.String()) > 0 {
		t.Error("the session expired")
	}
}

// Whatever the disk does to the log - an fsync that fails and forgets, a file that cannot be made, a write that stops short -
// what was acknowledged is there after a crash, and everything is acknowledged in the end.
func TestFailingLog(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault vfs.Fault
	}{
		{"fsync fails and forgets", vfs.Fault{Op: vfs.OpSync, Name: "log.", After: 3, Times: 2, Lose: true}},
		{"fsync fails and keeps a part", vfs.Fault{Op: vfs.OpSync, Name: "log.", After: 3, Times: 3, Lose: true, LoseRand: rand.New(rand.NewPCG(1, 2))}},
		{"first file cannot be made", vfs.Fault{Op: vfs.OpCreate, Name: "log.", Times: 3}},
		{"first file cannot be named", vfs.Fault{Op: vfs.OpRename, Name: "log.", Times: 2}},
		{"directory cannot be synced", vfs.Fault{Op: vfs.OpSyncDir, Name: "version-2", Times: 2}},
		{"write stops short", vfs.Fault{Op: vfs.OpWrite, Name: "log.", After: 4, Times: 2, Short: 7}},
		{"padding fails", vfs.Fault{Op: vfs.OpPreallocate, Name: "log.", After: 1, Times: 1}},
		{"truncate fails after fsync", vfs.Fault{Op: vfs.OpTruncate, Name: "log.", Times: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := vfs.NewMem()
			disk := vfs.NewFaulty(mem)
			s := start(t, disk, func(o *Options) { o.PreAllocSize = 8 << 10 })
			if c.fault.Op == vfs.OpTruncate {
				disk.Add(vfs.Fault{Op: vfs.OpSync, Name: "log.", After: 3, Times: 1, Lose: true})
			}
			disk.Add(c.fault)
			w := connect(t, s, lasting)
			w.must(ephemeral("/mine"))
			const n = 40
			for range n {
				w.must(sequential("/s", 600))
			}
			after := mem.Crash(rand.New(rand.NewPCG(3, 4)))
			s2 := start(t, after)
			r, refused := w.resume(s2)
			if refused || !r.exists("/mine") {
				t.Fatal("the session or its ephemeral is gone")
			}
			if got := len(r.children("/")); got != n+2 { // and /mine and /zookeeper
				t.Errorf("%d children", got)
			}
		})
	}
}

// While an fsync lasts, reads of sessions that have nothing in flight are answered, writes wait; all that came meanwhile is
// one fsync. A slow one is worth a warning in Apache's words.
func TestSlowFsync(t *testing.T) {
	disk := newDam(vfs.NewMem())
	var j journal
	s := start(t, disk, j.into, func(o *Options) { o.FsyncWarning = time.Millisecond })
	idle := connect(t, s, lasting)
	var writers []*client
	for range 20 {
		writers = append(writers, connect(t, s, lasting))
	}
	syncs := disk.syncs.Load()
	disk.shut()
	defer disk.open()
	for _, w := range writers {
		w.send(sequential("/s", 0), &wire.GetData{Path: "/"})
	}
	eventually(t, "all wait", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.InFlight() == 2*len(writers)
	})
	if got := idle.children("/"); len(got) != 1 {
		t.Errorf("visible before it is durable: %q", got)
	}
	eventually(t, "an fsync waits", func() bool { return disk.held.Load() > 0 })
	for began := time.Now(); time.Since(began) <= time.Millisecond; { // longer than FsyncWarning, by the clock that measures it
		runtime.Gosched()
	}
	disk.open()
	for _, w := range writers {
		if r := w.recv(1); r.Err != zk.OK {
			t.Fatal(r.Err)
		}
		w.recv(2)
	}
	if n := disk.syncs.Load() - syncs; n > 3 {
		t.Errorf("%d fsyncs for writes that came during one", n)
	}
	j.wait(t, "WARN", "fsync-ing the write ahead log in SyncThread took")
}

// A snapshot that cannot be written costs nothing but time at the next start.
func TestFailingSnapshot(t *testing.T) {
	mem := vfs.NewMem()
	disk := vfs.NewFaulty(mem)
	var j journal
	s := start(t, disk, j.into, func(o *Options) { o.SnapCount = 20 })
	disk.Add(vfs.Fault{Op: vfs.OpWrite, Name: "snapshot.", Times: 2})
	w := connect(t, s, lasting)
	for j.with("Snapshot taken") < 3 { // the first is that of the empty tree
		w.must(sequential("/s", 100))
	}
	if j.with("ERROR snapshot failed") != 2 {
		t.Errorf("two snapshots failed:\n%s", strings.Join(j.all(), "\n"))
	}
	want := contents(s)
	s2 := start(t, again(t, s, mem))
	if got := contents(s2); got != want {
		t.Errorf("after a restart\n%+v\nnot\n%+v", got, want)
	}
}
