package server

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// summary is what two servers with the same data agree on.
type summary struct {
	digest     int64
	zxid       zk.Zxid
	nodes      int
	ephemerals int
	sessions   int
}

func contents(s *Server) summary {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.rep.Tree()
	return summary{t.Digest(), t.LastZxid(), t.NodeCount(), t.EphemeralCount(), s.rep.Sessions().Len()}
}

// Close in the middle of everything: what was acknowledged is there at the next start on the same folder, sessions go on with
// their ephemerals, and nothing is there twice.
func TestCloseUnderLoad(t *testing.T) {
	mem := vfs.NewMem()
	s := start(t, mem)
	type writer struct {
		*client
		acked int // creates
	}
	var writers []*writer
	var wg sync.WaitGroup
	var total atomic.Int64
	for i := range 4 {
		w := &writer{client: connect(t, s, lasting)}
		w.must(create(name("/w%d", i), ""))
		w.must(ephemeral(name("/e%d", i)))
		writers = append(writers, w)
		wg.Go(func() { // asks
			for k := range 100_000 {
				if _, err := w.nc.Write(wire.AppendRequestFrame(nil, int32(k+3), create(name("/w%d/%d", i, k), ""))); err != nil {
					return
				}
			}
		})
		wg.Go(func() { // listens
			for {
				r, err := w.next()
				if err != nil {
					return
				}
				if r.Err != zk.OK || r.Xid != int32(w.acked+3) {
					t.Errorf("%+v after %d", r, w.acked)
					return
				}
				w.acked++
				total.Add(1)
			}
		})
	}
	eventually(t, "some are done", func() bool { return total.Load() > 2000 })
	again(t, s, mem)
	wg.Wait()
	s2 := start(t, mem)
	for i, w := range writers {
		c, refused := w.resume(s2)
		if refused {
			t.Fatalf("session %d is gone", i)
		}
		if !c.exists(name("/e%d", i)) {
			t.Errorf("ephemeral %d is gone", i)
		}
		have := c.children(name("/w%d", i))
		if len(have) < w.acked {
			t.Errorf("%d of %d acknowledged creates are there", len(have), w.acked)
		}
		for k := range w.acked {
			if !c.exists(name("/w%d/%d", i, k)) {
				t.Fatalf("/w%d/%d was acknowledged and is gone", i, k)
			}
		}
		c.must(&wire.CloseSession{})
	}
	c := connect(t, s2, lasting)
	if got := c.children("/"); len(got) != 5 {
		t.Errorf("ephemerals stayed: %q", got)
	}
}

// Snapshots of a tree that changes meanwhile, and the logs after them, give the same tree again, whichever the next start
// finds.
func TestSnapshotWhileWriting(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"", "gz", "snappy"} {
		t.Run("method "+method, func(t *testing.T) {
			mem := vfs.NewMem()
			var j journal
			change := func(o *Options) { o.SnapCount, o.SnapshotMethod = 200, method }
			s := start(t, mem, j.into, change)
			c := connect(t, s, lasting)
			rng := rand.New(rand.NewPCG(5, 6))
			sent := int32(0)
			for round := 0; j.with("Snapshot taken") < 5; round++ {
				var ops []wire.Op
				for range 50 {
					p := name("/n%d", rng.IntN(200))
					switch rng.IntN(6) {
					case 0, 1:
						ops = append(ops, create(p, strings.Repeat("x", rng.IntN(500))))
					case 2:
						ops = append(ops, set(p, name("%d", round)))
					case 3:
						ops = append(ops, &wire.Delete{Path: p, Version: -1})
					case 4:
						ops = append(ops, ephemeral(p))
					case 5:
						ops = append(ops, &wire.SetACL{Path: p, ACL: []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "world", ID: "anyone"}}}, Version: int32(rng.IntN(3) - 1)})
					}
				}
				c.send(ops...)
				for range ops {
					sent++
					c.recv(sent)
				}
			}
			want := contents(s)
			crashed := mem.Crash(rng)
			again(t, s, mem)
			for _, fs := range []vfs.FS{mem, crashed} {
				s2 := start(t, fs, change)
				if got := contents(s2); got != want {
					t.Errorf("restored\n%+v\nnot\n%+v", got, want)
				}
				s2.Close()
			}
			// An older snapshot and more of the log.
			entries, err := mem.ReadDir("data/version-2")
			if err != nil {
				t.Fatal(err)
			}
			newest := ""
			for _, e := range entries {
				if n := e.Name(); strings.HasPrefix(n, "snapshot.") && (len(n) > len(newest) || len(n) == len(newest) && n > newest) {
					newest = n
				}
			}
			if err := mem.Remove(filepath.Join("data/version-2", newest)); err != nil {
				t.Fatal(err)
			}
			s3 := start(t, mem, change)
			if got := contents(s3); got != want {
				t.Errorf("without %s\n%+v\nnot\n%+v", newest, got, want)
			}
		})
	}
}

// Two servers cannot have one folder.
func TestOneServerPerFolder(t *testing.T) {
	mem := vfs.NewMem()
	s := start(t, mem)
	if s2, err := try(mem); err == nil {
		s2.Close()
		t.Fatal("a second server took the folder")
	}
	connect(t, s, lasting).must(create("/still", ""))
	s = start(t, again(t, s, mem))
	if !connect(t, s, lasting).exists("/still") {
		t.Error("gone")
	}
}
