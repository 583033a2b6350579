package server

import (
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// A session outlives its connection, and goes on where its id and password are shown.
func TestResume(t *testing.T) {
	s := start(t, vfs.NewMem())
	a := connect(t, s, 10*time.Second)
	a.must(ephemeral("/e"))
	a.must(&wire.Exists{Path: "/e", Watch: true})

	b, refused := a.resume(s)
	if refused || b.session != a.session {
		t.Fatalf("resumed as %+v, not %+v", b.session, a.session)
	}
	a.ended() // a session has one connection
	if !b.exists("/e") {
		t.Error("the ephemeral is gone")
	}
	b.must(set("/e", "x"))
	if len(b.notices) > 0 {
		t.Errorf("a watch came over from the old connection: %v", b.notices)
	}

	b.session.Password[3]++
	c, refused := b.resume(s)
	if !refused || c.session != (wire.ConnectResponse{HasReadOnly: true}) {
		t.Errorf("a wrong password gave %+v", c.session)
	}
	c.ended()
	b.ended() // before the password is looked at
	b.session.Password[3]--
	d, refused := b.resume(s)
	if refused {
		t.Fatal("a wrong password ended the session")
	}
	d.must(&wire.CloseSession{})
	d.ended()
	if e, refused := d.resume(s); !refused {
		t.Errorf("a closed session goes on as %+v", e.session)
	}
}

// The readOnly byte is answered only to those who sent it: clients before 3.4 do not know it (defect 52).
func TestOldHandshake(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := dial(t, s)
	b, mark := wire.BeginFrame(nil)
	req := wire.ConnectRequest{TimeOut: 6000, Password: make([]byte, 16)}
	c.write(wire.EndFrame(req.Append(b), mark))
	f, err := c.frame()
	if err != nil || len(f) != 36 {
		t.Fatalf("the answer has %d bytes, %v", len(f), err)
	}
	c.must(create("/old", ""))
}

// What comes with the handshake in one segment waits for the session, and then is its own.
func TestPipelinedHandshake(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := dial(t, s)
	b := hello(&wire.ConnectRequest{TimeOut: 10000})
	for _, op := range []wire.Op{ephemeral("/early"), &wire.GetData{Path: "/early"}, &wire.Ping{}, &wire.GetEphemerals{}} {
		b = append(b, c.request(op)...)
	}
	c.write(b)
	c.welcomed()
	if r := c.recv(1); r.Err != zk.OK {
		t.Fatalf("create: %v", r.Err)
	}
	var d wire.DataReply
	c.recv(2).into(t, &d)
	if d.Stat.EphemeralOwner != c.session.SessionID {
		t.Errorf("owner %x, session %v", d.Stat.EphemeralOwner, c.session.SessionID)
	}
	if r, err := c.next(); err != nil || r.Xid != wire.XidPing {
		t.Errorf("after the read came %+v, %v", r, err)
	}
	var e wire.ChildrenReply
	c.recv(4).into(t, &e)
	if len(e.Children) != 1 || e.Children[0] != "/early" {
		t.Errorf("ephemerals: %q", e.Children)
	}
}

// A client that has seen more than the server has is not told that its session expired, but sent elsewhere.
func TestFutureZxid(t *testing.T) {
	s := start(t, vfs.NewMem())
	c := dial(t, s)
	c.write(hello(&wire.ConnectRequest{TimeOut: 10000, LastZxidSeen: 1000}))
	c.ended()
}

// A connection that never shakes hands is closed, whether it is silent or stops half-way.
func TestSilentConnection(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.HandshakeTimeout = 50 * time.Millisecond })
	silent, half := dial(t, s), dial(t, s)
	half.write(hello(&wire.ConnectRequest{TimeOut: 10000})[:20])
	silent.ended()
	half.ended()
	eventually(t, "both forgotten", func() bool { return s.conns.len() == 0 })
}

// Sessions end at a tick, with what they own; those whose clients speak, if only by pings, go on.
func TestExpiry(t *testing.T) {
	t.Parallel()
	var j journal
	s := start(t, vfs.NewMem(), j.into, func(o *Options) {
		o.TickTime, o.MinSessionTimeout = 20*time.Millisecond, 100*time.Millisecond
	})
	quiet, watcher := connect(t, s, 100*time.Millisecond), connect(t, s, 40*time.Second)
	quiet.must(ephemeral("/quiet"))
	watcher.must(&wire.Exists{Path: "/quiet", Watch: true})
	spoken := connect(t, s, time.Second)
	// Pings are answered for as long as the quiet one lives, and then some.
	ends := time.Time{}
	for ends.IsZero() || time.Now().Before(ends) {
		spoken.send(&wire.Ping{})
		if r, err := spoken.next(); err != nil || r.Err != zk.OK {
			t.Fatalf("a session that pings: %v, %v", r.Err, err)
		}
		if ends.IsZero() && !watcher.exists("/quiet") {
			ends = time.Now().Add(1500 * time.Millisecond)
		}
		time.Sleep(5 * time.Millisecond) // how often a client pings
	}
	if len(watcher.notices) != 1 || watcher.notices[0].Type != zk.EventNodeDeleted {
		t.Errorf("the watcher saw %v", watcher.notices)
	}
	quiet.ended()
	if _, refused := quiet.resume(s); !refused {
		t.Error("an expired session goes on")
	}
	j.wait(t, "INFO Expiring session "+quiet.session.SessionID.String())
}
