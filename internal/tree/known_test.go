package tree_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// What a txn says to know is believed only if it is of this tree, of a znode that is still there, and from the state that it
// is in: else the znode is found by its path, and its digest computed.
func TestKnown(t *testing.T) {
	seven := tree.New(tree.Options{Seed: 7})
	a := func(tr *tree.Tree) txn.Known {
		n := tr.Find("/a")
		return txn.Known{Tree: tr, Node: uint32(n), Czxid: tr.Meta(n).Czxid}
	}
	for name, make := range map[string]func(tr *tree.Tree) txn.Known{
		"right":   a,
		"nothing": func(*tree.Tree) txn.Known { return txn.Known{} },
		"another tree": func(tr *tree.Tree) txn.Known {
			k := a(tr)
			k.Tree, k.Node = seven, 1<<30
			return k
		},
		"gone": func(tr *tree.Tree) txn.Known {
			k := a(tr)
			do(t, tr, txn.TypeDelete, &txn.Delete{Path: "/a"})
			mk(t, tr, "/b", "/a") // /b gets its number
			if k.Node != uint32(tr.Find("/b")) {
				t.Fatal("the number was not given out again")
			}
			return k
		},
		"gone, and its number free": func(tr *tree.Tree) txn.Known {
			k := a(tr)
			do(t, tr, txn.TypeDelete, &txn.Delete{Path: "/a"})
			k.Czxid = 0
			return k
		},
		"from another state": func(tr *tree.Tree) txn.Known {
			k := a(tr)
			k.HasDigest, k.Was, k.Is = true, uint32(tr.NodeDigest(tree.Node(k.Node)))+1, 99
			return k
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree.New(tree.Options{Seed: 7})
			mk(t, tr, "/a")
			body := &txn.SetData{Path: "/a", Data: []byte("x"), Version: 1, Known: make(tr)}
			there := tr.Find("/a") != 0
			res, _ := tr.Apply(&txn.Txn{Header: header(tr, txn.TypeSetData), Body: body}, nil)
			if err := tr.Check(); err != nil {
				t.Fatal(err)
			}
			if !there {
				if res.Code != zk.NoNode {
					t.Errorf("%+v", res)
				}
				return
			}
			if n := tr.Find("/a"); res.Code != zk.OK || string(tr.Data(n)) != "x" {
				t.Errorf("%+v, data %q", res, tr.Data(n))
			}
		})
	}
}
