package replica_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// world is a replica, its clock, and what left it.
type world struct {
	t   *testing.T
	r   *replica.Replica
	eff replica.Effects
	now int64
	out map[string][]string // by the connection's name, in order
}

func newWorld(t *testing.T) *world {
	t.Helper()
	rules, err := auth.New(auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: 1_000_000, out: map[string][]string{}}
	w.r = replica.New(replica.Config{
		Prep: prep.Config{
			Rules: rules, ExtendedTypes: true, EnforceQuota: true, CloseSessionPaths: true, Digest: true, MaxTxn: 2 << 20,
		},
		Rules: rules, Seed: 7, FirstSession: 0x100, Tick: 2000, MinTimeout: 4000, MaxTimeout: 40000,
		ContainerInterval: 60000, ContainerRate: 10000,
	}, tree.New(tree.Options{Seed: 7, ExtendedTypes: true}), nil, w.now, w.now)
	return w
}

// step takes an event and sorts what it sends.
func (w *world) step(ev replica.Event) {
	w.t.Helper()
	w.r.Step(ev, &w.eff)
	for i := range w.eff.Sends {
		s := &w.eff.Sends[i]
		name := s.Conn.Tag.(string)
		if b := w.eff.Bytes(s); len(b) > 0 {
			w.out[name] = append(w.out[name], describe(b, s))
		}
		if s.Close {
			w.out[name] = append(w.out[name], "close")
		}
	}
	w.eff.Reset()
}

// describe tells a frame in words: "notice NodeCreated /a", "reply 3 z=2 ok", "connect".
func describe(b []byte, s *replica.Send) string {
	d := jute.NewDecoder(b[4:])
	if s.Header.Type == wire.OpCreateSession && len(b) > 20 {
		var c wire.ConnectResponse
		if c.Decode(b[4:]) != nil || c.TimeOut == 0 {
			return "refused"
		}
		return fmt.Sprintf("connect %v", c.SessionID)
	}
	var h wire.ReplyHeader
	h.Decode(d)
	if h.Xid == wire.XidNotice {
		ev := wire.DecodeNotice(d, h.Zxid)
		return fmt.Sprintf("notice %d %s z=%d", ev.Type, ev.Path, ev.Zxid)
	}
	if h.Err != 0 {
		return fmt.Sprintf("reply %d z=%d err=%d", h.Xid, h.Zxid, h.Err)
	}
	return fmt.Sprintf("reply %d z=%d", h.Xid, h.Zxid)
}

// sync says that everything proposed is on disk.
func (w *world) sync() {
	w.t.Helper()
	if l := w.eff.TakeLog(nil); len(l) > 0 {
		w.step(&replica.Synced{Zxid: l[len(l)-1].Zxid, Clock: w.now})
	}
}

func (w *world) connect(name string) *replica.Conn {
	w.t.Helper()
	c := replica.NewConn(name, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{TimeOut: 10000, HasReadOnly: true}, Now: w.now, Clock: w.now})
	w.sync()
	if !c.Ready() {
		w.t.Fatalf("%s did not connect: %v", name, w.out[name])
	}
	w.out[name] = nil
	return c
}

func (w *world) send(c *replica.Conn, xid int32, op wire.Op) {
	w.t.Helper()
	w.frame(c, wire.AppendRequestFrame(nil, xid, op)[4:])
}

// frame sends bytes.
func (w *world) frame(c *replica.Conn, frame []byte) {
	w.t.Helper()
	r := replica.Decode(c, frame, w.now, 0)
	w.step(&r)
}

// want compares what a connection got since the last look.
func (w *world) want(name string, want ...string) {
	w.t.Helper()
	if got, exp := strings.Join(w.out[name], "\n"), strings.Join(want, "\n"); got != exp {
		w.t.Fatalf("%s got\n%s\nwant\n%s", name, got, exp)
	}
	w.out[name] = nil
}

func create(path string) *wire.Create { return &wire.Create{Path: path, ACL: zk.WorldACL(zk.PermAll)} }

// DurableAck: no reply to a write before it is on disk, and the reads behind it wait with it.
func TestRepliesWaitForTheDisk(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	w.send(a, 1, create("/x"))
	w.send(a, 2, &wire.GetData{Path: "/x"})
	w.send(a, 3, &wire.Ping{})
	w.send(b, 1, &wire.Exists{Path: "/x"})
	w.want("a")
	w.want("b", "reply 1 z=2 err=-101") // another session's read does not wait
	if _, ok := w.r.Read(a, wire.Header{Xid: 4, Type: wire.OpPing}, &wire.Ping{}, nil); ok {
		t.Fatal("a read overtook a write of its session")
	}
	w.sync()
	w.want("a", "reply 1 z=3", "reply 2 z=3", "reply -2 z=3")
	if _, ok := w.r.Read(a, wire.Header{Xid: 4, Type: wire.OpPing}, &wire.Ping{}, nil); !ok {
		t.Fatal("nothing is in flight, and still a read is not answered")
	}
}

// WatchBeforeData: a notice leaves before the reply of the write behind it, and before any read that shows the change.
func TestNoticeComesFirst(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	w.send(a, 1, &wire.Exists{Path: "/x", Watch: true})
	w.send(a, 2, create("/x"))
	w.send(a, 3, &wire.GetData{Path: "/x"})
	w.sync()
	w.want("a", "reply 1 z=1 err=-101", "notice 1 /x z=2", "reply 2 z=2", "reply 3 z=2")
}

// A sync is answered when everything that was in flight at its arrival is applied, also other sessions' writes.
func TestSyncWaitsForOthers(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	w.send(a, 1, create("/x"))
	w.send(b, 1, &wire.Sync{Path: "/"})
	w.send(b, 2, &wire.Exists{Path: "/x"})
	w.want("b")
	w.sync()
	w.want("b", "reply 1 z=3", "reply 2 z=3")
}

// Requests may follow the handshake before it is answered.
func TestPipelinedHandshake(t *testing.T) {
	w := newWorld(t)
	c := replica.NewConn("a", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{TimeOut: 10000}, Now: w.now, Clock: w.now})
	w.send(c, 1, &wire.Create{Path: "/e", ACL: zk.WorldACL(zk.PermAll), Mode: zk.Ephemeral})
	w.send(c, 2, &wire.GetData{Path: "/e"})
	w.want("a")
	w.sync()
	w.want("a", "connect 0x100", "reply 1 z=2", "reply 2 z=2")
}

// EphemeralsEnd: a session that is silent past its timeout ends by a txn, its ephemerals with it, its connection too.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect("a"), w.connect("b")
	w.send(a, 1, &wire.Create{Path: "/e", ACL: zk.WorldACL(zk.PermAll), Mode: zk.Ephemeral})
	w.sync()
	w.send(b, 1, &wire.Exists{Path: "/e", Watch: true})
	w.out["a"], w.out["b"] = nil, nil
	w.now += 14000
	heard := func(c *replica.Conn) int64 {
		if c == b {
			return w.now
		}
		return 0
	}
	w.step(&replica.Tick{Now: w.now, Clock: w.now, Heard: heard})
	w.send(a, 2, &wire.Ping{}) // too late: dropped without a word
	w.want("a")
	w.sync()
	w.want("a", "close")
	w.want("b", "notice 2 /e z=4")

	again := replica.NewConn("again", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	pw := session.Password(a.Session())
	w.step(&replica.Connect{Conn: again, Request: wire.ConnectRequest{SessionID: a.Session(), Password: pw[:]}, Now: w.now, Clock: w.now})
	w.want("again", "refused", "close")
}

// A session that comes back on another connection takes it from the old one, even with a wrong password (trap 14).
func TestResume(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	pw := session.Password(a.Session())
	b := replica.NewConn("b", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: b, Request: wire.ConnectRequest{TimeOut: 10000, SessionID: a.Session(), Password: pw[:]}, Now: w.now, Clock: w.now})
	w.want("a", "close")
	w.want("b", "connect 0x100")
	c := replica.NewConn("c", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: c, Request: wire.ConnectRequest{TimeOut: 10000, SessionID: a.Session(), Password: make([]byte, 16)}, Now: w.now, Clock: w.now})
	w.want("b", "close")
	w.want("c", "refused", "close")
	d := replica.NewConn("d", zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	w.step(&replica.Connect{Conn: d, Request: wire.ConnectRequest{LastZxidSeen: 99}, Now: w.now, Clock: w.now})
	w.want("d", "close")
}

// A close is answered behind the notices of its own ephemerals; what comes behind it is dropped.
func TestClose(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	w.send(a, 1, &wire.Create{Path: "/e", ACL: zk.WorldACL(zk.PermAll), Mode: zk.Ephemeral})
	w.send(a, 2, &wire.GetData{Path: "/e", Watch: true})
	w.send(a, 3, &wire.CloseSession{})
	w.send(a, 4, &wire.Ping{})
	w.sync()
	w.want("a", "reply 1 z=2", "reply 2 z=2", "notice 2 /e z=3", "reply 3 z=3", "close")
	if n := w.r.InFlight(); n != 0 {
		t.Fatalf("%d requests still count as in flight", n)
	}
}

// Containers that had children and TTL nodes that are old go by themselves.
func TestSweep(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	acl := zk.WorldACL(zk.PermAll)
	w.send(a, 1, &wire.Create{Type: wire.OpCreateContainer, Path: "/c", ACL: acl, Mode: zk.Container})
	w.send(a, 2, &wire.Create{Type: wire.OpCreateContainer, Path: "/unused", ACL: acl, Mode: zk.Container})
	w.send(a, 3, create("/c/k"))
	w.send(a, 4, &wire.Delete{Path: "/c/k", Version: -1})
	w.send(a, 5, &wire.Create{Type: wire.OpCreateTTL, Path: "/t", ACL: acl, Mode: zk.PersistentTTL, TTL: 5000})
	w.sync()
	w.out["a"] = nil
	w.now += 61000
	alive := func(*replica.Conn) int64 { return w.now }
	w.step(&replica.Tick{Now: w.now, Clock: w.now, Heard: alive})
	w.now += 2000
	w.step(&replica.Tick{Now: w.now, Clock: w.now, Heard: alive})
	w.sync()
	for path, want := range map[string]bool{"/c": false, "/unused": true, "/t": false} {
		if got := w.r.Tree().Find(path) != 0; got != want {
			t.Errorf("%s exists: %v", path, got)
		}
	}
	if err := w.r.Tree().Check(); err != nil {
		t.Fatal(err)
	}
}

// Unknown and internal operations are answered with Unimplemented and zxid -1, in their turn, then the connection ends.
func TestForbiddenOps(t *testing.T) {
	for _, op := range []int32{0, 10, 13, 20, -10, -1, 99, 500} {
		w := newWorld(t)
		a := w.connect("a")
		w.send(a, 1, create("/x"))
		frame := wire.Header{Xid: 2, Type: wire.OpCode(op)}.Append(nil)
		w.frame(a, append(frame, 0, 0, 0, 0))
		w.send(a, 3, &wire.Ping{})
		w.sync()
		w.want("a", "reply 1 z=2", "reply 2 z=-1 err=-6", "close")
	}
}

// An undecodable write is answered with MarshallingError and takes no zxid; an undecodable multi takes one (section 1.5).
func TestUndecodable(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	for i, op := range []wire.OpCode{wire.OpCreate, wire.OpGetData, wire.OpMulti} {
		frame := wire.Header{Xid: int32(i + 1), Type: op}.Append(nil)
		w.frame(a, append(frame, 0, 0))
		w.sync()
	}
	w.want("a", "reply 1 z=1 err=-5", "reply 2 z=1 err=-5", "reply 3 z=2 err=-5")
}

// Setting the wall clock back holds up no sweep: when to look, and how much may go, is a matter of the other clock.
func TestSweepAfterWallClockJumpsBack(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	w.send(a, 1, &wire.Create{Type: wire.OpCreateContainer, Path: "/c", ACL: zk.WorldACL(zk.PermAll), Mode: zk.Container})
	w.send(a, 2, create("/c/k"))
	w.send(a, 3, &wire.Delete{Path: "/c/k", Version: -1})
	w.sync()
	for range 31 {
		w.now += 2000
		w.step(&replica.Tick{Now: w.now - 600_000, Clock: w.now, Heard: func(*replica.Conn) int64 { return w.now }})
	}
	w.sync()
	if w.r.Tree().Find("/c") != 0 {
		t.Error("an empty container is still there, a minute later")
	}
}

// Setting the wall clock ends no session: sessions live by the other clock.
func TestWallClockJumps(t *testing.T) {
	w := newWorld(t)
	a := w.connect("a")
	silent := func(*replica.Conn) int64 { return 0 }
	w.step(&replica.Tick{Now: w.now + 1_000_000_000, Clock: w.now + 5000, Heard: silent})
	w.step(&replica.Tick{Now: 0, Clock: w.now + 5000, Heard: silent})
	w.sync()
	w.send(a, 1, &wire.Ping{})
	w.want("a", "reply -2 z=1")
	w.step(&replica.Tick{Now: 0, Clock: w.now + 15000, Heard: silent})
	w.sync()
	w.want("a", "close")
}
