package server

import (
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// pass lets time pass for the sessions of a server, and for nothing else: the machine may be as slow as it likes.
func pass(s *Server, d time.Duration) { s.ahead.Add(d.Milliseconds()) }

// served is the server's side of a client's connection.
func served(t *testing.T, s *Server, c *client) *conn {
	t.Helper()
	for _, sc := range s.conns.list() {
		if sc.addr.String() == c.nc.LocalAddr().String() {
			return sc
		}
	}
	t.Fatal("the server does not know the connection")
	return nil
}

// ping sends a ping, which must be answered.
func ping(c *client) {
	c.t.Helper()
	c.send(&wire.Ping{})
	if r, err := c.next(); err != nil || r.Xid != wire.XidPing || r.Err != zk.OK {
		c.t.Fatalf("a session that pings: %+v, %v", r, err)
	}
}

// Sessions end at a tick, with what they own; those whose clients speak, if only by pings, go on.
func TestExpiry(t *testing.T) {
	t.Parallel()
	var j journal
	s := start(t, vfs.NewMem(), j.into, func(o *Options) { o.TickTime = 20 * time.Millisecond })
	const timeout = 10 * time.Minute
	quiet, spoken, watcher := connect(t, s, timeout), connect(t, s, timeout), connect(t, s, lasting)
	quiet.must(ephemeral("/quiet"))
	watcher.must(&wire.Exists{Path: "/quiet", Watch: true})
	for range 3 {
		pass(s, timeout*2/5)
		ping(spoken)
	}
	j.wait(t, "INFO Expiring session "+quiet.session.SessionID.String())
	eventually(t, "the ephemeral is gone", func() bool { return !watcher.exists("/quiet") })
	if len(watcher.notices) != 1 || watcher.notices[0].Type != zk.EventNodeDeleted {
		t.Errorf("the watcher saw %v", watcher.notices)
	}
	quiet.ended()
	if _, refused := quiet.resume(s); !refused {
		t.Error("an expired session goes on")
	}
	ping(spoken)
	if n := j.with("Expiring session"); n != 1 {
		t.Errorf("%d sessions expired", n)
	}
}

// A server that is too busy to read, or was stopped for a while, does not take that for the silence of its clients: a request
// that waits in the socket when the session is due has been heard of. One that says nothing ends.
func TestUnreadRequestKeepsSession(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.TickTime = time.Hour }) // the test ticks
	c, quiet := connect(t, s, lasting), connect(t, s, lasting)
	sc := served(t, s, c)
	if _, plain := sc.sock.(*plainSock); plain {
		t.Skip("this system does not tell what waits in a socket")
	}
	s.mu.Lock()
	unlock := s.mu.Unlock
	defer func() { unlock() }()
	before := sc.heard.Load()
	pass(s, time.Minute)
	c.send(&wire.Ping{})
	eventually(t, "its goroutine waits for the lock", func() bool { return sc.heard.Load() > before })
	c.send(&wire.Ping{}) // nobody reads this one
	tick := func() []zk.SessionID {
		pass(s, lasting+2*s.opt.TickTime)
		var eff replica.Effects
		s.rep.Step(&replica.Tick{Now: time.Now().UnixMilli(), Clock: s.clock(), Heard: heard}, &eff)
		s.eff.Log = append(s.eff.Log, eff.Log...)
		return eff.Expired
	}
	// On the loopback a segment is there when its write returns, or nearly so.
	eventually(t, "the ping is in the socket", sc.unread)
	if ended := tick(); len(ended) != 1 || ended[0] != quiet.session.SessionID {
		t.Errorf("expired: %v, want only %v", ended, quiet.session.SessionID)
	}
	s.mu.Unlock()
	unlock = func() {}
	for range 2 {
		if r, err := c.next(); err != nil || r.Xid != wire.XidPing {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	eventually(t, "all is read", func() bool { return !sc.unread() })
	s.mu.Lock()
	unlock = s.mu.Unlock
	if ended := tick(); len(ended) != 1 || ended[0] != c.session.SessionID {
		t.Errorf("expired in the end: %v, want %v", ended, c.session.SessionID)
	}
}

// A tick that comes late judges by when it should have come at the latest: what came meanwhile, the handshakes too by which
// clients take up their sessions, is read first.
func TestLateTick(t *testing.T) {
	const tick = 1000
	for _, c := range []struct{ began, at, want int64 }{
		{2500, 3000, 3000},
		{2500, 3007, 3007},
		{2500, 4000, 4000},
		{2500, 4001, 2500}, // a whole tick late
		{2500, 90000, 2500},
		{3000, 4000, 4000}, // it began at a boundary
		{3000, 5001, 3000},
	} {
		if got := judged(c.began, c.at, tick); got != c.want {
			t.Errorf("began at %d, ran at %d: judges by %d, want %d", c.began, c.at, got, c.want)
		}
	}
}
