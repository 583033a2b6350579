package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// Observers serve reads, and writes through the leader. They outlive its loss, with their clients' sessions, and no number of them
// makes a quorum or takes part in one (ZOOKEEPER-2959).
func TestEnsembleObservers(t *testing.T) {
	w := gather(t, 6, 3)
	leader := w.serving()
	for i := range 3 {
		if r := w.all[3+i].role(); r.State != zab.Observing {
			t.Fatalf("server %d: %+v", 4+i, r)
		}
	}
	c := connect(t, w.all[4], lasting)
	c.must(ephemeral("/mine"))
	c.fill("/n", 20)
	if n := c.all("/n", 20); n != 20 {
		t.Errorf("an observer shows %d of 20 of its own client's writes", n)
	}
	w.stop(leader)
	w.serving()
	d, refused := c.resume(w.all[5])
	if refused || !d.exists("/mine") || d.all("/n", 20) != 20 {
		t.Fatal("something is gone with the leader")
	}
	d.must(set("/n0", "y"))
	// Four of six are left, three of them observers: nobody leads.
	next := w.serving()
	w.stop(next)
	last := 3 - leader - next
	eventually(t, "nobody serves", func() bool {
		for _, s := range w.all {
			if s != nil && s.role().Serving {
				return false
			}
		}
		return true
	})
	for _, i := range []int{last, 3, 4, 5} {
		e := dial(t, w.all[i])
		e.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
		e.ended()
	}
	w.start(leader)
	if now := w.serving(); now > 2 {
		t.Errorf("observer %d leads", now+1)
	}
	f, refused := d.resume(w.all[3])
	if refused || !f.exists("/mine") {
		t.Fatal("the session has ended")
	}
	if data, _ := f.data("/n0"); data != "y" {
		t.Errorf("%q", data)
	}
	w.same()
}

// Observers that do not answer hold up no write: they acknowledge nothing that counts. One whose disk is full goes on to show what the
// others have.
func TestEnsembleObserverOnFullDisk(t *testing.T) {
	w := gather(t, 4, 1, func(o *Options) { o.PreAllocSize = 0 })
	leader := w.serving()
	c, d := connect(t, w.all[leader], lasting), connect(t, w.all[3], lasting)
	w.same()
	w.faults[3].SetSpace(0)
	c.fill("/n", 20)
	d.must(&wire.Sync{Path: "/"})
	if n := d.all("/n", 20); n != 20 {
		t.Errorf("%d of 20 behind a sync", n)
	}
	w.faults[3].SetSpace(-1)
	w.same()
	w.stop(3)
	w.start(3)
	w.serving()
	w.same()
}

// Watches are set again over another kind of server, with the zxid that the client has seen last: it hears of what it has missed,
// and of nothing else (ZOOKEEPER-1412).
func TestEnsembleWatchesMove(t *testing.T) {
	w := gather(t, 4, 1)
	leader := w.serving()
	writer := connect(t, w.all[leader], lasting)
	for _, p := range []string{"/kept", "/changed", "/gone"} {
		writer.must(create(p, ""))
	}
	c := connect(t, w.all[3], lasting)
	for _, to := range []int{w.followers()[0], leader, 3} {
		c.must(&wire.Sync{Path: "/"})
		for _, p := range []string{"/kept", "/changed", "/gone"} {
			c.must(&wire.GetData{Path: p, Watch: true})
		}
		seen := c.must(&wire.Exists{Path: "/kept"}).Zxid
		c.nc.Close()
		writer.must(set("/changed", "x"))
		writer.must(&wire.Delete{Path: "/gone", Version: -1})
		d, refused := c.resume(w.all[to])
		if refused {
			t.Fatal("the session has ended")
		}
		d.must(&wire.Sync{Path: "/"})
		d.write(wire.AppendRequestFrame(nil, wire.XidSetWatches, &wire.SetWatches{
			RelativeZxid: seen, Data: []string{"/kept", "/changed", "/gone"}, Exist: []string{}, Child: []string{},
		}))
		d.recv(wire.XidSetWatches)
		got := map[string]zk.EventType{}
		for _, e := range d.notices {
			got[e.Path] = e.Type
		}
		if len(d.notices) != 2 || got["/changed"] != zk.EventNodeDataChanged || got["/gone"] != zk.EventNodeDeleted {
			t.Errorf("over server %d: %v", to+1, d.notices)
		}
		writer.must(set("/kept", "x"))
		d.must(&wire.Sync{Path: "/"})
		if len(d.notices) != 3 || d.notices[2].Path != "/kept" {
			t.Errorf("over server %d: %v", to+1, d.notices)
		}
		writer.must(create("/gone", ""))
		c = d
	}
}
