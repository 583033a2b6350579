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
	a := connect(t, s, lasting)
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
	req := wire.ConnectRequest{TimeOut: lastingMs, Password: make([]byte, 16)}
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
	b := hello(&wire.ConnectRequest{TimeOut: lastingMs})
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
	c.write(hello(&wire.ConnectRequest{TimeOut: lastingMs, LastZxidSeen: 1000}))
	c.ended()
}

// A connection that never shakes hands is closed, whether it is silent or stops half-way.
func TestSilentConnection(t *testing.T) {
	s := start(t, vfs.NewMem(), func(o *Options) { o.HandshakeTimeout = 50 * time.Millisecond })
	silent, half := dial(t, s), dial(t, s)
	half.write(hello(&wire.ConnectRequest{TimeOut: lastingMs})[:20])
	silent.ended()
	half.ended()
	eventually(t, "both forgotten", func() bool { return s.conns.len() == 0 })
}
