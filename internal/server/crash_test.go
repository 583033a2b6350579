package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// The crash tests run a replica and its store as the server does, but in one goroutine, with all chance from one seed: clients
// write with several requests in flight, the disk fails now and then, and after some effect on it the power goes. What is
// found on the disk then must be a prefix of what was proposed that holds all that was acknowledged; from there it goes on,
// a few times over. `go test -run TestCrashes -args -seed N` runs one again, `-crashes N` so many.

// crashWorld is one seed's run.
type crashWorld struct {
	seed uint64
	rng  *rand.Rand
	mem  *vfs.Mem
	disk *vfs.Faulty
	st   *store.Store
	rep  *replica.Replica
	eff  replica.Effects
	now  int64

	batch   []store.Entry // taken from the replica, not on disk
	synced  zk.Zxid       // on disk
	told    zk.Zxid       // the replica knows
	acked   zk.Zxid       // a reply has left that says so
	history [][]byte      // all proposals from zxid 1 on
	clients []*crashClient
	commits int
}

type crashClient struct {
	conn     *replica.Conn // nil while away
	session  zk.SessionID
	timeout  int32
	xid      int32
	next     int32 // the xid of the next reply
	sentData int
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	if *seedFlag != 0 {
		crash(t, *seedFlag)
		return
	}
	n := 200
	if testing.Short() {
		n = 50
	}
	if Brief() {
		n = 25
	}
	if *crashesFlag > 0 {
		n = *crashesFlag
	}
	for seed := range uint64(n) {
		if crash(t, seed+1); t.Failed() {
			return
		}
	}
}

// crash runs one seed.
func crash(t *testing.T, seed uint64) {
	w := &crashWorld{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5eed)), mem: vfs.NewMem(), now: 1_700_000_000_000}
	defer func() {
		if e := recover(); e != nil {
			t.Errorf("seed %d: %v (run again with -args -seed %d)", seed, e, seed)
			panic(e)
		}
	}()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("seed %d: %v (run again with -args -seed %d)", seed, err, seed)
		}
	}
	for life := range 1 + w.rng.IntN(4) {
		if err := w.begin(); err != nil {
			fail(fmt.Errorf("life %d: %w", life, err))
		}
		w.disk.CrashAfter(w.rng.IntN(150), w.rng)
		for !w.disk.Crashed() {
			fail(w.step())
		}
		w.mem = w.mem.Crash(w.rng)
		for w.rng.IntN(3) == 0 { // and again, while it is restored
			d := vfs.NewFaulty(w.mem)
			d.CrashAfter(w.rng.IntN(6), w.rng)
			if st, err := w.open(d); err == nil {
				st.Restore(w.fresh)
			}
			w.mem = w.mem.Crash(w.rng)
		}
	}
	fail(w.begin())
}

func (w *crashWorld) fresh() *tree.Tree {
	return tree.New(tree.Options{Seed: w.seed, ExtendedTypes: true})
}

func (w *crashWorld) open(fs vfs.FS) (*store.Store, error) {
	return store.Open(fs, "data", "", store.Options{
		PreAlloc: []int64{0, 4096, 64 << 10}[w.seed%3], ForceSync: true, SnapCount: 30, LogSizeLimit: []int64{0, 6000}[w.seed%2],
		AutoCreateDir: true, AutoCreateDB: true, Digest: true, LastZxid: w.seed%5 > 0, ExtendedTypes: true,
		Compression: []string{"", "", "gz", "snappy"}[w.seed%4],
		Logger:      slog.New(slog.NewTextHandler(io.Discard, nil)), Rand: w.rng.IntN,
	})
}

// begin starts on what is on the disk, and looks at it.
func (w *crashWorld) begin() error {
	w.disk = vfs.NewFaulty(w.mem)
	st, err := w.open(w.disk)
	if err != nil {
		return err
	}
	res, err := st.Restore(w.fresh)
	if err != nil {
		return fmt.Errorf("what a crash left cannot be restored: %w", err)
	}
	if err := w.judge(res); err != nil {
		return err
	}
	w.st = st
	rules, err := auth.New(auth.Config{})
	if err != nil {
		return err
	}
	w.now += int64(w.rng.IntN(5000))
	w.rep = replica.New(replica.Config{
		Prep: prep.Config{
			Rules: rules, ExtendedTypes: true, CloseSessionPaths: w.seed%2 == 0, Digest: true, MaxTxn: 2 << 20,
		},
		Rules: rules, Seed: w.seed, FirstSession: session.FirstID(1, w.now), Tick: 500, MinTimeout: 1000, MaxTimeout: 20000,
		ContainerInterval: 60000, ContainerRate: 10000,
	}, res.Tree, res.Sessions, w.now, w.now)
	w.eff = replica.Effects{}
	w.batch, w.synced, w.told = nil, res.Tree.LastZxid(), res.Tree.LastZxid()
	// Those that had a session resume it.
	for _, c := range w.clients {
		c.conn = nil
		if _, known := res.Sessions[c.session]; known {
			if w.resume(c); !c.conn.Ready() {
				return fmt.Errorf("session %v was restored and cannot be resumed", c.session)
			}
		} else {
			c.session = 0
		}
	}
	return nil
}

// judge compares what was restored with what was proposed.
func (w *crashWorld) judge(res *store.Restored) error {
	z := res.Tree.LastZxid()
	switch {
	case z < w.acked:
		return fmt.Errorf("acknowledged up to %v, restored up to %v", w.acked, z)
	case int(z) > len(w.history):
		return fmt.Errorf("restored up to %v, proposed up to %d", z, len(w.history))
	case res.DigestMismatches > 0 || res.Tree.DigestMismatches() > 0:
		return fmt.Errorf("%d wrong digests", res.DigestMismatches)
	}
	w.history = w.history[:z]
	model, sessions := w.fresh(), map[zk.SessionID]int32{}
	for _, p := range w.history {
		x, err := txn.Decode(p)
		if err != nil {
			return err
		}
		model.Replay(x)
		switch b := x.Body.(type) {
		case *txn.CreateSession:
			sessions[x.Session] = b.TimeOut
		case *txn.CloseSession:
			delete(sessions, x.Session)
		}
	}
	if model.Digest() != res.Tree.Digest() || model.NodeCount() != res.Tree.NodeCount() || model.EphemeralCount() != res.Tree.EphemeralCount() {
		return fmt.Errorf("restored at %v: digest %d, %d znodes, %d ephemerals; proposed were %d, %d, %d", z, res.Tree.Digest(),
			res.Tree.NodeCount(), res.Tree.EphemeralCount(), model.Digest(), model.NodeCount(), model.EphemeralCount())
	}
	have, want := res.Tree.Find("/"), model.Find("/")
	if !slices.Equal(names(res.Tree.AppendChildren(nil, have)), names(model.AppendChildren(nil, want))) {
		return fmt.Errorf("restored at %v: the children of / differ", z)
	}
	for _, name := range names(model.AppendChildren(nil, want)) {
		a, b := res.Tree.Find("/"+name), model.Find("/"+name)
		if !bytes.Equal(res.Tree.Data(a), model.Data(b)) || res.Tree.Stat(a) != model.Stat(b) {
			return fmt.Errorf("restored at %v: /%s is %+v, not %+v", z, name, res.Tree.Stat(a), model.Stat(b))
		}
	}
	if len(sessions) != len(res.Sessions) {
		return fmt.Errorf("restored at %v: %d sessions, not %d", z, len(res.Sessions), len(sessions))
	}
	for id, timeout := range sessions {
		if res.Sessions[id] != timeout {
			return fmt.Errorf("restored at %v: session %v has a timeout of %d, not %d", z, id, res.Sessions[id], timeout)
		}
	}
	if err := res.Tree.Check(); err != nil {
		return err
	}
	return nil
}

// names reads a list of children, sorted.
func names(b []byte) []string {
	d := jute.NewDecoder(b)
	l := d.Strings()
	slices.Sort(l)
	return l
}

// step is one thing that happens.
func (w *crashWorld) step() error {
	w.now += int64(w.rng.IntN(60))
	switch n := w.rng.IntN(100); {
	case n < 45 && len(w.clients) > 0:
		for range 1 + w.rng.IntN(6) {
			w.request(w.clients[w.rng.IntN(len(w.clients))])
		}
	case n < 50:
		if len(w.clients) < 6 {
			w.clients = append(w.clients, &crashClient{timeout: int32(1000 + w.rng.IntN(10000))})
		}
		w.connect(w.clients[w.rng.IntN(len(w.clients))])
	case n < 53 && len(w.clients) > 0: // a connection breaks; its session may go on
		if c := w.clients[w.rng.IntN(len(w.clients))]; c.conn != nil {
			w.rep.Step(&replica.Disconnect{Conn: c.conn}, &w.eff)
			if c.conn = nil; w.rng.IntN(2) == 0 {
				w.resume(c)
			}
		}
	case n < 57:
		w.rep.Step(&replica.Tick{Now: w.now, Clock: w.now, Heard: func(*replica.Conn) int64 { return w.now - int64(w.rng.IntN(3000)) }}, &w.eff)
	case n < 62:
		w.spoil()
	case n < 66:
		w.disk.Clear()
	case n < 85:
		w.commit()
		if w.st.SnapshotDue() && !w.disk.Crashed() {
			w.st.Roll()
			w.snapshot()
		}
	default:
		if w.told < w.synced { // the apply loop may be behind
			w.told += 1 + zk.Zxid(w.rng.IntN(int(w.synced-w.told)))
			w.rep.Step(&replica.Synced{Zxid: w.told, Clock: w.now}, &w.eff)
		}
	}
	return w.perform()
}

// commit is one turn of the commit loop: on a failure the records stay, and more may come to them.
func (w *crashWorld) commit() {
	for _, e := range w.eff.TakeLog(nil) {
		p := e.Append(nil)
		w.batch = append(w.batch, store.Entry{Zxid: e.Zxid, Payload: p})
		w.history = append(w.history, p)
	}
	if len(w.batch) == 0 || w.st.Commit(w.batch) != nil {
		return
	}
	w.commits++
	w.synced, w.batch = w.batch[len(w.batch)-1].Zxid, nil
}

// snapshot writes a view, while everything goes on.
func (w *crashWorld) snapshot() {
	f := w.rep.Freeze()
	if f == nil {
		return
	}
	defer f.View.Close()
	sn := store.Snapshot{
		Zxid: f.View.Zxid(), ACLs: f.View.ACLs(), Digest: f.View.Digest(), HasDigest: true,
		Next: func(b []byte, _ int) ([]byte, bool) {
			if len(w.clients) > 0 && w.rng.IntN(2) == 0 {
				w.request(w.clients[w.rng.IntN(len(w.clients))])
				if w.commit(); w.told < w.synced {
					w.told = w.synced
					w.rep.Step(&replica.Synced{Zxid: w.told, Clock: w.now}, &w.eff)
				}
			}
			return f.View.Next(b, 1+w.rng.IntN(300))
		},
	}
	for _, e := range f.Sessions {
		sn.Sessions = append(sn.Sessions, store.Session{ID: e.ID, Timeout: e.Timeout})
	}
	w.st.WriteSnapshot(sn)
}

// spoil makes the disk fail soon.
func (w *crashWorld) spoil() {
	switch w.rng.IntN(7) {
	case 0:
		w.disk.Add(vfs.Fault{Op: vfs.OpSync, Times: 1 + w.rng.IntN(2), Lose: true})
	case 1:
		w.disk.Add(vfs.Fault{Op: vfs.OpSync, Times: 1 + w.rng.IntN(2), Lose: true, LoseRand: w.rng})
	case 2:
		w.disk.Add(vfs.Fault{Op: vfs.OpWrite, Times: 1, Short: w.rng.IntN(200)})
	case 3:
		w.disk.SetSpace(int64(w.rng.IntN(3000)))
	case 4:
		w.disk.Add(vfs.Fault{Op: vfs.OpCreate, Times: 1})
	case 5:
		w.disk.Add(vfs.Fault{Op: []vfs.Op{vfs.OpRename, vfs.OpSyncDir}[w.rng.IntN(2)], Times: 1})
	case 6:
		w.disk.Add(vfs.Fault{Op: []vfs.Op{vfs.OpTruncate, vfs.OpPreallocate}[w.rng.IntN(2)], Times: 1})
	}
}

// perform looks at what leaves for the clients: replies come in order, and none says more than is on disk.
func (w *crashWorld) perform() error {
	defer w.eff.Reset()
	for i := range w.eff.Sends {
		s := &w.eff.Sends[i]
		c := s.Conn.Tag.(*crashClient)
		b := w.eff.Bytes(s)
		if len(b) > 0 && c.conn == s.Conn {
			if s.Header.Type == wire.OpCreateSession {
				var resp wire.ConnectResponse
				if err := resp.Decode(b[4:]); err != nil {
					return err
				}
				c.session = resp.SessionID
			} else if !s.Notice {
				var h wire.ReplyHeader
				h.Decode(jute.NewDecoder(b[4:]))
				if h.Xid != c.next {
					return fmt.Errorf("reply to %d where that to %d was due", h.Xid, c.next)
				}
				c.next++
				if s.Header.Type == wire.OpCloseSession {
					c.session = 0
				}
			}
			if s.Zxid > w.synced {
				return fmt.Errorf("a reply says %v, on disk is %v", s.Zxid, w.synced)
			}
			w.acked = max(w.acked, s.Zxid)
		}
		if s.Close && c.conn == s.Conn {
			c.conn = nil
		}
	}
	return nil
}

// connect gives a client without a session one.
func (w *crashWorld) connect(c *crashClient) {
	if c.conn != nil || c.session != 0 {
		return
	}
	c.conn = replica.NewConn(c, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	c.xid, c.next = 0, 1
	w.rep.Step(&replica.Connect{Conn: c.conn, Request: wire.ConnectRequest{TimeOut: c.timeout}, Now: w.now, Clock: w.now}, &w.eff)
}

// resume goes on with a client's session.
func (w *crashWorld) resume(c *crashClient) {
	if c.session == 0 {
		return
	}
	p := session.Password(c.session)
	c.conn = replica.NewConn(c, zk.ID{Scheme: "ip", ID: "127.0.0.1"})
	c.xid, c.next = 0, 1
	w.rep.Step(&replica.Connect{
		Conn: c.conn, Request: wire.ConnectRequest{TimeOut: c.timeout, SessionID: c.session, Password: p[:]}, Now: w.now, Clock: w.now,
	}, &w.eff)
}

// request sends one request.
func (w *crashWorld) request(c *crashClient) {
	if c.conn == nil || !c.conn.Ready() {
		return
	}
	c.xid++
	req := replica.Decode(c.conn, wire.AppendRequestFrame(nil, c.xid, w.op(c, true))[4:], w.now, 0)
	w.rep.Step(&req, &w.eff)
}

func (w *crashWorld) op(c *crashClient, top bool) wire.Op {
	path := fmt.Sprintf("/n%d", w.rng.IntN(40))
	c.sentData++
	data := fmt.Sprintf("%v-%d-%s", c.session, c.sentData, bytes.Repeat([]byte{'x'}, w.rng.IntN(300)))
	n := w.rng.IntN(100)
	switch {
	case n < 35:
		op := create(path, data)
		op.Mode = []zk.Mode{zk.Persistent, zk.Ephemeral, zk.PersistentSequential, zk.EphemeralSequential}[w.rng.IntN(4)]
		return op
	case n < 55:
		return set(path, data)
	case n < 70:
		return &wire.Delete{Path: path, Version: -1}
	case n < 76 || !top:
		return &wire.SetData{Path: path, Data: []byte(data), Version: int32(w.rng.IntN(3))}
	case n < 86:
		m := &wire.Multi{}
		for range 1 + w.rng.IntN(4) {
			m.Ops = append(m.Ops, w.op(c, false))
		}
		return m
	case n < 92:
		return &wire.GetData{Path: path, Watch: true}
	case n < 97:
		return &wire.Sync{Path: "/"}
	default:
		return &wire.CloseSession{}
	}
}
