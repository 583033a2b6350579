package interop

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

var updateGolden = flag.Bool("update-golden", false, "record the golden bytes of internal/wire anew, from Apache")

// goldenFile holds frames that went over a socket to a real Apache server and back. The tests of internal/wire read it.
var goldenFile = filepath.Join("..", "internal", "wire", "testdata", "apache-3.8.0.txt")

// goldenTalk is a conversation that has each kind of reply at least once.
var goldenTalk = []struct {
	name string
	op   wire.Op
}{
	{"create", &wire.Create{Path: "/g", Data: []byte("hi"), ACL: zk.WorldACL(zk.PermAll)}},
	{"create2", &wire.Create{Type: wire.OpCreate2, Path: "/g/e", Data: []byte("e"), ACL: zk.WorldACL(zk.PermAll), Mode: zk.Ephemeral}},
	{"create sequential", &wire.Create{Path: "/g/s-", Data: []byte{}, ACL: zk.WorldACL(zk.PermAll), Mode: zk.PersistentSequential}},
	{"createContainer", &wire.Create{Type: wire.OpCreateContainer, Path: "/g/c", ACL: zk.WorldACL(zk.PermAll), Mode: zk.Container}},
	{"createTTL", &wire.Create{Type: wire.OpCreateTTL, Path: "/g/t", Data: []byte("t"), ACL: zk.WorldACL(zk.PermAll), Mode: zk.PersistentTTL, TTL: 1 << 30}},
	{"create that fails", &wire.Create{Path: "/g", Data: []byte("hi"), ACL: zk.WorldACL(zk.PermAll)}},
	{"exists with watch", &wire.Exists{Path: "/g", Watch: true}},
	{"exists that fails", &wire.Exists{Path: "/none"}},
	{"getData", &wire.GetData{Path: "/g"}},
	{"getData of null", &wire.GetData{Path: "/g/c", Watch: true}},
	{"setData", &wire.SetData{Path: "/g", Data: []byte("there"), Version: 0}}, // fires the watch of exists
	{"setData to null", &wire.SetData{Path: "/g/t", Version: -1}},
	{"getACL", &wire.GetACL{Path: "/zookeeper/config"}},
	{"setACL", &wire.SetACL{Path: "/g/s-0000000001", Version: -1, ACL: []zk.ACL{
		{Perms: zk.PermAll, ID: zk.ID{Scheme: "world", ID: "anyone"}}, {Perms: zk.PermRead, ID: zk.ID{Scheme: "ip", ID: "10.0.0.0/8"}},
	}}},
	{"getACL of two", &wire.GetACL{Path: "/g/s-0000000001"}},
	{"getChildren", &wire.GetChildren{Path: "/zookeeper", Watch: true}},
	{"getChildren of none", &wire.GetChildren{Path: "/g/e"}},
	{"getChildren2", &wire.GetChildren{Path: "/", WithStat: true}},
	{"sync", &wire.Sync{Path: "/g"}},
	{"sync of null", &wire.Sync{PathNull: true}},
	{"ping", &wire.Ping{}},
	{"getEphemerals", &wire.GetEphemerals{Prefix: "/g"}},
	{"getAllChildrenNumber", &wire.GetAllChildrenNumber{Path: "/g"}},
	{"whoAmI", &wire.WhoAmI{}},
	{"addWatch", &wire.AddWatch{Path: "/g", Mode: zk.WatchPersistentRecursive}},
	{"checkWatches", &wire.WatchQuery{Path: "/g", Type: zk.WatcherAny}},
	{"removeWatches", &wire.WatchQuery{Remove: true, Path: "/g", Type: zk.WatcherAny}},
	{"removeWatches that fails", &wire.WatchQuery{Remove: true, Path: "/none", Type: zk.WatcherData}},
	{"setWatches", &wire.SetWatches{Data: []string{"/gone"}, Exist: []string{"/none"}, Child: []string{}}},
	{"setWatches2", &wire.SetWatches{
		Type: wire.OpSetWatches2, Data: []string{}, Exist: []string{}, Child: []string{"/g"}, Persistent: []string{"/p"}, Recursive: []string{"/r"},
	}},
	{"multi", &wire.Multi{Type: wire.OpMulti, Ops: []wire.Op{
		&wire.Create{Path: "/g/m", Data: []byte("m"), ACL: zk.WorldACL(zk.PermAll)},
		&wire.Create{Type: wire.OpCreateContainer, Path: "/g/mc", Data: []byte{}, ACL: zk.WorldACL(zk.PermAll), Mode: zk.Container},
		&wire.SetData{Path: "/g/m", Data: []byte("n"), Version: 0},
		&wire.Check{Path: "/g/m", Version: 1},
		&wire.Delete{Path: "/g/m", Version: 1},
	}}},
	{"multi that fails", &wire.Multi{Type: wire.OpMulti, Ops: []wire.Op{
		&wire.Check{Path: "/g", Version: -1}, &wire.Check{Path: "/none", Version: 1}, &wire.Delete{Path: "/g/t", Version: -1},
	}}},
	{"multi of nothing", &wire.Multi{Type: wire.OpMulti}},
	{"multiRead", &wire.Multi{Type: wire.OpMultiRead, Ops: []wire.Op{
		&wire.GetData{Path: "/g"}, &wire.GetChildren{Path: "/g"}, &wire.GetData{Path: "/none"},
	}}},
	{"reconfig that fails", &wire.Reconfig{JoiningNull: true, Leaving: "1", MembersNull: true, CurConfigID: -1}},
	{"sasl that is not configured", &wire.Sasl{Token: []byte{}}},
	{"auth", &wire.Auth{Scheme: "digest", Auth: []byte("u:p")}},
	{"delete", &wire.Delete{Path: "/g/t", Version: -1}},
	{"closeSession", &wire.CloseSession{}}, // deletes /g/e, on whose parent the child watch sits
}

// Without the flag, the conversation must still go as it was recorded: the same replies and notices, of the same sizes. The times in
// them differ.
func TestGoldenConversation(t *testing.T) {
	srv := Start(t, Apache, Setup{Conf: []string{"extendedTypesEnabled=true"}})
	var b strings.Builder
	put := func(name, kind string, frame []byte) {
		fmt.Fprintf(&b, "%s | %s | %s\n", name, kind, hex.EncodeToString(frame))
	}
	c, err := Dial(srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connect := NewSession(sessionTimeout)
	put("connect", "connect", Frame(connect.Append(nil)))
	c.Write(Frame(connect.Append(nil)))
	f, err := c.ReadFrame(patience)
	if err != nil {
		t.Fatal(err)
	}
	put("connect", "connected", Frame(f))
	for i, talk := range goldenTalk {
		xid := int32(i + 1)
		if talk.op.OpCode() == wire.OpPing {
			xid = wire.XidPing
		}
		req := wire.AppendRequestFrame(nil, xid, talk.op)
		put(talk.name, "request", req)
		c.Write(req)
		for {
			f, err := c.ReadFrame(patience)
			if err != nil {
				t.Fatalf("%s: %v", talk.name, err)
			}
			if string(f[:4]) == "\xff\xff\xff\xff" {
				put(talk.name, "notice", Frame(f))
				continue
			}
			put(talk.name, "reply", Frame(f))
			break
		}
	}
	if *updateGolden {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(b.String(), "\n"), strings.Split(string(recorded), "\n")
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if len(g) != len(w) || strings.Split(g, " | ")[0] != strings.Split(w, " | ")[0] {
			t.Fatalf("line %d:\n now %s\nthen %s", i+1, g, w)
		}
	}
}
