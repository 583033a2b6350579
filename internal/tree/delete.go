package tree

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// delete removes the znode at path, and what is below it, which in a replay there may be.
func (t *Tree) delete(path string, zxid zk.Zxid) zk.Code {
	parent, name, ok := split(path)
	if !ok || name == "" {
		return zk.NoNode
	}
	p := t.Find(parent)
	if p == 0 {
		return zk.NoNode
	}
	if r := t.at(p); zxid > r.pzxid {
		t.touch(p)
		t.unseal(r, parent)
		r.pzxid = zxid
		t.reseal(r, parent)
	}
	n := t.child(p, name)
	if n == 0 {
		return zk.NoNode
	}
	for t.at(n).first != 0 {
		leaf := n
		for t.at(leaf).first != 0 {
			leaf = t.at(leaf).first
		}
		leafPath := t.Path(leaf)
		above, leafName, _ := zk.SplitPath(leafPath)
		t.drop(leaf, leafPath, above, leafName, zxid)
	}
	t.drop(n, path, parent, name, zxid)
	return zk.OK
}

// drop removes one znode without children, with its notice and its quota.
func (t *Tree) drop(n Node, path, parent, name string, zxid zk.Zxid) {
	if t.report {
		t.notice(txn.Change{Kind: txn.NodeDeleted, Path: path, Zxid: zxid, ACL: t.ACL(n), ParentACL: t.ACL(t.Parent(n))})
	}
	size := int(max(t.at(n).dataLen, 0))
	t.remove(n, path)
	t.quotaDeleted(path, parent, name, size)
}
