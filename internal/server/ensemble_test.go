package server

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// crowd is an ensemble in this process: real sockets on loopback, memory disks.
type crowd struct {
	t      testing.TB
	config *ensemble.Config
	disks  []*vfs.Mem
	faults []*vfs.Faulty // over the disks
	all    []*Server     // nil where it is down
	logs   []*journal
	change []func(*Options)
	own    map[int]func(*EnsembleOptions) // what one of them is told besides
}

// gather starts n servers, voters but the last observers.
func gather(t testing.TB, n, observers int, change ...func(*Options)) *crowd {
	t.Helper()
	w := muster(t, n, observers, change...)
	for i := range n {
		w.start(i)
	}
	return w
}

// muster makes what gather starts.
func muster(t testing.TB, n, observers int, change ...func(*Options)) *crowd {
	t.Helper()
	w := &crowd{t: t, config: &ensemble.Config{}, change: change, own: map[int]func(*EnsembleOptions){}}
	for i := range n {
		host, ports := freePorts(t, 2)
		w.config.Members = append(w.config.Members, ensemble.Member{
			ID: ensemble.SID(i + 1), Observer: i >= n-observers,
			Peers: []ensemble.Addr{{Host: host, QuorumPort: ports[0], ElectionPort: ports[1]}},
		})
		w.room()
	}
	t.Cleanup(func() {
		for i := range w.all {
			w.stop(i)
		}
		if t.Failed() {
			for i, j := range w.logs {
				for _, l := range j.all() {
					t.Logf("%d: %s", i+1, l)
				}
			}
		}
	})
	return w
}

// room makes room for one more server.
func (w *crowd) room() {
	w.disks = append(w.disks, vfs.NewMem())
	w.faults = append(w.faults, vfs.NewFaulty(w.disks[len(w.disks)-1]))
	w.logs = append(w.logs, &journal{})
	w.all = append(w.all, nil)
	w.put(len(w.all)-1, "conf/zoo.cfg", zooCfg)
}

// freePorts finds ports that nobody has, on an address of this machine that no outgoing connection takes ports of.
func freePorts(t testing.TB, n int) (host string, ports []int) {
	t.Helper()
	host = fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254))
	if l, err := net.Listen("tcp", host+":0"); err != nil {
		host = "127.0.0.1"
	} else {
		l.Close()
	}
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return host, ports
}

func (w *crowd) start(i int) {
	w.t.Helper()
	s, err := w.try(i)
	if err != nil {
		w.t.Fatal(err)
	}
	w.all[i] = s
}

func (w *crowd) try(i int) (*Server, error) {
	return try(w.faults[i], append([]func(*Options){w.logs[i].into, func(o *Options) {
		e := DefaultEnsemble()
		e.SID, e.Config, e.InitLimit, e.SyncLimit, e.ConnectLimit = ensemble.SID(i+1), w.config, 20, 10, 20
		if own := w.own[i]; own != nil {
			own(&e)
		}
		o.Ensemble, o.ServerID = &e, int64(i+1)
	}}, w.change...)...)
}

func (w *crowd) stop(i int) {
	if w.all[i] != nil {
		w.all[i].Close()
		w.all[i] = nil
	}
}

func (s *Server) role() zab.Role {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, _ := s.rep.Role()
	return r
}

// serving waits until all that run serve under one leader, in one epoch, and gives who leads. One that has not noticed yet that its
// leader is gone, or one that is about to hand over, serves too, for a moment.
func (w *crowd) serving() int {
	w.t.Helper()
	leader := -1
	eventually(w.t, "everybody serves", func() bool {
		leader = -1
		var of zab.Role // what the first says
		for i, s := range w.all {
			if s == nil {
				continue
			}
			r := s.role()
			if of.Leader == 0 {
				of = r
			}
			if !r.Serving || r.Leader != of.Leader || r.Epoch != of.Epoch {
				return false
			}
			if r.State == zab.Leading {
				leader = i
			}
		}
		return leader >= 0
	})
	return leader
}

// same waits until all that run have the same tree.
func (w *crowd) same() {
	w.t.Helper()
	eventually(w.t, "the same tree everywhere", func() bool {
		var z zk.Zxid
		var digest int64
		first := true
		for _, s := range w.all {
			if s == nil {
				continue
			}
			s.mu.RLock()
			x, d := s.rep.Tree().LastZxid(), s.rep.Tree().Digest()
			s.mu.RUnlock()
			if !first && (x != z || d != digest) {
				return false
			}
			z, digest, first = x, d, false
		}
		return true
	})
}

// Three servers find a leader, and what is written through any is there on all; a session goes on over another server.
func TestEnsemble(t *testing.T) {
	w := gather(t, 3, 0)
	leader := w.serving()
	follower := w.all[(leader+1)%3]
	c := connect(t, follower, lasting)
	c.must(&wire.Create{Type: wire.OpCreate, Path: "/a", Data: []byte("x"), ACL: zk.WorldACL(zk.PermAll)})
	c.must(ephemeral("/e"))
	l := connect(t, w.all[leader], lasting)
	l.must(&wire.SetData{Path: "/a", Data: []byte("y"), Version: -1})
	c.must(&wire.Sync{Path: "/a"})
	if !c.exists("/e") {
		t.Error("no ephemeral")
	}
	again, refused := c.resume(w.all[(leader+2)%3])
	if refused {
		t.Fatal("the session does not go on over another server")
	}
	if !again.exists("/e") {
		t.Error("the ephemeral is gone")
	}
	w.same()
}

// After the leader has gone the others go on, with all that was acknowledged; it comes back and follows.
func TestLeaderStops(t *testing.T) {
	w := gather(t, 3, 0)
	leader := w.serving()
	c := connect(t, w.all[(leader+1)%3], lasting)
	for i := range 50 {
		c.must(&wire.Create{Type: wire.OpCreate, Path: fmt.Sprintf("/n%d", i), ACL: zk.WorldACL(zk.PermAll)})
	}
	w.stop(leader)
	start := time.Now()
	w.serving()
	t.Logf("serving after %v", time.Since(start))
	d, refused := c.resume(w.all[(leader+1)%3])
	if refused {
		t.Fatal("the session has ended")
	}
	for i := range 50 {
		if !d.exists(fmt.Sprintf("/n%d", i)) {
			t.Fatalf("/n%d is gone", i)
		}
	}
	d.must(&wire.Create{Type: wire.OpCreate, Path: "/after", ACL: zk.WorldACL(zk.PermAll)})
	w.start(leader)
	w.serving()
	w.same()
}
