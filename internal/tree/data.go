package tree

import (
	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// known is the znode at path, or 0: the one that whoever prepared the txn has found, if it is still there.
func (t *Tree) known(k *txn.Known, path string) Node {
	n := Node(k.Node)
	if n == 0 || k.Tree != any(t) || t.at(n).czxid != k.Czxid || !t.live(n) {
		return t.Find(path)
	}
	if invariant.Costly {
		found := t.Find(path)
		invariant.Check(found == n, invariant.TreeShape, "%s was known as znode %d and is %d", path, n, found)
	}
	return n
}

// setData replaces data; the version is the one that the txn says, -1 for the config of the ensemble.
func (t *Tree) setData(h *txn.Header, kind txn.Type, s *txn.SetData) txn.Result {
	n := t.known(&s.Known, s.Path)
	if n == 0 {
		return failed(zk.NoNode)
	}
	t.touch(n)
	r := t.at(n)
	before := int64(max(r.dataLen, 0))
	foretold := s.Known.HasDigest && s.Known.Was == r.crc
	t.unseal(r, s.Path)
	t.replaceData(r, s.Data)
	r.version, r.mzxid, r.mtime = s.Version, h.Zxid, h.Time
	if foretold {
		t.resealAs(r, s.Path, s.Known.Is)
	} else {
		t.reseal(r, s.Path)
	}
	grown := int64(len(s.Data)) - before
	t.dataSize += grown
	t.quotaMoved(s.Path, 0, grown)
	if t.report {
		t.notice(txn.Change{Kind: txn.NodeDataChanged, Path: s.Path, Zxid: h.Zxid, ACL: t.ACL(n)})
	}
	res := txn.Result{Type: kind, Stat: t.Stat(n)}
	if kind == txn.TypeReconfig {
		res.Data = s.Data
	}
	return res
}

// SetConfig makes /zookeeper/config show a configuration of the ensemble. It is no txn: each server does it for itself, its time
// is the server's own, and no watch fires (ensemble protocol, section 8.2).
func (t *Tree) SetConfig(text []byte, version zk.Zxid, now int64) {
	t.setData(&txn.Header{Zxid: version, Time: now}, txn.TypeReconfig, &txn.SetData{Path: configPath, Data: text, Version: -1})
}
