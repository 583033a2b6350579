package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// patient makes ticks short and the limit between servers that serve so long that pass may let sessions' time pass and no server be
// given up. Who finds no followers does not wait for ever: it may have been elected by one that went to another.
func patient(o *Options) {
	o.TickTime = 20 * time.Millisecond
	o.Ensemble.InitLimit, o.Ensemble.SyncLimit, o.Ensemble.ConnectLimit = 500, 1<<24, 500
}

// followers are the servers that run and follow.
func (w *crowd) followers() (list []int) {
	for i, s := range w.all {
		if s != nil && s.role().State == zab.Following {
			list = append(list, i)
		}
	}
	return list
}

// knows tells whether a server has a session.
func (s *Server) knows(id zk.SessionID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.Sessions().Known(id)
}

// nowhere waits until no server has a session.
func (w *crowd) nowhere(id zk.SessionID) {
	w.t.Helper()
	eventually(w.t, "the session is gone everywhere", func() bool {
		for _, s := range w.all {
			if s != nil && s.knows(id) {
				return false
			}
		}
		return true
	})
}

// end is when the leader will end a session, on its clock, if nobody hears of it.
func (s *Server) end(id zk.SessionID, timeout time.Duration) (at int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for {
		due := false
		for _, d := range s.rep.Sessions().Due(at) {
			due = due || d == id
		}
		if due {
			return at
		}
		if at += timeout.Milliseconds() / 16; at > s.clock()+2*timeout.Milliseconds() {
			return -1
		}
	}
}

// A session whose client speaks, if only by pings, over a follower or an observer goes on: these tell the leader of it with their
// answers to its PINGs. One that says nothing is ended by the leader, with what it owns, on all servers, and whoever serves it closes
// its connection (ZOOKEEPER-4508).
func TestEnsembleExpiry(t *testing.T) {
	for _, at := range []string{"observers at the leader", "observers at followers"} {
		t.Run(at, func(t *testing.T) {
			w := muster(t, 4, 1, patient)
			if at == "observers at followers" {
				w.observerMasters()
			}
			for i := range w.all {
				w.start(i)
			}
			testExpiry(t, w)
		})
	}
}

func testExpiry(t *testing.T, w *crowd) {
	leader := w.all[w.serving()]
	follower, observer := w.all[w.followers()[0]], w.all[3]
	const timeout = 10 * time.Minute
	quiet := connect(t, follower, timeout)
	quietToo := connect(t, observer, timeout)
	spoken := connect(t, follower, timeout)
	spokenToo := connect(t, observer, timeout)
	watcher := connect(t, observer, lasting)
	for i, c := range []*client{quiet, quietToo, spoken, spokenToo} {
		c.must(ephemeral(name("/e%d", i)))
	}
	watcher.must(&wire.Sync{Path: "/"})
	watcher.must(&wire.Exists{Path: "/e0", Watch: true})
	// What the quiet ones have said may be told of as late as in the second step, where the leader hears of the others for the first
	// time. Their ten minutes end before the fifth.
	for range 5 {
		pass(leader, timeout*2/5)
		began := leader.clock()
		for _, c := range []*client{spoken, spokenToo} {
			ping(c)
			eventually(t, "the leader has heard", func() bool {
				end := leader.end(c.session.SessionID, timeout)
				return end < 0 || end > began+timeout.Milliseconds()/2
			})
		}
	}
	for _, c := range []*client{quiet, quietToo} {
		w.nowhere(c.session.SessionID)
		c.ended()
		if _, refused := c.resume(w.all[2]); !refused {
			t.Error("an expired session goes on")
		}
	}
	w.same()
	if watcher.exists("/e0") || watcher.exists("/e1") {
		t.Error("an ephemeral of an expired session is there")
	}
	if len(watcher.notices) != 1 || watcher.notices[0].Type != zk.EventNodeDeleted {
		t.Errorf("the watcher saw %v", watcher.notices)
	}
	for i, c := range []*client{spoken, spokenToo} {
		if ping(c); !watcher.exists(name("/e%d", i+2)) {
			t.Error("a session that pings has ended")
		}
	}
}

// A new leader gives all sessions their whole time anew: clients need it to find a server (ZOOKEEPER-1367, ClickHouse Keeper
// #121361).
func TestEnsembleNewLeaderRenewsSessions(t *testing.T) {
	w := gather(t, 3, 0, patient)
	leader := w.serving()
	const timeout = 10 * time.Minute
	c := connect(t, w.all[(leader+1)%3], timeout)
	c.must(ephemeral("/e"))
	for i := range w.all {
		if i != leader {
			pass(w.all[i], timeout*9/10)
		}
	}
	w.stop(leader)
	next := w.all[w.serving()]
	pass(next, timeout*9/10)
	d, refused := c.resume(next)
	if refused || !d.exists("/e") {
		t.Fatal("the session ended before its time")
	}
	pass(next, 2*timeout)
	w.nowhere(c.session.SessionID)
	if connect(t, next, timeout).exists("/e") {
		t.Error("the ephemeral outlives its session")
	}
}

// A session is served by one server at a time. After it was resumed elsewhere a write over the old server is not done, not
// answered, and ends that connection (ensemble protocol, section 6.6); whichever of the two leads.
func TestEnsembleSessionMoved(t *testing.T) {
	w := gather(t, 3, 0)
	leader := w.serving()
	f := w.followers()
	for _, way := range [][2]int{{f[0], f[1]}, {f[0], leader}, {leader, f[0]}} {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			from, to := w.all[way[0]], w.all[way[1]]
			old := connect(t, from, lasting)
			path := "/" + old.session.SessionID.String()
			old.must(create(path, "a"))
			now, refused := old.resume(to)
			if refused {
				t.Fatal("the session does not move")
			}
			// The leader closes its own at once, so the write may meet a closed connection.
			old.nc.Write(old.request(set(path, "over the old one")))
			old.ended()
			now.must(&wire.Sync{Path: path})
			if data, stat := now.data(path); data != "a" || stat.Version != 0 {
				t.Errorf("%q, version %d", data, stat.Version)
			}
			now.must(set(path, "b"))
			// And back, to where the old connection was.
			back, refused := now.resume(from)
			if refused {
				t.Fatal("the session does not move back")
			}
			back.must(set(path, "c"))
			now.nc.Write(now.request(set(path, "over the old one")))
			now.ended()
			if data, stat := back.data(path); data != "c" || stat.Version != 2 {
				t.Errorf("%q, version %d", data, stat.Version)
			}
		})
	}
	w.same()
}

// A session that ends while its client creates ephemerals over another server leaves none behind (ZOOKEEPER-2926, 1208).
func TestEnsembleCloseAgainstCreate(t *testing.T) {
	w := gather(t, 3, 0)
	w.serving()
	f := w.followers()
	for range 20 {
		a := connect(t, w.all[f[0]], lasting)
		id := a.session.SessionID
		var ops []wire.Op
		for i := range 10 {
			ops = append(ops, ephemeral(name("/%v-%d", id, i)))
		}
		a.send(ops...)
		b, refused := a.resume(w.all[f[1]])
		if refused {
			t.Fatal("the session does not move")
		}
		b.send(&wire.CloseSession{})
		w.nowhere(id)
	}
	c := connect(t, w.all[f[0]], lasting)
	c.must(&wire.Sync{Path: "/"})
	if got := c.children("/"); len(got) != 1 {
		t.Errorf("ephemerals stayed: %q", got)
	}
	w.same()
}

// What one client was answered over one server another finds over any other behind a sync.
func TestEnsembleSyncThenRead(t *testing.T) {
	w := gather(t, 4, 1)
	w.serving()
	var all []*client
	for _, s := range w.all {
		all = append(all, connect(t, s, lasting))
	}
	all[0].must(create("/a", ""))
	for round := range 40 {
		value := fmt.Sprint(round)
		all[round%4].must(set("/a", value))
		for i, c := range all {
			c.send(&wire.Sync{Path: "/a"}, &wire.GetData{Path: "/a"})
			c.recv(c.xid - 1)
			var d wire.DataReply
			if c.recv(c.xid).into(t, &d); string(d.Data) != value {
				t.Fatalf("round %d: %q over server %d", round, d.Data, i+1)
			}
		}
	}
}

// The requests of one connection are answered in their order, and each sees what was before it and nothing behind it (SessionFIFO),
// while other sessions write, over every kind of member.
func TestEnsembleSessionFIFO(t *testing.T) {
	w := gather(t, 4, 1)
	w.serving()
	var all []*client
	for i, s := range w.all {
		c := connect(t, s, lasting)
		c.must(create(name("/n%d", i), ""))
		all = append(all, c)
	}
	const rounds = 25
	for round := range rounds {
		for i, c := range all {
			p := name("/n%d", i)
			for k := range 4 {
				a, b := name("%d.%d a", round, k), name("%d.%d b", round, k)
				c.send(&wire.GetData{Path: p}, set(p, a), &wire.Sync{Path: p}, &wire.GetData{Path: p}, set(p, b), &wire.GetData{Path: p})
			}
		}
		for i, c := range all {
			before := ""
			if round > 0 {
				before = name("%d.3 b", round-1)
			}
			var zxid zk.Zxid
			first := c.xid - 23
			for k := range 4 {
				a, b := name("%d.%d a", round, k), name("%d.%d b", round, k)
				for n, want := range []string{before, "", "", a, "", b} {
					r := c.recv(first + int32(6*k+n))
					if r.Err != zk.OK || r.Zxid < zxid {
						t.Fatalf("%+v behind %v", r.ReplyHeader, zxid)
					}
					zxid = r.Zxid
					if n == 0 || n == 3 || n == 5 {
						var d wire.DataReply
						if r.into(t, &d); string(d.Data) != want {
							t.Fatalf("over server %d in round %d, request %d: %q, want %q", i+1, round, n, d.Data, want)
						}
					}
				}
				before = b
			}
		}
	}
	w.same()
}

// Whoever watches over a follower or an observer is told of a change before any answer shows it (etcd #15271), and of each change
// that is behind the setting of its watch.
func TestEnsembleWatchBeforeData(t *testing.T) {
	w := gather(t, 4, 1)
	leader := w.serving()
	writer := connect(t, w.all[leader], lasting)
	writer.must(create("/a", "-1"))
	var watchers []*client
	for i, s := range w.all {
		if i != leader {
			c := connect(t, s, lasting)
			c.must(&wire.Sync{Path: "/"})
			watchers = append(watchers, c)
		}
	}
	for round := range 30 {
		for _, c := range watchers {
			var d wire.DataReply
			c.must(&wire.GetData{Path: "/a", Watch: true}).into(t, &d)
			if string(d.Data) != fmt.Sprint(round-1) {
				t.Fatalf("%q before round %d", d.Data, round)
			}
		}
		writer.must(set("/a", fmt.Sprint(round)))
		for _, c := range watchers {
			for {
				told := len(c.notices)
				data, stat := c.data("/a")
				if data == fmt.Sprint(round) {
					if len(c.notices) != round+1 || c.notices[round].Zxid != stat.Mzxid {
						t.Fatalf("round %d is shown, %d notices came", round, len(c.notices))
					}
					break
				}
				if told == round+1 {
					t.Fatalf("told of round %d, and then %q", round, data)
				}
			}
		}
	}
}
