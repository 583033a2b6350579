package tree_test

import (
	"testing"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

const session = zk.SessionID(0x1234)

// header is that of the next txn; its time is zxid * 1000.
func header(tr *tree.Tree, typ txn.Type) txn.Header {
	z := tr.LastZxid() + 1
	return txn.Header{Session: session, Zxid: z, Time: int64(z) * 1000, Type: typ}
}

// create is the txn that makes a persistent znode, as prep would write it.
func create(tr *tree.Tree, path, data string) *txn.Txn {
	parent, _, _ := zk.SplitPath(path)
	c := txn.NewCreate(path, []byte(data), openList, 1)
	if p := tr.Find(parent); p != 0 {
		c.ParentCVersion = tr.Meta(p).CVersion + 1
	}
	return &txn.Txn{Header: header(tr, txn.TypeCreate), Body: c}
}

// do applies a body and fails the test if it does not fit.
func do(t *testing.T, tr *tree.Tree, typ txn.Type, body txn.Body) (txn.Result, []txn.Change) {
	t.Helper()
	res, ch := tr.Apply(&txn.Txn{Header: header(tr, typ), Body: body}, nil)
	if res.Code != zk.OK {
		t.Fatalf("%T gave %v", body, res.Code)
	}
	if err := tr.Check(); err != nil {
		t.Fatalf("after %T: %v", body, err)
	}
	return res, ch
}

// mk makes persistent znodes.
func mk(t *testing.T, tr *tree.Tree, paths ...string) {
	t.Helper()
	for _, p := range paths {
		do(t, tr, txn.TypeCreate, create(tr, p, "").Body)
	}
}
