package server

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// observerMasters gives all servers that start from now on a port for observers, which is free on all their addresses.
func (w *crowd) observerMasters() {
	w.t.Helper()
	port := 0
	for tries := 0; port == 0; tries++ {
		if tries == 100 {
			w.t.Fatal("no port is free everywhere")
		}
		_, ports := freePorts(w.t, 1)
		port = ports[0]
		for _, m := range w.config.Members {
			l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", m.Peers[0].Host, port))
			if err != nil {
				port = 0
				break
			}
			l.Close()
		}
	}
	w.change = append(w.change, func(o *Options) { o.Ensemble.ObserverMasterPort = port })
}

// master is whom a server that observes has gone to.
func (s *Server) master() (sid ensemble.SID) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sid, _ = s.member.links.Dialled(s.member.up)
	return sid
}

// Observers that have followers for masters serve as those of the leader do: reads, writes, syncs, sessions that move. Where their master
// goes, or stops to follow, they go to another; the leader has them only if there is nobody else.
func TestEnsembleObserverMasters(t *testing.T) {
	w := muster(t, 5, 2)
	w.observerMasters()
	for i := range 3 {
		w.start(i)
	}
	w.serving() // so that no observer finds followers that do not serve yet, and goes to the leader
	w.start(3)
	w.start(4)
	leader := w.serving()
	if n := values(word(t, w.all[leader], "mntr"))["zk_learners"]; n != "2" {
		t.Errorf("the leader has %s learners", n)
	}
	c := connect(t, w.all[3], lasting)
	for round, stopped := 0, -1; round < 3; round++ {
		path := name("/n%d-", round)
		if round == 0 {
			c.must(ephemeral("/mine"))
		}
		c.fill(path, 20)
		if n := c.all(path, 20); n != 20 {
			t.Errorf("round %d: an observer shows %d of 20 of its own client's writes", round, n)
		}
		for i, s := range w.all {
			if s == nil {
				continue
			}
			d := connect(t, s, lasting)
			d.must(&wire.Sync{Path: "/"})
			if n := d.all(path, 20); n != 20 {
				t.Errorf("round %d: %d of 20 over server %d, behind a sync", round, n, i+1)
			}
			d.must(&wire.CloseSession{})
		}
		// The session goes to the observer's master, and back.
		master := int(w.all[3].master()) - 1
		if master == w.serving() {
			t.Errorf("round %d: an observer is the leader's", round)
		}
		for _, to := range []int{master, 3} {
			d, refused := c.resume(w.all[to])
			if refused || !d.exists("/mine") {
				t.Fatalf("round %d: the session does not go on over server %d", round, to+1)
			}
			d.must(set("/mine", "y"))
			if to == 3 {
				c.ended() // the master has passed on the answer that it is served elsewhere now
			}
			c = d
		}
		w.same()
		if stopped >= 0 {
			w.start(stopped)
			w.serving()
		}
		stopped = []int{master, w.serving(), -1}[round]
		if stopped >= 0 {
			w.stop(stopped)
			gone := ensemble.SID(stopped + 1)
			eventually(t, "the observers have got over it", func() bool {
				for _, o := range w.all[3:] {
					if m := o.master(); m == gone || m == ensemble.NoSID { // nobody: it is about to notice
						return false
					}
				}
				r := w.all[3].role()
				return r.Serving && r.Leader != gone
			})
			w.serving()
			d, refused := c.resume(w.all[3])
			if refused {
				t.Fatal("the session has ended")
			}
			c = d
		}
	}
	w.same()
}

// An observer that takes nothing is sent away by its master when it is too far behind, and comes again.
func TestEnsembleObserverTooFarBehind(t *testing.T) {
	w := muster(t, 4, 1)
	w.observerMasters()
	m := &mesh{dead: map[string]bool{}}
	w.change = append(w.change, func(o *Options) {
		o.Ensemble.ObserverMasterLimit, o.Ensemble.SyncLimit = 100_000, 100 // it is not for its silence that it is sent away
		if o.Ensemble.SID == 4 {
			o.Ensemble.Dial = m.dial
		}
	})
	for i := range w.all {
		w.start(i)
	}
	c := connect(t, w.all[w.serving()], lasting)
	c.must(&wire.Create{Type: wire.OpCreate, Path: "/a", ACL: zk.WorldACL(zk.PermAll)})
	w.same()
	master := int(w.all[3].master()) - 1
	said := func() bool {
		return slices.ContainsFunc(w.logs[master].all(), func(l string) bool { return strings.Contains(l, "too far behind") })
	}
	m.held.Lock()
	for n := 0; !said(); n++ { // until the sockets are full, and then some
		if n == 1000 {
			t.Error("100 MB wait for an observer")
			break
		}
		c.must(&wire.SetData{Path: "/a", Data: make([]byte, 100_000), Version: -1})
	}
	m.held.Unlock()
	w.serving()
	w.same()
}

// An observer whose voters have no such port goes to the leader; and a member of the ensemble that votes is not taken in at that port.
func TestEnsembleWithoutObserverMasters(t *testing.T) {
	w := muster(t, 4, 1)
	w.start(0)
	w.start(1)
	w.start(2)
	leader := w.serving()
	w.observerMasters()
	w.start(3)
	w.serving()
	if m := int(w.all[3].master()) - 1; m != leader {
		t.Errorf("it has gone to %d", m+1)
	}
	c := connect(t, w.all[3], lasting)
	c.fill("/n", 20)
	w.same()
}

// A reconfiguration reaches observers over their master.
func TestEnsembleObserverMastersReconfigure(t *testing.T) {
	w := muster(t, 3, 0, func(o *Options) { o.ReconfigEnabled, o.Ensemble.ReconfigEnabled, o.SkipACL = true, true, true })
	w.observerMasters()
	for i := range w.all {
		w.start(i)
	}
	leader := w.serving()
	w.agreed(3, 0)
	c := connect(t, w.all[leader], lasting)
	i, line := w.newcomer("observer")
	w.start(i)
	c.reconfig(line, "")
	w.agreed(3, 1)
	eventually(t, "it observes", func() bool { r := w.all[i].role(); return r.State == zab.Observing && r.Serving })
	j, other := w.newcomer("observer")
	w.start(j)
	c.reconfig(other, "")
	w.agreed(3, 2)
	w.serving()
	d := connect(t, w.all[i], lasting)
	if text, _ := d.data("/zookeeper/config"); text != w.agreed(3, 2).String() {
		t.Errorf("it shows %q", text)
	}
	d.fill("/n", 20)
	w.same()
	// A follower is named to lead: its port for observers gives way to its quorum port, without an election.
	var before []int
	const vain = "looking: no quorum while discovering"
	for _, j := range w.logs {
		before = append(before, j.with(vain))
	}
	d.send(&wire.Reconfig{Leaving: name("%d", leader+1), MembersNull: true, CurConfigID: -1}) // the connection may end before its answer
	w.agreed(2, 2)
	if next := w.serving(); next == leader {
		t.Error("who was removed leads")
	}
	for i, j := range w.logs {
		if j.with(vain) > before[i] {
			t.Errorf("nobody could come to server %d at first", i+1)
		}
	}
	e, refused := d.resume(w.all[j])
	if refused {
		t.Fatal("the session has ended")
	}
	e.fill("/more", 20)
	w.same()
}
