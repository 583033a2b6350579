package server

import (
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Behind the throttle no more than the limit is in process, order is kept, and nothing is lost.
func TestRequestThrottle(t *testing.T) {
	disk := newDam(vfs.NewMem())
	s := start(t, disk, func(o *Options) { o.RequestThrottleMax, o.RequestThrottleStall = 3, 5*time.Millisecond })
	var clients []*client
	for range 4 {
		clients = append(clients, connect(t, s, lasting))
	}
	disk.shut()
	defer disk.open()
	const n = 50
	for i, c := range clients {
		var ops []wire.Op
		for k := range n {
			ops = append(ops, create(name("/t%d-%d", i, k), ""), &wire.Exists{Path: name("/t%d-%d", i, k)})
		}
		c.send(ops...)
	}
	eventually(t, "the throttle is full", func() bool { return s.gate.inProcess() == 3 })
	late := connectLater(t, s)
	disk.open()
	for _, c := range clients {
		for xid := range int32(2 * n) {
			if r := c.recv(xid + 1); r.Err != zk.OK {
				t.Fatalf("reply %d: %v", xid+1, r.Err)
			}
			if got := s.gate.inProcess(); got > 3+1 { // a handshake is not throttled
				t.Fatalf("%d requests in process", got)
			}
		}
	}
	late.welcomed()
}

// connectLater sends a handshake without waiting for its answer.
func connectLater(t *testing.T, s *Server) *client {
	c := dial(t, s)
	c.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
	return c
}

// A request that waited too long in the throttle is refused in its turn, without a zxid; pings, auth and the end of a session
// never are.
func TestThrottledOp(t *testing.T) {
	disk := newDam(vfs.NewMem())
	s := start(t, disk, func(o *Options) {
		o.RequestThrottleMax, o.RequestThrottleStall = 1, time.Millisecond
	})
	a, b := connect(t, s, lasting), connect(t, s, lasting)
	disk.shut()
	defer disk.open()
	a.send(create("/a", ""))
	eventually(t, "the throttle is full", func() bool { return s.gate.inProcess() == 1 })
	s.opt.ThrottledOpWait = 20 * time.Millisecond // from now on: the first did not have to wait, however slow the machine
	b.send(create("/b", ""), &wire.Ping{}, &wire.GetData{Path: "/"}, &wire.CloseSession{})
	eventually(t, "they are in the throttle", served(t, s, b).held.Load)
	asked := time.Now()
	eventually(t, "they have waited", func() bool { return time.Since(asked) > 100*time.Millisecond })
	disk.open()
	if r := a.recv(1); r.Err != zk.OK {
		t.Fatal(r.Err)
	}
	if r := b.recv(1); r.Err != zk.ThrottledOp || len(r.body) > 0 {
		t.Errorf("%+v", r)
	}
	if r := b.recv(wire.XidPing); r.Err != zk.OK {
		t.Errorf("ping: %v", r.Err)
	}
	if r := b.recv(3); r.Err != zk.ThrottledOp {
		t.Errorf("%+v", r)
	}
	if r := b.recv(4); r.Err != zk.OK {
		t.Errorf("closeSession: %v", r.Err)
	}
	b.ended()
	s.opt.ThrottledOpWait = 0
	if a.exists("/b") {
		t.Error("a refused request was carried out")
	}
}

// What a connection that is closed has left in the throttle is dropped.
func TestThrottleDropsStale(t *testing.T) {
	disk := newDam(vfs.NewMem())
	s := start(t, disk, func(o *Options) { o.RequestThrottleMax, o.RequestThrottleStall = 1, time.Millisecond })
	a, b := connect(t, s, lasting), connect(t, s, lasting)
	disk.shut()
	defer disk.open()
	a.send(create("/a", ""))
	eventually(t, "the throttle is full", func() bool { return s.gate.inProcess() == 1 })
	b.send(create("/b", ""))
	b2, refused := b.resume(s) // the old connection goes
	if refused {
		t.Fatal("refused")
	}
	b.ended()
	eventually(t, "it is dropped", func() bool { return s.conns.len() == 2 })
	disk.open()
	a.recv(1)
	if b2.exists("/b") {
		t.Error("a stale request was carried out")
	}
}

// Large requests in process may have so many bytes in all; one more closes its connection. What is answered counts no more.
func TestLargeRequests(t *testing.T) {
	disk := newDam(vfs.NewMem())
	var j journal
	s := start(t, disk, j.into, func(o *Options) { o.LargeRequestThreshold, o.LargeRequestMaxBytes = 1000, 25_000 })
	a, b := connect(t, s, lasting), connect(t, s, lasting)
	large := strings.Repeat("x", 10_000)
	a.must(create("/a", ""))
	for range 5 { // one after the other
		a.must(set("/a", large))
	}
	disk.shut()
	defer disk.open()
	a.send(set("/a", large), set("/a", "small"), set("/a", large))
	eventually(t, "they are in process", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.rep.InFlight() == 3
	})
	b.send(set("/a", "small"))
	b.send(set("/a", large))
	b.ended()
	j.wait(t, "WARN Rejecting large request")
	disk.open()
	for xid := int32(7); xid <= 9; xid++ {
		if r := a.recv(xid); r.Err != zk.OK {
			t.Error(r.Err)
		}
	}
	// What a connection held goes with it.
	disk.shut()
	a.send(set("/a", large), set("/a", large))
	eventually(t, "they are counted", func() bool {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		return s.gate.large > 20_000
	})
	a.nc.Close()
	eventually(t, "nothing is counted", func() bool {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		return s.gate.large == 0
	})
}
