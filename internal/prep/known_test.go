package prep_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// A set of a znode that is in the tree says which it is; of one that is only going to be there, it does not. What multis replace
// in the overlay leaves it with the txn like everything else.
func TestKnown(t *testing.T) {
	l := newLeader(t)
	known := func(x *txn.Txn) txn.Known { return x.Body.(*txn.SetData).Known }
	set := func(path, data string) wire.Op { return &wire.SetData{Path: path, Data: []byte(data), Version: -1} }
	l.do(0, &wire.Create{Path: "/a", ACL: zk.WorldACL(zk.PermAll)})
	if k := known(l.do(0, set("/a", "1"))); k.Node != 0 {
		t.Errorf("%+v of a znode that is not there yet", k)
	}
	l.apply(2)
	first := known(l.do(0, set("/a", "2")))
	second := known(l.do(0, set("/a", "3")))
	n := l.tree.Find("/a")
	if first.Node != uint32(n) || first.Czxid != 1 || second.Node != first.Node || second.Was != first.Is || second.Is == second.Was {
		t.Errorf("%+v and %+v", first, second)
	}
	l.do(0, &wire.Multi{Ops: []wire.Op{set("/a", "4"), set("/a", "5"), set("/zookeeper/quota", "x")}})
	l.do(0, &wire.Multi{Ops: []wire.Op{set("/a", "6"), &wire.Delete{Path: "/a", Version: -1}, &wire.Delete{Path: "/none", Version: -1}}})
	l.do(0, &wire.Multi{Ops: []wire.Op{&wire.Delete{Path: "/a", Version: -1}, &wire.Create{Path: "/a", ACL: zk.WorldACL(zk.PermAll)}, set("/a", "7")}})
	for l.p.Outstanding() > 0 {
		l.apply(1)
	}
	if len(l.pending) != 0 || string(l.tree.Data(l.tree.Find("/a"))) != "7" {
		t.Errorf("%d txns left, data %q", len(l.pending), l.tree.Data(l.tree.Find("/a")))
	}
}
