package server

import (
	"testing"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

func localSessions(o *Options) { o.Ensemble.LocalSessions = true }

func upgrading(o *Options) { o.Ensemble.LocalSessions, o.Ensemble.LocalSessionsUpgrading = true, true }

func (s *Server) zxid() zk.Zxid {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.Tree().LastZxid()
}

func globals(s *Server) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rep.Sessions().Len()
}

// each runs a test with one server of each role.
func (w *crowd) each(t *testing.T, f func(t *testing.T, s, other *Server)) {
	w.serving()
	for i, s := range w.all {
		t.Run(s.role().State.String(), func(t *testing.T) { f(t, s, w.all[(i+1)%len(w.all)]) })
	}
}

// subs reads the errors of a multi's results.
func subs(t *testing.T, r reply) (codes []zk.Code) {
	t.Helper()
	var m wire.MultiReply
	r.into(t, &m)
	for _, s := range m.Results {
		codes = append(codes, s.Err)
	}
	return codes
}

// A local session comes and goes without a txn, writes like any, and is of no use at another server.
func TestLocalSession(t *testing.T) {
	w := gather(t, 3, 1, localSessions)
	w.each(t, func(t *testing.T, s, other *Server) {
		w.same()
		before := s.zxid()
		c := connect(t, s, lasting)
		root := name("/%s", s.role().State)
		if locals(s) != 1 || globals(s) != 0 || values(word(t, s, "mntr"))["zk_local_sessions"] != "1" {
			t.Errorf("%d local sessions, %d global", locals(s), globals(s))
		}
		if r := c.must(create(root, "x")); r.Zxid != before+1 {
			t.Errorf("the first write is %v behind %v", r.Zxid, before)
		}
		if data, _ := c.data(root); data != "x" {
			t.Errorf("data %q", data)
		}

		// Ephemerals are not for it.
		if r := c.call(ephemeral(root + "/e")); r.Err != zk.EphemeralOnLocalSession || r.Zxid != before+2 {
			t.Errorf("an ephemeral: %v, %v", r.Err, r.Zxid)
		}
		m := c.must(&wire.Multi{Ops: []wire.Op{create(root+"/a", ""), ephemeral(root + "/e"), create(root+"/b", "")}})
		if got := subs(t, m); len(got) != 3 || got[0] != zk.OK || got[1] != zk.EphemeralOnLocalSession || got[2] != zk.RuntimeInconsistency {
			t.Errorf("an ephemeral in a multi: %v", got)
		}
		if got := c.children(root); len(got) != 0 {
			t.Errorf("children %v", got)
		}
		bad := ephemeral(root + "/e")
		bad.Mode = 9
		if r := c.call(bad); r.Err != zk.BadArguments {
			t.Errorf("an unknown mode: %v", r.Err)
		}

		if _, refused := c.resume(other); !refused {
			t.Error("resumed elsewhere")
		}
		d, refused := c.resume(s)
		if refused {
			t.Fatal("not resumed")
		}
		c.ended()
		wrong := d.session
		d.must(set(root, "y"))
		wrong.Password[0]++
		if got := greet(t, s, wrong).greeting(); got.TimeOut != 0 {
			t.Error("a wrong password")
		}
		if d, refused = d.resume(s); refused {
			t.Fatal("not resumed")
		}

		// What is asked for before the end is done before it.
		last := s.zxid()
		xid := d.send(set(root, "z"), &wire.GetData{Path: root}, &wire.CloseSession{})
		d.recv(xid - 2)
		d.recv(xid - 1)
		if r := d.recv(xid); r.Err != zk.OK || r.Zxid != last+1 {
			t.Errorf("closed with %v, %v", r.Err, r.Zxid)
		}
		d.ended()
		if locals(s) != 0 || s.zxid() != last+1 {
			t.Errorf("%d sessions left at %v", locals(s), s.zxid())
		}
		if _, refused := d.resume(s); !refused {
			t.Error("resumed after its end")
		}
	})
	w.same()
}

// With the first ephemeral, also one in a multi, it becomes a session like any: it can be resumed elsewhere, and its ephemerals end
// with it.
func TestLocalSessionUpgrades(t *testing.T) {
	w := gather(t, 3, 1, upgrading)
	w.each(t, func(t *testing.T, s, other *Server) {
		w.same()
		root := name("/%s", s.role().State)
		c := connect(t, s, lasting)
		d := connect(t, s, lasting)
		before := c.must(create(root, "")).Zxid

		// In the middle of a pipeline: nothing is answered that was not asked for.
		xid := c.send(set(root, "1"), ephemeral(root+"/e"), &wire.Exists{Path: root + "/e"}, set(root, "2"))
		for i, z := range []zk.Zxid{1, 3, 3, 4} { // the second is the session's own
			if r := c.recv(xid - 3 + int32(i)); r.Err != zk.OK || r.Zxid != before+z {
				t.Errorf("request %d: %v, zxid %v behind %v", i, r.Err, r.Zxid, before)
			}
		}
		m := d.must(&wire.Multi{Ops: []wire.Op{create(root+"/a", ""), ephemeral(root + "/f")}})
		if got := subs(t, m); len(got) != 2 || got[0] != zk.OK || got[1] != zk.OK || m.Zxid != before+6 {
			t.Errorf("multi: %v, zxid %v behind %v", got, m.Zxid, before)
		}
		c.must(ephemeral(root + "/g")) // no second time
		if s.zxid() != before+7 || locals(s) != 0 || globals(s) != 2 {
			t.Errorf("%v behind %v, %d local and %d global sessions", s.zxid(), before, locals(s), globals(s))
		}
		if _, st := c.data(root + "/g"); st.EphemeralOwner != c.session.SessionID {
			t.Errorf("owner %v", st.EphemeralOwner)
		}
		moved, refused := c.resume(other)
		if refused {
			t.Fatal("not resumed elsewhere")
		}
		moved.must(&wire.CloseSession{})
		d.must(&wire.CloseSession{})
		w.same()
		if got := connect(t, s, lasting).children(root); len(got) != 1 || got[0] != "a" {
			t.Errorf("left over: %v", got)
		}
		w.same()
	})
}

// Its own server ends it when its time is over, whether its client is gone or silent, and no other.
func TestLocalSessionExpires(t *testing.T) {
	w := gather(t, 3, 1, localSessions, patient)
	w.each(t, func(t *testing.T, s, other *Server) {
		w.same()
		before := s.zxid()
		stays := connect(t, s, lasting)
		silent := connect(t, s, lasting/4)
		gone := connect(t, s, lasting/4)
		gone.nc.Close()
		if locals(s) != 3 {
			t.Fatalf("%d sessions", locals(s))
		}
		pass(s, lasting/2)
		silent.ended()
		eventually(t, "the end of two sessions", func() bool { return locals(s) == 1 })
		stays.send(&wire.Ping{})
		stays.recv(wire.XidPing)
		if _, refused := gone.resume(s); !refused {
			t.Error("it goes on")
		}
		if s.zxid() != before {
			t.Errorf("%v became %v", before, s.zxid())
		}
		stays.must(&wire.CloseSession{})
	})
}

// It goes on when its server has found another leader: none but that server could keep it.
func TestLocalSessionOutlivesLeader(t *testing.T) {
	w := gather(t, 3, 0, localSessions)
	leader := w.serving()
	s := w.all[(leader+1)%3]
	c := connect(t, s, lasting)
	c.must(create("/a", "x"))
	w.stop(leader)
	c.ended()
	w.serving()
	d, refused := c.resume(s)
	if refused {
		t.Fatal("it has ended")
	}
	if s.role().State == zab.Looking || !d.exists("/a") {
		t.Error("/a is gone")
	}
	d.must(set("/a", "y"))
}

// In read-only mode it goes on, for reads, and behind it for all again.
func TestLocalSessionInReadOnlyMode(t *testing.T) {
	w := gather(t, 3, 0, upgrading, readOnlyMode)
	left := w.serving()
	c := connect(t, w.all[left], lasting)
	c.must(create("/a", "x"))
	s := w.strand(left)
	c.ended()
	r := greet(t, s, c.session)
	r.welcomed()
	if !r.session.ReadOnly || r.session.SessionID != c.session.SessionID || !r.exists("/a") {
		t.Errorf("resumed as %+v", r.session)
	}
	if got := r.call(ephemeral("/e")); got.Err != zk.NotReadOnly {
		t.Errorf("an ephemeral: %v", got.Err)
	}
	w.start((left + 1) % 3)
	r.ended()
	w.serving()
	back, refused := r.resume(s)
	if refused || back.session.ReadOnly {
		t.Fatalf("refused %v, read-only %v", refused, back.session.ReadOnly)
	}
	back.must(ephemeral("/e"))
}
