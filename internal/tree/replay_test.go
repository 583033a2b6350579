package tree_test

import (
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Section 5.1 of the storage reference, line by line: a record meets a tree that is older or newer than it expects. The
// tree holds /p (cversion 5, pzxid 50) with /p/n (data "old", version 3); the record has zxid 40.
func TestReplayOverFuzzySnapshot(t *testing.T) {
	type expect struct {
		cversion int32
		pzxid    zk.Zxid
		data     string // of /p/n, "-" if it is gone
		acl      []zk.ACL
		version  int32
	}
	as := expect{5, 50, "old", openList, 3}
	with := func(change func(e *expect)) expect { e := as; change(&e); return e }
	mk := func(typ txn.Type, path string, parentCVersion int32) txn.Body {
		return &txn.Create{Type: typ, Path: path, Data: []byte("new"), ACL: readList, ParentCVersion: parentCVersion, TTL: 1}
	}
	for _, c := range []struct {
		name string
		typ  txn.Type
		body txn.Body
		want expect
	}{
		{"create, parent missing", txn.TypeCreate, mk(txn.TypeCreate, "/x/n", 1), as},
		{"create, there, parent newer", txn.TypeCreate, mk(txn.TypeCreate, "/p/n", 4), with(func(e *expect) { e.acl = readList })},
		{"create, there, parent older", txn.TypeCreate, mk(txn.TypeCreate, "/p/n", 6), with(func(e *expect) { e.acl, e.cversion, e.pzxid = readList, 6, 40 })},
		{"create, there, unsaid", txn.TypeCreate, mk(txn.TypeCreate, "/p/n", -1), with(func(e *expect) { e.acl, e.cversion, e.pzxid = readList, 6, 40 })},
		{"create2, there, parent older", txn.TypeCreate2, mk(txn.TypeCreate2, "/p/n", 6), with(func(e *expect) { e.acl, e.cversion, e.pzxid = readList, 6, 40 })},
		{"createContainer, there, parent older", txn.TypeCreateContainer, mk(txn.TypeCreateContainer, "/p/n", 6), with(func(e *expect) { e.acl, e.cversion, e.pzxid = readList, 6, 40 })},
		{"createTTL, there, parent older", txn.TypeCreateTTL, mk(txn.TypeCreateTTL, "/p/n", 6), with(func(e *expect) { e.acl, e.cversion, e.pzxid = readList, 6, 40 })},
		{"create, new, parent newer", txn.TypeCreate, mk(txn.TypeCreate, "/p/m", 4), as},
		{"create, new, parent older", txn.TypeCreate2, mk(txn.TypeCreate2, "/p/m", 6), with(func(e *expect) { e.cversion, e.pzxid = 6, 40 })},
		{"delete, parent missing", txn.TypeDelete, &txn.Delete{Path: "/x/n"}, as},
		{"delete, missing", txn.TypeDelete, &txn.Delete{Path: "/p/x"}, as},
		{"delete", txn.TypeDelete, &txn.Delete{Path: "/p/n"}, with(func(e *expect) { e.data = "-" })},
		{"setData, missing", txn.TypeSetData, &txn.SetData{Path: "/p/x", Data: []byte("new"), Version: 2}, as},
		{"setData, newer there", txn.TypeSetData, &txn.SetData{Path: "/p/n", Data: []byte("new"), Version: 2}, with(func(e *expect) { e.data, e.version = "new", 2 })},
		{"setACL, missing", txn.TypeSetACL, &txn.SetACL{Path: "/p/x", ACL: readList, AVersion: 2}, as},
		{"setACL", txn.TypeSetACL, &txn.SetACL{Path: "/p/n", ACL: readList, AVersion: 2}, with(func(e *expect) { e.acl = readList })},
		{"closeSession, listed are missing", txn.TypeCloseSession, &txn.CloseSession{HasPaths: true, Paths: []string{"/x/y", "/p/x"}}, as},
		{"error", txn.TypeError, &txn.Error{Code: zk.NoNode}, as},
		{"multi, one does not fit", txn.TypeMulti, &txn.Multi{Subs: []txn.Sub{
			{Type: txn.TypeDelete, Body: &txn.Delete{Path: "/p/x"}},
			{Type: txn.TypeSetData, Body: &txn.SetData{Path: "/p/n", Data: []byte("new"), Version: 9}},
			{Type: txn.TypeCreate, Body: mk(txn.TypeCreate, "/p/n", 6)},
		}}, expect{6, 40, "new", readList, 9}},
		{"failed multi", txn.TypeMulti, &txn.Multi{Subs: []txn.Sub{
			{Type: txn.TypeDelete, Body: &txn.Delete{Path: "/p/n"}}, {Type: txn.TypeError, Body: &txn.Error{Code: zk.NoAuth}},
		}}, as},
	} {
		tr := tree.New(tree.Options{})
		tr.BeginLoad()
		for _, n := range []struct {
			path string
			m    tree.Meta
		}{{"", tree.Meta{}}, {"/p", tree.Meta{CVersion: 5, Pzxid: 50}}, {"/p/n", tree.Meta{Version: 3}}} {
			if err := tr.LoadNode(n.path, []byte("old"), -1, n.m); err != nil {
				t.Fatal(err)
			}
		}
		tr.FinishLoad(30)
		tr.Replay(&txn.Txn{Header: txn.Header{Session: session, Zxid: 40, Time: 1, Type: c.typ}, Body: c.body, HasDigest: true, Digest: 1})
		m := tr.Meta(tr.Find("/p"))
		got := expect{m.CVersion, m.Pzxid, "-", openList, 3}
		if n := tr.Find("/p/n"); n != 0 {
			got.data, got.acl, got.version = string(tr.Data(n)), tr.ACL(n), tr.Meta(n).Version
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if tr.LastZxid() != 40 || tr.DigestMismatches() != 0 {
			t.Errorf("%s: last zxid %v, %d mismatches", c.name, tr.LastZxid(), tr.DigestMismatches())
		}
		if err := tr.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// ZOOKEEPER-3145: the pzxid of a parent rises when a close is replayed over znodes that are gone already.
func TestReplayedCloseRaisesPzxid(t *testing.T) {
	tr := tree.New(tree.Options{})
	tr.Replay(&txn.Txn{Header: txn.Header{Session: session, Zxid: 7, Type: txn.TypeCloseSession}, Body: &txn.CloseSession{HasPaths: true, Paths: []string{"/e"}}})
	if m := tr.Meta(tr.Find("/")); m.Pzxid != 7 {
		t.Errorf("%+v", m)
	}
}

// A fuzzy snapshot as Apache writes it: each znode is of another moment between txns 100 and 200. Whatever mix it is, the
// replay of the log from 100 gives the tree of 200.
func TestReplayHealsFuzzySnapshot(t *testing.T) {
	for seed := range uint64(20) {
		a := newAuthor(300 + seed)
		for range 100 {
			a.next()
		}
		moments := []model{a.m.clone()}
		var log []*txn.Txn
		for range 100 {
			log = append(log, a.next())
			moments = append(moments, a.m.clone())
		}
		tr := tree.New(tree.Options{Seed: seed, ExtendedTypes: true})
		tr.BeginLoad()
		for i, l := range lists {
			tr.LoadACL(int64(i+1), l)
		}
		// In pre-order, the moment moving forward, and the children of a znode as of the moment at which it is written.
		at := 0
		var write func(path string, names []string)
		write = func(path string, names []string) {
			for _, name := range names {
				at = min(at+a.r.IntN(6), 100)
				m := moments[at]
				n, ok := m[path+"/"+name]
				if !ok {
					continue // gone since its parent was written
				}
				key := int64(-1)
				for i, l := range lists {
					if reflect.DeepEqual(l, n.acl) {
						key = int64(i + 1)
					}
				}
				data := []byte(n.data)
				if n.null {
					data = nil
				}
				if err := tr.LoadNode(path+"/"+name, data, key, n.meta); err != nil {
					t.Fatal(err)
				}
				write(path+"/"+name, m.children(path+"/"+name))
			}
		}
		first := moments[0]
		tr.LoadNode("", []byte(first[""].data), -1, first[""].meta)
		write("", first.children(""))
		tr.FinishLoad(100)
		for _, x := range log {
			tr.Replay(x)
			if err := tr.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if tr.Digest() != a.m.digest() || tr.NodeCount() != len(a.m) {
			t.Errorf("seed %d: digest %d of %d znodes, want %d of %d", seed, tr.Digest(), tr.NodeCount(), a.m.digest(), len(a.m))
		}
		for p, n := range a.m {
			if got := tr.Find(p); got == 0 || tr.Meta(got) != n.meta || !reflect.DeepEqual(tr.ACL(got), n.acl) {
				t.Errorf("seed %d: %s is %+v %v, want %+v %v", seed, p, tr.Meta(got), tr.ACL(got), n.meta, n.acl)
			}
		}
	}
}
