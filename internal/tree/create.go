package tree

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// create makes a znode; an existing one is met only in a replay, and gets the ACL of the txn.
func (t *Tree) create(h *txn.Header, kind txn.Type, c *txn.Create) txn.Result {
	parent, name, ok := split(c.Path)
	switch {
	case c.Path == "/":
		return failed(zk.NodeExists)
	case !ok || name == "":
		return failed(zk.BadArguments)
	}
	p := t.Find(parent)
	if p == 0 {
		return failed(zk.NoNode)
	}
	if n := t.child(p, name); n != 0 {
		t.replaceACL(n, c.ACL)
		// Upstream raises the parent only for the oldest kind of create, and so has another tree after a fuzzy snapshot in which
		// the parent is older than its child. The count in the txn tells which of the two it is.
		t.rise(p, parent, c.ParentCVersion, h.Zxid)
		return failed(zk.NodeExists)
	}
	m := Meta{Czxid: h.Zxid, Mzxid: h.Zxid, Pzxid: h.Zxid, Ctime: h.Time, Mtime: h.Time}
	switch c.Type {
	case txn.TypeCreateContainer:
		m.Owner = ContainerOwner
	case txn.TypeCreateTTL:
		if c.TTL <= 0 || c.TTL > zk.MaxTTL {
			return failed(zk.BadArguments) // upstream's server ends here
		}
		m.Owner = TTLOwner(c.TTL)
	default:
		if c.Ephemeral {
			m.Owner = int64(h.Session)
		}
	}
	t.rise(p, parent, c.ParentCVersion, h.Zxid)
	n := t.link(p, name)
	t.fill(n, c.Path, c.Data, t.acls.intern(c.ACL), &m)
	t.quotaCreated(c.Path, parent, name, len(c.Data))
	if t.report {
		t.notice(txn.Change{Kind: txn.NodeCreated, Path: c.Path, Zxid: h.Zxid, ACL: t.ACL(n), ParentACL: t.ACL(p)})
	}
	return txn.Result{Type: kind, Path: c.Path, Stat: t.Stat(n)}
}

// rise gives the parent r of a created znode its new count of creates, and pzxid, if the count is higher than it is: in a
// replay the parent may be newer than the create. At 2^31-1 there is no higher one, and both stay.
func (t *Tree) rise(n Node, path string, cversion int32, zxid zk.Zxid) {
	r := t.at(n)
	if cversion == -1 {
		cversion = r.cversion + 1
	}
	if cversion <= r.cversion {
		return
	}
	t.touch(n)
	t.unseal(r, path)
	r.cversion, r.pzxid = cversion, zxid
	t.reseal(r, path)
}
