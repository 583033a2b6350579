package server

import (
	"context"
	"errors"
	"strings"
	"testing"

	public "github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

func readOnlyMode(o *Options) { o.ReadOnlyMode = true }

// greet sends a handshake that allows a read-only server, with the session of c, or 0 for a new one.
func greet(t *testing.T, s *Server, session wire.ConnectResponse) *client {
	t.Helper()
	next := dial(t, s)
	req := wire.ConnectRequest{TimeOut: lastingMs, SessionID: session.SessionID, ReadOnly: true}
	if session.SessionID != 0 {
		req.Password = session.Password[:]
	}
	next.write(hello(&req))
	return next
}

func (s *Server) isReadOnly() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.ReadOnly()
}

// strand stops all but one member, i, and waits until that one is read-only.
func (w *crowd) strand(i int) *Server {
	w.t.Helper()
	for k := range w.all {
		if k != i {
			w.stop(k)
		}
	}
	eventually(w.t, "read-only mode", w.all[i].isReadOnly)
	return w.all[i]
}

// A voter without a quorum answers reads, of clients that will have no more; with a leader it is a member like before.
func TestReadOnly(t *testing.T) {
	w := gather(t, 3, 0, readOnlyMode)
	left := w.serving() // also who led is left alone
	c := connect(t, w.all[left], lasting)
	c.must(create("/a", "x"))
	c.must(ephemeral("/e"))
	if c.session.ReadOnly || word(t, w.all[left], "isro") != "rw" {
		t.Error("a member that serves calls itself read-only")
	}
	s := w.strand(left)
	c.ended()

	if got := word(t, s, "isro"); got != "ro" {
		t.Errorf("isro: %q", got)
	}
	if got := word(t, s, "srvr"); !strings.Contains(got, "Mode: read-only\n") || !strings.Contains(got, "\nREAD-ONLY mode; serving only read-only clients\n") {
		t.Errorf("srvr: %s", got)
	}
	if got := word(t, s, "conf"); strings.Contains(got, "membership") {
		t.Errorf("conf: %s", got)
	}

	other := dial(t, s)
	other.write(hello(&wire.ConnectRequest{TimeOut: lastingMs}))
	other.ended()
	greet(t, s, c.session).ended() // of the ensemble: it may go on elsewhere
	unknown := wire.ConnectResponse{SessionID: c.session.SessionID + 1000}
	greet(t, s, unknown).ended()

	r := greet(t, s, wire.ConnectResponse{})
	r.welcomed()
	if !r.session.ReadOnly {
		t.Error("the handshake does not say read-only")
	}
	if data, _ := r.data("/a"); data != "x" {
		t.Errorf("data %q", data)
	}
	last := r.must(&wire.Exists{Path: "/e", Watch: true}).Zxid
	for _, op := range []wire.Op{
		create("/b", ""), ephemeral("/b"), set("/a", "y"), &wire.Delete{Path: "/a", Version: -1}, &wire.Sync{Path: "/a"},
		&wire.SetACL{Path: "/a", ACL: zk.WorldACL(zk.PermAll), Version: -1}, &wire.Multi{Ops: []wire.Op{set("/a", "y")}}, &wire.Multi{},
	} {
		if got := r.call(op); got.Err != zk.NotReadOnly || got.Zxid != last || len(got.body) != 0 {
			t.Errorf("%v: %v, zxid %v, %d bytes; want NotReadOnly, %v", op.OpCode(), got.Err, got.Zxid, len(got.body), last)
		}
	}
	r.send(&wire.Ping{})
	r.recv(wire.XidPing)

	// The session is resumed here, and ended by its client.
	again := greet(t, s, r.session)
	again.welcomed()
	r.ended()
	if again.session.SessionID != r.session.SessionID || !again.session.ReadOnly {
		t.Errorf("resumed as %+v", again.session)
	}
	wrong := again.session
	wrong.Password[3]++
	if got := greet(t, s, wrong).greeting(); got.TimeOut != 0 {
		t.Errorf("a wrong password is answered with %+v", got)
	}
	r = greet(t, s, wire.ConnectResponse{})
	r.welcomed()
	r.must(&wire.CloseSession{})
	r.ended()
	if n := locals(s); n != 1 { // whose connection the wrong password has cost
		t.Errorf("%d local sessions are left", n)
	}
	r = greet(t, s, wire.ConnectResponse{})
	r.welcomed()

	// A leader is found: connections end, and what the mode has given is unknown.
	w.start((left + 1) % 3)
	r.ended()
	w.serving()
	if s.isReadOnly() || word(t, s, "isro") != "rw" {
		t.Error("still read-only")
	}
	if n := locals(s); n != 0 {
		t.Errorf("%d local sessions have come along", n)
	}
	if _, refused := r.resume(s); !refused {
		t.Error("a read-only session goes on")
	}
	back, refused := c.resume(s)
	if refused {
		t.Fatal("the session of before has ended")
	}
	back.must(set("/a", "z"))
	w.start((left + 2) % 3)
	w.serving()
	w.same()
}

func locals(s *Server) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.Locals().Len()
}

// Without the switch, and as an observer, a member that finds no leader answers nobody.
func TestReadOnlyIsAskedFor(t *testing.T) {
	w := gather(t, 2, 1, readOnlyMode)
	w.serving()
	w.stop(0)
	observer := w.all[1]
	if observer.role().State == zab.Leading {
		t.Fatal("an observer leads")
	}
	eventually(t, "looking", func() bool { return observer.role().State == zab.Looking })
	at := observer.clock()
	plain := gather(t, 3, 0)
	leader := plain.serving()
	plain.stop((leader + 1) % 3)
	plain.stop((leader + 2) % 3)
	voter := plain.all[leader]
	eventually(t, "looking", func() bool { return voter.role().State == zab.Looking })
	since := voter.clock()
	eventually(t, "the time of read-only mode", func() bool { return observer.clock() > at+3000 && voter.clock() > since+3000 })
	for _, s := range []*Server{observer, voter} {
		if s.isReadOnly() {
			t.Error("read-only")
		}
		greet(t, s, wire.ConnectResponse{}).ended()
	}
}

// The public client reads over what is left of an ensemble, and writes when there is more again.
func TestReadOnlyClient(t *testing.T) {
	w := gather(t, 3, 0, readOnlyMode)
	leader := w.serving()
	connect(t, w.all[leader], lasting).must(create("/a", "x"))
	w.same()
	s := w.strand((leader + 1) % 3)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := public.Dial(ctx, []string{s.Addr().String()}, &public.Options{SessionTimeout: lasting, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.State(); got != public.ConnectedReadOnly {
		t.Errorf("state %v", got)
	}
	if data, _, err := c.Get(ctx, "/a"); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := c.Set(ctx, "/a", []byte("y"), -1); !errors.Is(err, zk.NotReadOnly) {
		t.Errorf("set: %v", err)
	}
	w.start(leader)
	w.serving()
	eventually(t, "the client writes", func() bool {
		_, err := c.Set(ctx, "/a", []byte("y"), -1)
		return err == nil
	})
	if got := c.State(); got != public.Connected {
		t.Errorf("state %v", got)
	}
}
