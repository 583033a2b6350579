package prep_test

import (
	"fmt"
	"testing"

	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// ZOOKEEPER-4706: the counter of sequential names stops at 2147483647. No name is negative, none sorts before an earlier one, and
// what cannot have a name of its own is refused; creates with a plain name go on.
func TestSequenceEnds(t *testing.T) {
	const end = 1<<31 - 1
	l := newLeader(t)
	for _, tr := range []*tree.Tree{l.tree, l.follower} {
		tr.BeginLoad()
		for _, n := range []struct {
			path string
			m    tree.Meta
		}{{"", tree.Meta{}}, {"/q", tree.Meta{CVersion: end - 2, Pzxid: 5}}} {
			if err := tr.LoadNode(n.path, nil, -1, n.m); err != nil {
				t.Fatal(err)
			}
		}
		tr.FinishLoad(7)
	}
	rules, err := auth.New(auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l.p = prep.New(prep.Config{Rules: rules, Digest: true, MaxTxn: 2 << 20}, l.tree, l.sessions)
	l.do(1, &prep.CreateSession{TimeOut: 5000})
	mk := func(name string, m zk.Mode) *wire.Create {
		return &wire.Create{Path: "/q/" + name, ACL: zk.WorldACL(zk.PermAll), Mode: m}
	}
	var got []string
	for _, op := range []wire.Op{
		mk("n-", zk.PersistentSequential), mk("n-", zk.EphemeralSequential), mk("n-", zk.PersistentSequential), mk("n-", zk.PersistentSequential),
		mk("plain", zk.Persistent), mk("other-", zk.PersistentSequential), mk("other-", zk.EphemeralSequential),
		&wire.Multi{Ops: []wire.Op{mk("n-", zk.PersistentSequential)}}, mk("n-", zk.PersistentSequential),
	} {
		x := l.do(1, op)
		switch b := x.Body.(type) {
		case *txn.Create:
			got = append(got, b.Path[3:])
		case *txn.Error:
			got = append(got, b.Code.Error())
		case *txn.Multi:
			if e, ok := b.Subs[0].Body.(*txn.Error); ok {
				got = append(got, e.Code.Error())
			} else {
				got = append(got, "a multi")
			}
		}
	}
	exists := zk.NodeExists.Error()
	want := []string{"n-2147483645", "n-2147483646", "n-2147483647", exists, "plain", "other-2147483647", exists, exists, exists}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	l.apply(len(l.pending))
	if m := l.tree.Meta(l.tree.Find("/q")); m.CVersion != end {
		t.Errorf("the counter is %d", m.CVersion)
	}
}
