package interop

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// fuzzy is a snapshot of several moments, as Apache's servers take them while they write, and the log that heals it.
type fuzzy struct {
	zxid  zk.Zxid
	nodes []fuzzyNode // beside the root and those that every tree has
	acls  bool        // the snapshot has its table of ACLs
	log   []txn.Txn   // from zxid+1 on
}

type fuzzyNode struct {
	path string
	acl  []zk.ACL // nil is open
	meta tree.Meta
}

// plant makes a folder of it.
func (f *fuzzy) plant(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := store.Open(vfs.OS{}, dir, "", store.Options{ForceSync: true, AutoCreateDir: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tr := tree.New(tree.Options{Seed: 1})
	tr.BeginLoad()
	for i, n := range append([]fuzzyNode{{path: ""}, {path: "/zookeeper"}, {path: "/zookeeper/quota"}, {path: "/zookeeper/config"}}, f.nodes...) {
		key := int64(-1)
		if n.acl != nil {
			key = int64(i)
			tr.LoadACL(key, n.acl)
		}
		if err := tr.LoadNode(n.path, []byte("x"), key, n.meta); err != nil {
			t.Fatal(err)
		}
	}
	tr.FinishLoad(f.zxid)
	view := tr.Freeze()
	defer view.Close()
	sn := store.Snapshot{Zxid: f.zxid, Next: view.Next}
	if f.acls {
		sn.ACLs = view.ACLs()
	}
	if _, _, err := s.WriteSnapshot(sn); err != nil {
		t.Fatal(err)
	}
	var batch []store.Entry
	for i, x := range f.log {
		p := proposal(f.zxid+1+zk.Zxid(i), x)
		batch = append(batch, store.Entry{Zxid: p.Zxid, Payload: p.Payload})
	}
	if err := s.Commit(batch); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSchedulesOfOneServer(t *testing.T) {
	t.Parallel()
	open := zk.WorldACL(zk.PermAll)
	const session = zk.SessionID(0x100000000000077)
	begin := func(t *testing.T, srv *Server) *Conn {
		c, err := Connect(srv.Addr(), sessionTimeout)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	counter := func(typ txn.Type) func(*testing.T, Kind) string {
		return func(t *testing.T, k Kind) string {
			x := txn.Txn{Header: txn.Header{Type: typ}, Body: &txn.Create{Type: typ, Path: "/p/n-0000000000", Data: []byte("x"), ACL: open, ParentCVersion: 1}}
			f := fuzzy{zxid: 16, nodes: []fuzzyNode{{path: "/p"}, {path: "/p/n-0000000000", meta: tree.Meta{Czxid: 17, Mzxid: 17, Pzxid: 17}}}, log: []txn.Txn{x}}
			c := begin(t, Start(t, k, Setup{Dir: f.plant(t)}))
			if h, err := c.Call(&wire.Create{Path: "/p/n-", ACL: open, Mode: zk.PersistentSequential}, nil); err != nil || h.Err != zk.OK {
				return fmt.Sprintf("a sequential create: %v, %v", h.Err, err)
			}
			return ""
		}
	}
	playSchedules(t, []schedule{
		{id: "1046 the counter of a parent in the middle of a snapshot", play: counter(txn.TypeCreate)},
		{id: "1046 the same with create2", shows: true, play: counter(txn.TypeCreate2)},
		{id: "3145 the end of a session in the middle of a snapshot", play: func(t *testing.T, k Kind) string {
			f := fuzzy{zxid: 16, nodes: []fuzzyNode{{path: "/p", meta: tree.Meta{CVersion: 1, Pzxid: 5}}}, log: []txn.Txn{closesSession(session, "/p/e")}}
			c := begin(t, Start(t, k, Setup{Dir: f.plant(t)}))
			var r wire.DataReply
			if call(t, c, &wire.GetData{Path: "/p"}, &r); r.Stat.Pzxid != 17 {
				return fmt.Sprintf("pzxid is %v", r.Stat.Pzxid)
			}
			return ""
		}},
		{id: "3144 an ephemeral whose session is in no list", play: func(t *testing.T, k Kind) string {
			f := fuzzy{zxid: 16, nodes: []fuzzyNode{{path: "/e", meta: tree.Meta{Czxid: 17, Owner: int64(session)}}}}
			return wrongly(children(t, Start(t, k, Setup{Dir: f.plant(t)})))
		}},
		{id: "3306, 4689, 4846 an ACL that is younger than the table", shows: true, play: func(t *testing.T, k Kind) string {
			acl := zk.WorldACL(zk.PermRead | zk.PermAdmin)
			x := txn.Txn{Header: txn.Header{Type: txn.TypeCreate}, Body: txn.NewCreate("/n", []byte("x"), acl, 1)}
			f := fuzzy{zxid: 16, nodes: []fuzzyNode{{path: "/n", acl: acl, meta: tree.Meta{Czxid: 17, Mzxid: 17, Pzxid: 17}}}, log: []txn.Txn{x}}
			srv := &Server{Kind: k, Dir: f.plant(t), cfg: filepath.Join(t.TempDir(), "zoo.cfg")}
			t.Cleanup(srv.Kill)
			srv.Launch(t)
			if err := srv.Serves(); err != nil {
				return "it does not start"
			}
			c := begin(t, srv)
			var r wire.ACLReply
			if h, err := c.Call(&wire.GetACL{Path: "/n"}, &r); err != nil || h.Err != zk.OK || !slices.Equal(r.ACL, acl) {
				return fmt.Sprintf("its ACL is %v: %v, %v", r.ACL, h.Err, err)
			}
			return ""
		}},
		// 2600 ephemerals, and 2.3 MB of names.
		{id: "2101, 3496, 3614, 4306 very many ephemerals of one session", shows: true, long: true, play: func(t *testing.T, k Kind) string {
			srv := &Server{Kind: k, Dir: t.TempDir(), cfg: filepath.Join(t.TempDir(), "zoo.cfg")}
			t.Cleanup(srv.Kill)
			srv.Launch(t)
			srv.WaitServing(t)
			c := begin(t, srv)
			const n = 2600
			var out []byte
			for i := range n {
				out = wire.AppendRequestFrame(out, int32(i+1), &wire.Create{Path: fmt.Sprintf("/%04d%s", i, strings.Repeat("e", 900)), ACL: open, Mode: zk.Ephemeral})
			}
			out = wire.AppendRequestFrame(out, n+1, &wire.CloseSession{})
			go c.Write(out) // answers are read meanwhile
			for i := range n + 1 {
				if h, _, err := c.Reply(patience); err != nil || h.Err != zk.OK {
					return fmt.Sprintf("answer %d: %v, %v", i+1, h.Err, err)
				}
			}
			srv.Kill()
			srv.Launch(t)
			if err := srv.Serves(); err != nil {
				return "it does not start again"
			}
			var r wire.Children2Reply
			c = begin(t, srv)
			if call(t, c, &wire.GetChildren{Path: "/", WithStat: true}, &r); r.Stat.NumChildren != 1 {
				return fmt.Sprintf("%d children are left", r.Stat.NumChildren)
			}
			return ""
		}},
		{id: "706 very many watches at a reconnect", play: func(t *testing.T, k Kind) string {
			srv := Start(t, k, Setup{Conf: []string{"4lw.commands.whitelist=*"}})
			c, writer := begin(t, srv), begin(t, srv)
			const n = 4000
			var paths []string
			for i := range n {
				paths = append(paths, fmt.Sprintf("/%04d%s", i, strings.Repeat("w", 400)))
			}
			c.Close()
			again, err := Dial(srv.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if r, err := again.Handshake(c.Resume(sessionTimeout)); err != nil || r.SessionID != c.Session {
				t.Fatalf("%+v, %v", r, err)
			}
			call(t, writer, &wire.Create{Path: paths[17], ACL: open}, nil)
			for part := range slices.Chunk(paths, 300) { // 120 KB, as Java's client does it
				op := &wire.SetWatches{RelativeZxid: 1, Data: []string{}, Exist: part, Child: []string{}}
				again.Write(wire.AppendRequestFrame(nil, wire.XidSetWatches, op))
			}
			notices := 0
			for replies := 0; replies < (n+299)/300; {
				h, _, err := again.Reply(patience)
				switch {
				case err != nil:
					return fmt.Sprintf("after %d replies: %v", replies, err)
				case h.Xid == wire.XidNotice:
					notices++
				default:
					replies++
				}
			}
			if out, err := srv.FourLetters("wchs"); notices != 1 || err != nil || !strings.Contains(out, fmt.Sprintf("Total watches:%d", n-1)) {
				return fmt.Sprintf("%d notices, %q, %v", notices, out, err)
			}
			return ""
		}},
		{id: "1382 watches of sessions that have ended", play: func(t *testing.T, k Kind) string {
			srv := Start(t, k, Setup{Conf: []string{"tickTime=500", "maxClientCnxns=0", "4lw.commands.whitelist=*"}})
			for i := range 60 {
				c, err := Connect(srv.Addr(), time.Second)
				if err != nil {
					t.Fatal(err)
				}
				c.Write(wire.AppendRequestFrame(nil, 1, &wire.Exists{Path: "/n", Watch: true}))
				switch i % 3 {
				case 0: // in the midst of it
					c.Close()
				case 1:
					c.Write(wire.AppendRequestFrame(nil, 2, &wire.CloseSession{}))
					c.Write(wire.AppendRequestFrame(nil, 3, &wire.GetChildren{Path: "/", Watch: true}))
				}
				defer c.Close()
			}
			for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
				out, err := srv.FourLetters("mntr")
				sessions, watches := monitorValue(out, "zk_global_sessions"), monitorValue(out, "zk_watch_count")
				if err == nil && sessions == "0" && watches == "0" { // a session ends first, and then its connection with the watches
					return ""
				}
				if time.Now().After(end) {
					return sessions + " sessions and " + watches + " watches are left"
				}
			}
		}},
		{id: "A-11 a watch without a path", shows: true, play: func(t *testing.T, k Kind) string {
			srv := Start(t, k, Setup{Conf: []string{"4lw.commands.whitelist=*"}})
			c := begin(t, srv)
			b := wire.Header{Xid: 1, Type: wire.OpAddWatch}.Append(nil)
			c.Write(Frame(append(b, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0))) // a null path
			if h, _, err := c.Reply(patience); err != nil || h.Err != zk.OK {
				t.Fatalf("%+v, %v", h, err)
			}
			c.Write(wire.AppendRequestFrame(nil, 2, &wire.CloseSession{}))
			closed := make(chan struct{})
			go func() { // ends with the connection
				c.awaitClose()
				close(closed)
			}()
			select {
			case <-closed:
				return ""
			case <-time.After(map[Kind]time.Duration{Apache: 5 * time.Second, Zooid: patience}[k]): // for ever, with Apache
				return "the connection is still there"
			}
		}},
		{id: "17529 a watcher that does not read", play: func(t *testing.T, k Kind) string {
			srv := Start(t, k, Setup{})
			slow, writer := begin(t, srv), begin(t, srv)
			call(t, slow, &wire.AddWatch{Path: "/", Mode: zk.WatchPersistentRecursive}, nil)
			const n = 20000
			call(t, writer, &wire.Create{Path: "/n", Data: []byte("x"), ACL: open}, nil)
			var out []byte
			for i := range n {
				out = wire.AppendRequestFrame(out, int32(i), &wire.SetData{Path: "/n", Data: []byte("x"), Version: -1})
			}
			go writer.Write(out) // answers are read meanwhile
			for range n {
				if h, _, err := writer.Reply(patience); err != nil || h.Err != zk.OK {
					t.Fatalf("%+v, %v", h, err)
				}
			}
			for i := range n + 1 {
				if h, _, err := slow.Reply(patience); err != nil || h.Xid != wire.XidNotice {
					return fmt.Sprintf("notice %d: %+v, %v", i, h, err)
				}
			}
			return ""
		}},
	})
}
