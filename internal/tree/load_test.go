package tree_test

import (
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

var ipList = []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "ip", ID: "127.0.0.1"}}}

func loadAll(t *testing.T, acls map[int64][]zk.ACL, nodes []entry) *tree.Tree {
	t.Helper()
	tr := tree.New(tree.Options{ExtendedTypes: true})
	tr.BeginLoad()
	for key, acl := range acls { // the order of keys is no matter
		tr.LoadACL(key, acl)
	}
	for _, n := range nodes {
		if err := tr.LoadNode(n.path, n.data, n.key, n.meta); err != nil {
			t.Fatal(err)
		}
	}
	tr.FinishLoad(77)
	if err := tr.Check(); err != nil {
		t.Fatal(err)
	}
	return tr
}

func frozenACLs(tr *tree.Tree) []tree.ACLEntry {
	v := tr.Freeze()
	defer v.Close()
	return v.ACLs()
}

func TestLoadNeedsParents(t *testing.T) {
	tr := tree.New(tree.Options{})
	for _, c := range []struct{ path, want string }{
		{"/a", "Invalid Datatree, unable to find parent  of path /a"},
		{"", ""},
		{"/a/b", "Invalid Datatree, unable to find parent /a of path /a/b"},
		{"/a", ""},
		{"/a/b", ""},
		{"/a/", "Invalid Datatree, unable to find parent /a of path /a/"},
		{"a", "Invalid Datatree, unable to find parent  of path a"},
	} {
		if c.path == "/a" && c.want != "" {
			tr.BeginLoad()
		}
		got := ""
		if err := tr.LoadNode(c.path, nil, -1, tree.Meta{}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.path, got, c.want)
		}
	}
	tr.FinishLoad(5)
	if tr.NodeCount() != 3 || tr.LastZxid() != 5 || tr.Check() != nil {
		t.Error(tr.NodeCount(), tr.LastZxid(), tr.Check())
	}
}

// Keys are kept as they are on disk; lists that no znode names go; the next new list gets a key above all that were seen.
func TestLoadedKeys(t *testing.T) {
	tr := loadAll(t, map[int64][]zk.ACL{3: readList, 5: ipList, 9: openList, 12: {{Perms: 1, ID: zk.ID{Scheme: "sasl", ID: "unused"}}}},
		[]entry{{path: "", key: -1}, {path: "/r", key: 3}, {path: "/i", key: 5}, {path: "/o", key: 9}})
	if got := frozenACLs(tr); !reflect.DeepEqual(got, []tree.ACLEntry{{Key: 3, ACL: readList}, {Key: 5, ACL: ipList}}) {
		t.Errorf("%+v", got)
	}
	if !tr.IsOpen(tr.Find("/o")) || tr.IsOpen(tr.Find("/r")) {
		t.Error("open")
	}
	do(t, tr, txn.TypeSetACL, &txn.SetACL{Path: "/o", ACL: ipList})
	do(t, tr, txn.TypeSetACL, &txn.SetACL{Path: "/i", ACL: []zk.ACL{{Perms: 2, ID: zk.ID{Scheme: "x", ID: "y"}}}})
	do(t, tr, txn.TypeDelete, &txn.Delete{Path: "/r"})
	if got := frozenACLs(tr); len(got) != 2 || got[0].Key != 5 || got[1].Key != 13 {
		t.Errorf("%+v", got)
	}
}

// ZOOKEEPER-4846 and 4689: a fuzzy snapshot names a list that came after the lists were written. Nobody may pass until the
// replay says what it was, and no later list may take its key.
func TestUnknownKey(t *testing.T) {
	tr := loadAll(t, map[int64][]zk.ACL{1: readList}, []entry{{path: "", key: -1}, {path: "/n", key: 2}, {path: "/m", key: 1}})
	if acl := tr.ACL(tr.Find("/n")); acl == nil || len(acl) != 0 || tr.IsOpen(tr.Find("/n")) {
		t.Errorf("%v", acl)
	}
	do(t, tr, txn.TypeSetACL, &txn.SetACL{Path: "/m", ACL: ipList})
	if acl := tr.ACL(tr.Find("/n")); len(acl) != 0 {
		t.Errorf("another's list came to /n: %v", acl)
	}
	tr.Replay(&txn.Txn{Header: header(tr, txn.TypeCreate), Body: txn.NewCreate("/n", nil, readList, 1)})
	if acl := tr.ACL(tr.Find("/n")); !reflect.DeepEqual(acl, readList) {
		t.Errorf("%v", acl)
	}
	if err := tr.Check(); err != nil {
		t.Error(err)
	}
}

// Two keys of one list, and a znode that comes twice: the last counts.
func TestLoadOddities(t *testing.T) {
	tr := loadAll(t, map[int64][]zk.ACL{1: readList, 2: readList}, []entry{
		{path: "", key: 1, data: []byte("root"), meta: tree.Meta{CVersion: 4}}, {path: "", key: 2, data: []byte("again"), meta: tree.Meta{CVersion: 5}},
		{path: "/e", key: 1, meta: tree.Meta{Owner: 7}}, {path: "/e", key: -1, data: []byte("x"), meta: tree.Meta{Owner: 8}},
	})
	if got := tr.EphemeralOwners(); !reflect.DeepEqual(got, []zk.SessionID{8}) || tr.NodeCount() != 2 || tr.DataSize() != 1+5+2+1 {
		t.Error(got, tr.NodeCount(), tr.DataSize())
	}
	if got := frozenACLs(tr); !reflect.DeepEqual(got, []tree.ACLEntry{{Key: 2, ACL: readList}}) {
		t.Errorf("%+v", got)
	}
	// A list is shared by all who have it, and goes with the last of them.
	do(t, tr, txn.TypeSetACL, &txn.SetACL{Path: "/e", ACL: readList})
	do(t, tr, txn.TypeSetACL, &txn.SetACL{Path: "/", ACL: nil})
	do(t, tr, txn.TypeDelete, &txn.Delete{Path: "/e"})
	if got := frozenACLs(tr); len(got) != 0 || !tr.IsOpen(tr.Find("/")) {
		t.Errorf("%+v", got)
	}
}

// An empty file of znodes gives the root alone.
func TestLoadNothing(t *testing.T) {
	tr := loadAll(t, nil, nil)
	if tr.NodeCount() != 1 || tr.LastZxid() != 77 || tr.Digest() != tree.NodeDigest("/", nil, &tree.Meta{}) {
		t.Error(tr.NodeCount(), tr.LastZxid(), tr.Digest())
	}
}
