package tree

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Check bites: each damage to a sound tree is found.
func TestCheckBites(t *testing.T) {
	sound := func() *Tree {
		tr := New(Options{Seed: 3, ExtendedTypes: true})
		for i, c := range []txn.Create{
			{Type: txn.TypeCreate, Path: "/a"}, {Type: txn.TypeCreate, Path: "/a/b"}, {Type: txn.TypeCreate, Path: "/a/c", Ephemeral: true},
			{Type: txn.TypeCreateContainer, Path: "/a/d"}, {Type: txn.TypeCreate, Path: "/zookeeper/quota/a"}, {Type: txn.TypeCreate, Path: "/zookeeper/quota/a/zookeeper_limits"},
		} {
			c.ACL, c.Data, c.ParentCVersion = zk.WorldACL(zk.PermRead), []byte("data"), -1
			tr.Apply(&txn.Txn{Header: txn.Header{Session: 5, Zxid: zk.Zxid(i + 1), Time: 1, Type: c.Type}, Body: &c}, nil)
		}
		return tr
	}
	if err := sound().Check(); err != nil {
		t.Fatal(err)
	}
	for i, damage := range []func(tr *Tree, a, b, c, d *record){
		func(tr *Tree, a, b, c, d *record) { a.children++ },
		func(tr *Tree, a, b, c, d *record) { a.children-- },
		func(tr *Tree, a, b, c, d *record) { b.parent = root },
		func(tr *Tree, a, b, c, d *record) { c.prev = 0 },
		func(tr *Tree, a, b, c, d *record) { b.prev = tr.Find("/a/c") },
		func(tr *Tree, a, b, c, d *record) { d.next = tr.Find("/a/b") },
		func(tr *Tree, a, b, c, d *record) { b.next = 0 },
		func(tr *Tree, a, b, c, d *record) { tr.text.Bytes(b.name, 2)[1] = 'x' },
		func(tr *Tree, a, b, c, d *record) { tr.text.Bytes(b.data, 1)[0] = 'x' },
		func(tr *Tree, a, b, c, d *record) { tr.index.Remove(uint32(tr.Find("/a/b"))) },
		func(tr *Tree, a, b, c, d *record) { b.cversion++ },
		func(tr *Tree, a, b, c, d *record) { tr.digest++ },
		func(tr *Tree, a, b, c, d *record) { tr.dataSize++ },
		func(tr *Tree, a, b, c, d *record) { tr.text.Alloc(9) },
		func(tr *Tree, a, b, c, d *record) { tr.records.New() },
		func(tr *Tree, a, b, c, d *record) { b.acl = openACL },
		func(tr *Tree, a, b, c, d *record) { b.acl = 99 },
		func(tr *Tree, a, b, c, d *record) { tr.acls.entries[b.acl].refs++ },
		func(tr *Tree, a, b, c, d *record) { clear(tr.acls.byText) },
		func(tr *Tree, a, b, c, d *record) { tr.acls.lastKey = 0 },
		func(tr *Tree, a, b, c, d *record) { delete(tr.owners.linkOf, tr.Find("/a/c")) },
		func(tr *Tree, a, b, c, d *record) { delete(tr.owners.sessions, 5) },
		func(tr *Tree, a, b, c, d *record) { tr.owners.ephemerals++ },
		func(tr *Tree, a, b, c, d *record) { tr.owners.sessions[5] = tr.owners.containers },
		func(tr *Tree, a, b, c, d *record) { tr.quotas.remove("/a") },
		func(tr *Tree, a, b, c, d *record) { tr.quotas.add("/a/b") },
		func(tr *Tree, a, b, c, d *record) { tr.quotas.n++ },
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			tr := sound()
			damage(tr, tr.at(tr.Find("/a")), tr.at(tr.Find("/a/b")), tr.at(tr.Find("/a/c")), tr.at(tr.Find("/a/d")))
			if err := tr.Check(); err == nil {
				t.Error("not found")
			}
		})
	}
}

// The record is what the memory of a million znodes depends on.
func TestRecordSize(t *testing.T) {
	if n := unsafe.Sizeof(record{}); n != 104 {
		t.Errorf("a record takes %d bytes, the design says 104", n)
	}
}

func TestChars(t *testing.T) {
	for s, want := range map[string]int64{"": 0, "/": 1, "/abc": 4, "/é": 2, "/世界": 3, "/😀": 3} {
		if got := chars(s); got != want {
			t.Errorf("%q has %d, want %d", s, got, want)
		}
	}
}
