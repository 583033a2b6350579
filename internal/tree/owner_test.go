package tree_test

import (
	"reflect"
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Section 3.9 of the client protocol.
func TestKinds(t *testing.T) {
	plain, extended, emulated := tree.Options{}, tree.Options{ExtendedTypes: true}, tree.Options{ExtendedTypes: true, Emulate353TTL: true}
	hex := func(u uint64) int64 { return int64(u) }
	for _, c := range []struct {
		o    tree.Options
		own  int64
		want tree.Kind
	}{
		{plain, 0, tree.Persistent}, {extended, 0, tree.Persistent}, {emulated, 0, tree.Persistent},
		{plain, tree.ContainerOwner, tree.Container}, {extended, tree.ContainerOwner, tree.Container}, {emulated, tree.ContainerOwner, tree.Container},
		{plain, 0x0100000ab53e0000, tree.Ephemeral}, {extended, 0x0100000ab53e0000, tree.Ephemeral}, {emulated, 0x0100000ab53e0000, tree.Ephemeral},
		{plain, hex(0xff00000000000001), tree.Ephemeral}, {extended, hex(0xff00000000000001), tree.TTL}, {emulated, hex(0xff00000000000001), tree.TTL},
		{extended, hex(0xff000000ffffffff), tree.TTL}, {extended, hex(0xff0000ffffffffff), tree.TTL}, {extended, hex(0xff00010000000001), tree.Ephemeral},
		{plain, hex(0x8000000000000001), tree.Ephemeral}, {extended, hex(0x8000000000000001), tree.Ephemeral}, {emulated, hex(0x8000000000000001), tree.TTL},
		{tree.Options{Emulate353TTL: true}, hex(0x8000000000000001), tree.Ephemeral},
	} {
		if got := tree.New(c.o).KindOf(c.own); got != c.want {
			t.Errorf("%+v: %#x is %d, want %d", c.o, uint64(c.own), got, c.want)
		}
	}
	for _, ttl := range []int64{1, 1000, zk.MaxTTL} {
		if own := tree.TTLOwner(ttl); tree.TTLOf(own) != ttl || uint64(own)>>40 != 0xff0000 {
			t.Errorf("ttl %d is stored as %#x", ttl, uint64(own))
		}
	}
	if tree.TTLOwner(1) != hex(0xff00000000000001) || tree.TTLOf(hex(0x8000000000000005)) != 5 {
		t.Error("ttl")
	}
}

// Section 3.10: what is to be deleted when.
func TestExpired(t *testing.T) {
	tr := tree.New(tree.Options{ExtendedTypes: true})
	at := func(zxid zk.Zxid, ms int64, typ txn.Type, body txn.Body) {
		t.Helper()
		if res, _ := tr.Apply(&txn.Txn{Header: txn.Header{Session: 1, Zxid: zxid, Time: ms, Type: typ}, Body: body}, nil); res.Code != zk.OK {
			t.Fatal(res.Code)
		}
	}
	container := func(path string) *txn.Create {
		return &txn.Create{Type: txn.TypeCreateContainer, Path: path, ACL: openList, ParentCVersion: -1}
	}
	ttl := func(path string, ms int64) *txn.Create {
		return &txn.Create{Type: txn.TypeCreateTTL, Path: path, ACL: openList, ParentCVersion: -1, TTL: ms}
	}
	at(1, 1000, txn.TypeCreateContainer, container("/used"))
	at(2, 1000, txn.TypeCreate, txn.NewCreate("/used/x", nil, openList, 1))
	at(3, 1000, txn.TypeDelete, &txn.Delete{Path: "/used/x"})
	at(4, 1000, txn.TypeCreateContainer, container("/full"))
	at(5, 1000, txn.TypeCreate, txn.NewCreate("/full/x", nil, openList, 1))
	at(6, 1000, txn.TypeCreateContainer, container("/fresh"))
	at(7, 1000, txn.TypeCreateTTL, ttl("/short", 10))
	at(8, 1000, txn.TypeCreateTTL, ttl("/long", 500))
	at(9, 1000, txn.TypeCreateTTL, ttl("/parent", 10))
	at(10, 1000, txn.TypeCreate, txn.NewCreate("/parent/x", nil, openList, 1))
	at(11, 1000, txn.TypeCreateTTL, ttl("/a-kept", 10))
	at(12, 1005, txn.TypeSetData, &txn.SetData{Path: "/a-kept", Version: 1})

	for _, c := range []struct {
		now, neverUsed int64
		want           []string
	}{
		{1000, 0, []string{"/used"}},
		{1010, 0, []string{"/used"}}, // not yet: longer than, not as long as
		{1011, 0, []string{"/short", "/used"}},
		{1016, 0, []string{"/a-kept", "/short", "/used"}},
		{1501, 0, []string{"/a-kept", "/long", "/short", "/used"}},
		{1100, 100, []string{"/a-kept", "/short", "/used"}},
		{1101, 100, []string{"/a-kept", "/fresh", "/short", "/used"}},
		{0, 0, []string{"/used"}}, // a clock that went back harms nobody
	} {
		if got := tr.Expired(c.now, c.neverUsed); !reflect.DeepEqual(got, c.want) {
			t.Errorf("at %d, never used %d: %v, want %v", c.now, c.neverUsed, got, c.want)
		}
	}
	// Whoever is deleted is no candidate any more.
	for i, p := range tr.Expired(1501, 100) {
		at(zk.Zxid(20+i), 1501, txn.TypeDeleteContainer, &txn.Delete{Path: p})
	}
	if got := tr.Expired(1501, 100); got != nil {
		t.Errorf("still %v", got)
	}
	if err := tr.Check(); err != nil {
		t.Error(err)
	}
}

// With extended types off a znode with a time to live looks like an ephemeral of a session that nobody has: whoever loads
// such a tree must not believe it.
func TestTTLWithoutExtendedTypes(t *testing.T) {
	tr := tree.New(tree.Options{})
	do(t, tr, txn.TypeCreateTTL, &txn.Create{Type: txn.TypeCreateTTL, Path: "/t", ACL: openList, ParentCVersion: 1, TTL: 7})
	if got := tr.EphemeralOwners(); !reflect.DeepEqual(got, []zk.SessionID{zk.SessionID(tree.TTLOwner(7))}) {
		t.Error(got)
	}
	if s := tr.Stat(tr.Find("/t")); s.EphemeralOwner != zk.SessionID(tree.TTLOwner(7)) {
		t.Errorf("%+v", s)
	}
}
