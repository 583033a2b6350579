package tree

import (
	"github.com/zooid-io/zooid/internal/slab"
	"github.com/zooid-io/zooid/zk"
)

// link makes a record for the child of p that is called name and puts it last in p's list. The caller fills in the rest
// with fill.
func (t *Tree) link(p Node, name string) Node {
	n := Node(t.records.New())
	for _, v := range t.views {
		v.born(n)
	}
	r := t.at(n)
	r.parent = p
	r.name = t.putName(name)
	t.index.Insert(slab.Hash(t.opt.Seed, uint32(p), name), uint32(n))
	pr := t.at(p)
	if pr.first == 0 {
		pr.first, r.prev = n, n
	} else {
		first := t.at(pr.first)
		t.at(first.prev).next = n
		r.prev, first.prev = first.prev, n
	}
	pr.children++
	return n
}

// fill gives the new record n, of the path, what it holds, and counts it. The reference to acl becomes the record's.
func (t *Tree) fill(n Node, path string, data []byte, acl uint32, m *Meta) {
	r := t.at(n)
	r.czxid, r.mzxid, r.pzxid, r.ctime, r.mtime = m.Czxid, m.Mzxid, m.Pzxid, m.Ctime, m.Mtime
	r.version, r.cversion, r.aversion, r.owner = m.Version, m.CVersion, m.AVersion, m.Owner
	r.acl = acl
	t.putData(r, data)
	t.dataSize += chars(path) + int64(len(data))
	t.reseal(r, path)
	if r.owner != 0 {
		t.owners.add(t.KindOf(r.owner), r.owner, n)
	}
}

// remove ends n, a znode without children that is not the root, whose path is path. Its parent's stat is the caller's.
func (t *Tree) remove(n Node, path string) {
	t.touch(n)
	r := t.at(n)
	t.unseal(r, path)
	t.dataSize -= chars(path) + int64(max(r.dataLen, 0))
	if r.owner != 0 {
		t.owners.remove(t.KindOf(r.owner), r.owner, n)
	}
	t.acls.release(r.acl)

	p := t.at(r.parent)
	last := t.at(p.first).prev
	switch {
	case p.first == n && r.next == 0:
		p.first = 0
	case p.first == n:
		p.first = r.next
		t.at(r.next).prev = last
	default:
		t.at(r.prev).next = r.next
		if r.next != 0 {
			t.at(r.next).prev = r.prev
		} else {
			t.at(p.first).prev = r.prev
		}
	}
	p.children--

	t.index.Remove(uint32(n))
	t.text.Free(r.name, t.nameBlock(r))
	t.freeData(r)
	t.records.Free(uint32(n))
}

// touch must come before every change of what a snapshot says of n, and before its end.
func (t *Tree) touch(n Node) {
	for _, v := range t.views {
		v.touch(n)
	}
}

// live tells whether record n is in use.
func (t *Tree) live(n Node) bool { return n == root || t.at(n).parent != 0 }

// split is zk.SplitPath for what comes from a disk or a peer: "//a" is no other name of "/a", and names nothing.
func split(path string) (parent, name string, ok bool) {
	parent, name, ok = zk.SplitPath(path)
	if parent == "/" && path[1:] != name {
		return "", "", false
	}
	return parent, name, ok
}
