package tree_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Section 3.14 of the client protocol.
func TestInitialTree(t *testing.T) {
	tr := tree.New(tree.Options{Seed: 5})
	for _, c := range []struct {
		path string
		stat zk.Stat
		acl  []zk.ACL
	}{
		{"/", zk.Stat{CVersion: -1, NumChildren: 1}, openList},
		{"/zookeeper", zk.Stat{CVersion: -2, NumChildren: 2}, openList},
		{"/zookeeper/quota", zk.Stat{}, openList},
		{"/zookeeper/config", zk.Stat{AVersion: -1}, readList},
	} {
		n := tr.Find(c.path)
		if n == 0 || tr.Stat(n) != c.stat || !reflect.DeepEqual(tr.ACL(n), c.acl) || tr.IsOpen(n) != (c.path != "/zookeeper/config") {
			t.Errorf("%s: %+v %v", c.path, tr.Stat(n), tr.ACL(n))
		}
		if d := tr.Data(n); d == nil || len(d) != 0 {
			t.Errorf("%s has data %v, want empty and not null", c.path, d)
		}
		if tr.Path(n) != c.path {
			t.Errorf("%s says it is %s", c.path, tr.Path(n))
		}
	}
	if tr.NodeCount() != 4 || tr.DataSize() != 44 || tr.Digest() != 1371985504 || tr.LastZxid() != 0 {
		t.Error(tr.NodeCount(), tr.DataSize(), tr.Digest(), tr.LastZxid())
	}
	if tr.Descendants(tr.Find("/")) != 3 || tr.Descendants(tr.Find("/zookeeper")) != 2 || tr.Descendants(tr.Find("/zookeeper/quota")) != 0 {
		t.Error("descendants")
	}
	if err := tr.Check(); err != nil {
		t.Error(err)
	}
}

// Paths are looked up as they stand.
func TestFind(t *testing.T) {
	tr := tree.New(tree.Options{Seed: 5})
	long := strings.Repeat("x", 100_000)
	deep := strings.Repeat("/d", 5)
	mk(t, tr, "/a", "/a/b", "/é", "/"+long, "/d", "/d/d", "/d/d/d", "/d/d/d/d", deep, "/zookeeper/quota/n")
	for path, found := range map[string]bool{
		"": true, "/": true, "/a": true, "/a/b": true, "/é": true, "/" + long: true, deep: true, "/zookeeper/quota/n": true,
		"a": false, "/a/": false, "//": false, "//a": false, "/a//b": false, "a/b": false, "/b": false, "/ab": false, "/a/b/c": false,
		"/" + long + "x": false, "/" + long[1:]: false, deep + "/d": false, "zookeeper": false, "/a/.": false,
	} {
		n := tr.Find(path)
		if (n != 0) != found {
			t.Errorf("Find(%.20q) = %d", path, n)
		}
		if found && path != "" && tr.Path(n) != path {
			t.Errorf("%.20q says it is %.20q", path, tr.Path(n))
		}
	}
	if n := testing.AllocsPerRun(100, func() { tr.Find("/d/d/d/d"); tr.Find("/nothing") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	want := jute.AppendStrings(nil, []string{"zookeeper", "a", "é", long, "d"})
	if got := tr.AppendChildren(nil, tr.Find("/")); !reflect.DeepEqual(got, want) {
		t.Errorf("children of / are %.60q", got)
	}
}

// Section 4 of the client protocol, one line for each column. /p has a child c, /p/c has a child g; the txn is number 9 at
// time 9000. want is what changes in the Stat of /p and of /p/c, field by field.
func TestStatRules(t *testing.T) {
	same := func(*zk.Stat) {}
	for _, c := range []struct {
		name     string
		typ      txn.Type
		body     txn.Body
		p, child func(s *zk.Stat)
		gone     bool // the child
		changes  int
	}{
		{"setData", txn.TypeSetData, &txn.SetData{Path: "/p", Data: []byte("1234"), Version: 1},
			func(s *zk.Stat) { s.Mzxid, s.Mtime, s.Version, s.DataLength = 9, 9000, 1, 4 }, same, false, 1},
		{"setData to null", txn.TypeSetData, &txn.SetData{Path: "/p", Version: 1},
			func(s *zk.Stat) { s.Mzxid, s.Mtime, s.Version, s.DataLength = 9, 9000, 1, 0 }, same, false, 1},
		{"setACL", txn.TypeSetACL, &txn.SetACL{Path: "/p", ACL: readList, AVersion: 1},
			func(s *zk.Stat) { s.AVersion = 1 }, same, false, 0},
		{"create of a child", txn.TypeCreate, &txn.Create{Type: txn.TypeCreate, Path: "/p/d", ACL: openList, ParentCVersion: 2},
			func(s *zk.Stat) { s.CVersion, s.NumChildren, s.Pzxid = 2, 2, 9 }, same, false, 1},
		{"create of a grandchild", txn.TypeCreate2, &txn.Create{Type: txn.TypeCreate2, Path: "/p/c/h", ACL: openList, ParentCVersion: 2},
			same, func(s *zk.Stat) { s.CVersion, s.NumChildren, s.Pzxid = 2, 2, 9 }, false, 1},
		{"delete of a grandchild", txn.TypeDelete, &txn.Delete{Path: "/p/c/g"},
			same, func(s *zk.Stat) { s.CVersion, s.NumChildren, s.Pzxid = 2, 0, 9 }, false, 1},
		{"close deletes the ephemeral grandchild", txn.TypeCloseSession, &txn.CloseSession{HasPaths: true, Paths: []string{"/p/c/g"}},
			same, func(s *zk.Stat) { s.CVersion, s.NumChildren, s.Pzxid = 2, 0, 9 }, false, 1},
		{"check", txn.TypeCheck, &txn.Check{Path: "/p", Version: 0}, same, same, false, 0},
		{"error", txn.TypeError, &txn.Error{Code: zk.NoNode}, same, same, false, 0},
		{"createSession", txn.TypeCreateSession, &txn.CreateSession{TimeOut: 1}, same, same, false, 0},
		{"failed multi", txn.TypeMulti, &txn.Multi{Subs: []txn.Sub{
			{Type: txn.TypeSetData, Body: &txn.SetData{Path: "/p", Version: 1}}, {Type: txn.TypeError, Body: &txn.Error{Code: zk.NoNode}}}},
			same, same, false, 0},
	} {
		tr := tree.New(tree.Options{Seed: 5})
		mk(t, tr, "/p", "/p/c")
		do(t, tr, txn.TypeCreate, &txn.Create{Type: txn.TypeCreate, Path: "/p/c/g", ACL: openList, ParentCVersion: 1, Ephemeral: true})
		tr.SetLastZxid(8)
		want := []zk.Stat{tr.Stat(tr.Find("/p")), tr.Stat(tr.Find("/p/c")), tr.Stat(tr.Find("/"))}
		c.p(&want[0])
		c.child(&want[1])
		_, ch := tr.Apply(&txn.Txn{Header: header(tr, c.typ), Body: c.body}, nil)
		got := []zk.Stat{tr.Stat(tr.Find("/p")), tr.Stat(tr.Find("/p/c")), tr.Stat(tr.Find("/"))}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, want)
		}
		if len(ch) != c.changes || tr.LastZxid() != 9 {
			t.Errorf("%s: changes %v, last zxid %v", c.name, ch, tr.LastZxid())
		}
		if err := tr.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A new znode, of each kind, as its maker is told of it.
func TestCreated(t *testing.T) {
	for _, c := range []struct {
		name  string
		c     txn.Create
		owner zk.SessionID // sent
		meta  int64        // stored
	}{
		{"persistent", txn.Create{Type: txn.TypeCreate2}, 0, 0},
		{"ephemeral", txn.Create{Type: txn.TypeCreate2, Ephemeral: true}, session, int64(session)},
		{"container", txn.Create{Type: txn.TypeCreateContainer}, 0, math.MinInt64},
		{"ttl", txn.Create{Type: txn.TypeCreateTTL, TTL: 0x1234}, 0, -0xFFFFFFFFFFEDCC},
	} {
		tr := tree.New(tree.Options{ExtendedTypes: true})
		c.c.Path, c.c.Data, c.c.ACL, c.c.ParentCVersion = "/n", []byte("abc"), readList, 1
		res, ch := do(t, tr, c.c.Type, &c.c)
		want := zk.Stat{Czxid: 1, Mzxid: 1, Pzxid: 1, Ctime: 1000, Mtime: 1000, EphemeralOwner: c.owner, DataLength: 3}
		if !reflect.DeepEqual(res, txn.Result{Type: c.c.Type, Path: "/n", Stat: want}) {
			t.Errorf("%s: %+v", c.name, res)
		}
		if !reflect.DeepEqual(ch, []txn.Change{{Kind: txn.NodeCreated, Path: "/n", Zxid: 1, ACL: readList, ParentACL: openList}}) {
			t.Errorf("%s: %+v", c.name, ch)
		}
		if got := tr.Meta(tr.Find("/n")).Owner; got != c.meta {
			t.Errorf("%s: owner %#x", c.name, got)
		}
	}
}

// Sub by sub: results of the moment, changes in order; a failed one changes nothing and its entries tell who is to blame.
func TestMulti(t *testing.T) {
	tr := tree.New(tree.Options{ExtendedTypes: true})
	sub := func(typ txn.Type, b txn.Body) txn.Sub { return txn.Sub{Type: typ, Body: b} }
	ok := &txn.Multi{Subs: []txn.Sub{
		sub(txn.TypeCreate, txn.NewCreate("/a", nil, openList, 1)),
		sub(txn.TypeCreateContainer, &txn.Create{Type: txn.TypeCreateContainer, Path: "/a/c", ACL: readList, ParentCVersion: 1}),
		sub(txn.TypeCreateTTL, &txn.Create{Type: txn.TypeCreateTTL, Path: "/a/t", ACL: openList, ParentCVersion: 2, TTL: 5}),
		sub(txn.TypeCreate2, &txn.Create{Type: txn.TypeCreate2, Path: "/a/d", ACL: openList, ParentCVersion: 3}),
		sub(txn.TypeSetData, &txn.SetData{Path: "/a", Data: []byte("x"), Version: 1}),
		sub(txn.TypeCheck, &txn.Check{Path: "/a", Version: 1}),
		sub(txn.TypeDelete, &txn.Delete{Path: "/a/c"}),
		sub(txn.TypeSetData, &txn.SetData{Path: "/a", Data: nil, Version: 2}),
	}}
	res, ch := do(t, tr, txn.TypeMulti, ok)
	fresh := zk.Stat{Czxid: 1, Mzxid: 1, Pzxid: 1, Ctime: 1000, Mtime: 1000}
	after := func(change func(s *zk.Stat)) zk.Stat { s := fresh; change(&s); return s }
	want := txn.Result{Type: txn.TypeMulti, Subs: []txn.Result{
		{Type: txn.TypeCreate, Path: "/a", Stat: fresh},
		{Type: txn.TypeCreate2, Path: "/a/c", Stat: fresh},
		{Type: txn.TypeCreate2, Path: "/a/t", Stat: fresh},
		{Type: txn.TypeCreate2, Path: "/a/d", Stat: fresh},
		{Type: txn.TypeSetData, Stat: after(func(s *zk.Stat) { s.Version, s.DataLength, s.CVersion, s.NumChildren = 1, 1, 3, 3 })},
		{Type: txn.TypeCheck},
		{Type: txn.TypeDelete},
		{Type: txn.TypeSetData, Stat: after(func(s *zk.Stat) { s.Version, s.CVersion, s.NumChildren = 2, 4, 2 })},
	}}
	if !reflect.DeepEqual(res, want) {
		t.Errorf("%+v\nwant\n%+v", res, want)
	}
	wantCh := []txn.Change{
		{Kind: txn.NodeCreated, Path: "/a", Zxid: 1, ACL: openList, ParentACL: openList},
		{Kind: txn.NodeCreated, Path: "/a/c", Zxid: 1, ACL: readList, ParentACL: openList},
		{Kind: txn.NodeCreated, Path: "/a/t", Zxid: 1, ACL: openList, ParentACL: openList},
		{Kind: txn.NodeCreated, Path: "/a/d", Zxid: 1, ACL: openList, ParentACL: openList},
		{Kind: txn.NodeDataChanged, Path: "/a", Zxid: 1, ACL: openList},
		{Kind: txn.NodeDeleted, Path: "/a/c", Zxid: 1, ACL: readList, ParentACL: openList},
		{Kind: txn.NodeDataChanged, Path: "/a", Zxid: 1, ACL: openList},
	}
	if !reflect.DeepEqual(ch, wantCh) {
		t.Errorf("%+v", ch)
	}

	digest := tr.Digest()
	bad := &txn.Multi{Subs: []txn.Sub{
		sub(txn.TypeSetData, &txn.SetData{Path: "/a", Version: 3}), sub(txn.TypeCheck, &txn.Check{Path: "/a"}),
		sub(txn.TypeError, &txn.Error{Code: zk.NoNode}), sub(txn.TypeError, &txn.Error{Code: zk.RuntimeInconsistency}),
		sub(txn.TypeDelete, &txn.Delete{Path: "/a/d"}),
	}}
	res, ch = do(t, tr, txn.TypeMulti, bad)
	e := txn.TypeError
	want = txn.Result{Type: txn.TypeMulti, Subs: []txn.Result{{Type: e}, {Type: e}, {Type: e, Code: zk.NoNode}, {Type: e, Code: zk.RuntimeInconsistency}, {Type: e, Code: zk.RuntimeInconsistency}}}
	if !reflect.DeepEqual(res, want) || ch != nil || tr.Digest() != digest {
		t.Errorf("%+v %v", res, ch)
	}
	if res, ch := do(t, tr, txn.TypeMulti, &txn.Multi{}); len(res.Subs) != 0 || ch != nil {
		t.Errorf("an empty multi gave %+v %v", res, ch)
	}
}

// The listed paths first and in their order, then what the tree knows besides; all at one zxid.
func TestCloseSession(t *testing.T) {
	for _, c := range []struct {
		name string
		body *txn.CloseSession
		want []string
	}{
		{"listed", &txn.CloseSession{HasPaths: true, Paths: []string{"/c", "/a", "/b"}}, []string{"/c", "/a", "/b"}},
		{"some listed", &txn.CloseSession{HasPaths: true, Paths: []string{"/c", "/gone"}}, []string{"/c", "/a", "/b"}},
		{"none listed", &txn.CloseSession{HasPaths: true}, []string{"/a", "/b", "/c"}},
		{"as until 3.5", &txn.CloseSession{}, []string{"/a", "/b", "/c"}},
	} {
		tr := tree.New(tree.Options{})
		for i, p := range []string{"/b", "/a", "/c", "/other"} {
			b := &txn.Create{Type: txn.TypeCreate, Path: p, ACL: openList, Ephemeral: true, ParentCVersion: int32(i + 1)}
			h := header(tr, txn.TypeCreate)
			if p == "/other" {
				h.Session++
			}
			tr.Apply(&txn.Txn{Header: h, Body: b}, nil)
		}
		res, ch := do(t, tr, txn.TypeCloseSession, c.body)
		var got []string
		for _, x := range ch {
			if x.Kind != txn.NodeDeleted || x.Zxid != 5 {
				t.Errorf("%s: %+v", c.name, x)
			}
			got = append(got, x.Path)
		}
		if !reflect.DeepEqual(got, c.want) || res.Type != txn.TypeCloseSession {
			t.Errorf("%s: %v, %+v", c.name, got, res)
		}
		if tr.EphemeralCount() != 1 || !reflect.DeepEqual(tr.EphemeralOwners(), []zk.SessionID{session + 1}) || tr.Ephemerals(session) != nil {
			t.Errorf("%s: %d ephemerals of %v", c.name, tr.EphemeralCount(), tr.EphemeralOwners())
		}
		if s := tr.Stat(tr.Find("/")); s.CVersion != 2*4-2 || s.Pzxid != 5 {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

// The config of the ensemble keeps version -1.
func TestReconfig(t *testing.T) {
	tr := tree.New(tree.Options{})
	digest := tr.Digest()
	res, ch := do(t, tr, txn.TypeReconfig, &txn.SetData{Path: "/zookeeper/config", Data: []byte("version=1"), Version: -1})
	want := txn.Result{Type: txn.TypeReconfig, Data: []byte("version=1"), Stat: zk.Stat{Mzxid: 1, Mtime: 1000, Version: -1, AVersion: -1, DataLength: 9}}
	if !reflect.DeepEqual(res, want) || len(ch) != 1 || tr.Digest() != digest {
		t.Errorf("%+v %+v %d", res, ch, tr.Digest())
	}
}

// Defect 65 (ZOOKEEPER-4706): the count of creates ends at 2^31-1 and does not turn negative.
func TestCounterEnds(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/p")
	for i, c := range []struct {
		given, want int32
		pzxid       zk.Zxid
	}{{math.MaxInt32 - 1, math.MaxInt32 - 1, 2}, {math.MaxInt32, math.MaxInt32, 3}, {math.MinInt32, math.MaxInt32, 3}, {-1, math.MaxInt32, 3}, {5, math.MaxInt32, 3}} {
		do(t, tr, txn.TypeCreate, &txn.Create{Type: txn.TypeCreate, Path: "/p/" + string(rune('a'+i)), ACL: openList, ParentCVersion: c.given})
		if m := tr.Meta(tr.Find("/p")); m.CVersion != c.want || m.Pzxid != c.pzxid {
			t.Errorf("after %d: %+v", c.given, m)
		}
	}
}

// -1, of the oldest logs, is one more than it is.
func TestUnsaidParentVersion(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/p", "/p/a")
	do(t, tr, txn.TypeCreate, txn.NewCreate("/p/b", nil, openList, -1))
	if m := tr.Meta(tr.Find("/p")); m.CVersion != 2 || m.Pzxid != 3 {
		t.Errorf("%+v", m)
	}
}

// What prep never writes: a code, no change reported, no panic.
func TestApplyIsTotal(t *testing.T) {
	for _, c := range []struct {
		body txn.Body
		code zk.Code
	}{
		{txn.NewCreate("/x/y", nil, openList, 1), zk.NoNode},
		{txn.NewCreate("x", nil, openList, 1), zk.BadArguments},
		{txn.NewCreate("", nil, openList, 1), zk.BadArguments},
		{txn.NewCreate("/", nil, openList, 1), zk.NodeExists},
		{txn.NewCreate("//", nil, openList, 1), zk.BadArguments},
		{txn.NewCreate("//x/y", nil, openList, 1), zk.NoNode},
		{txn.NewCreate("/p/", nil, openList, 1), zk.BadArguments},
		{txn.NewCreate("/p", nil, openList, 1), zk.NodeExists},
		{&txn.Create{Type: txn.TypeCreateTTL, Path: "/t", TTL: -5}, zk.BadArguments},
		{&txn.Delete{Path: "/"}, zk.NoNode},
		{&txn.Delete{Path: ""}, zk.NoNode},
		{&txn.Delete{Path: "/x"}, zk.NoNode},
		{&txn.Delete{Path: "/x/y"}, zk.NoNode},
		{&txn.SetData{Path: "/x"}, zk.NoNode},
		{&txn.SetACL{Path: "/x"}, zk.NoNode},
		{&txn.Error{Code: zk.Code(-4711)}, zk.Code(-4711)},
	} {
		tr := tree.New(tree.Options{})
		mk(t, tr, "/p")
		res, ch := tr.Apply(&txn.Txn{Header: header(tr, txn.TypeCreate), Body: c.body}, nil)
		if res.Type != txn.TypeError || res.Code != c.code || ch != nil || tr.NodeCount() != 5 {
			t.Errorf("%+v gave %+v, %v", c.body, res, ch)
		}
		if err := tr.Check(); err != nil {
			t.Error(err)
		}
		res, _ = tr.Apply(&txn.Txn{Header: header(tr, txn.TypeMulti), Body: &txn.Multi{Subs: []txn.Sub{{Type: txn.TypeCreate, Body: c.body}}}}, nil)
		if sub := res.Subs[0]; sub.Type != txn.TypeError || sub.Code != c.code {
			t.Errorf("%+v in a multi gave %+v", c.body, sub)
		}
	}
}

func TestZxidsRise(t *testing.T) {
	tr := tree.New(tree.Options{})
	mk(t, tr, "/a", "/b")
	defer func() {
		var b invariant.Broken
		if err, ok := recover().(error); !ok || !errors.As(err, &b) || b.Name != invariant.TotalOrder {
			t.Errorf("%v", err)
		}
	}()
	tr.Apply(&txn.Txn{Header: txn.Header{Zxid: 2, Type: txn.TypeError}, Body: &txn.Error{}}, nil)
	t.Error("zxid 2 was applied twice")
}

// A chain of 3000 znodes is made, counted, frozen and removed without recursion.
func TestDeepTree(t *testing.T) {
	tr := tree.New(tree.Options{NoDigest: true})
	const depth = 3000
	path := ""
	for range depth {
		path += "/d"
		tr.Apply(create(tr, path, ""), nil)
	}
	if n := tr.Descendants(tr.Find("/d")); n != depth-1 {
		t.Fatal(n)
	}
	v := tr.Freeze()
	tr.Apply(&txn.Txn{Header: header(tr, txn.TypeDelete), Body: &txn.Delete{Path: "/d"}}, nil) // in a replay this may happen
	if tr.NodeCount() != 4 {
		t.Fatal(tr.NodeCount())
	}
	var b []byte
	for more := true; more; {
		b, more = v.Next(b, 1<<20)
	}
	v.Close()
	if n := len(decodeEntries(t, b)); n != depth+4 {
		t.Fatal(n)
	}
	if err := tr.Check(); err != nil {
		t.Fatal(err)
	}
}
