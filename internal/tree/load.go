package tree

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/zk"
)

// loading is what a snapshot needs while it is read.
type loading struct {
	acls map[int64]uint32 // key to id
	root bool             // the root has come

	// The parent of the znode before, and its path: most often it is the next one's, too.
	parent Node
	under  []byte
}

// BeginLoad empties the tree, options apart. Then come the lists by LoadACL, the znodes by LoadNode with the root first and
// every parent before its children, and FinishLoad; until that the tree must not be used otherwise.
func (t *Tree) BeginLoad() {
	invariant.Check(len(t.views) == 0, invariant.TreeShape, "a tree is loaded while a view of it is open")
	*t = Tree{opt: t.opt, acls: newACLTable(), owners: newOwnerTable(), loading: &loading{acls: map[int64]uint32{openKey: openACL}}}
	t.records.Advise, t.index.Advise, t.text.Advise = t.opt.Advise, t.opt.Advise, t.opt.Advise
	t.records.New() // the root
	t.at(root).dataLen = -1
}

// LoadACL makes acl the list that LoadNode names by key. The open list, which upstream may store under a key, needs none
// here.
func (t *Tree) LoadACL(key int64, acl []zk.ACL) {
	if key == openKey || acl == nil || isOpen(acl) {
		t.loading.acls[key] = openACL
		t.acls.lastKey = max(t.acls.lastKey, key)
		return
	}
	id := t.acls.add(key, acl)
	t.loading.acls[key] = id
	t.acls.name(id)
}

// LoadNode adds a znode; the root's path is "". A znode that came before is replaced. A key that was not loaded, as a
// snapshot that was taken while lists changed may have, gives a list of no entries, which lets nobody in; the replay of the
// log puts the true list there.
//
// Error: the parent is missing.
func (t *Tree) LoadNode(path string, data []byte, aclKey int64, m Meta) error {
	id, ok := t.loading.acls[aclKey]
	if !ok {
		id = t.acls.add(aclKey, nil)
		t.loading.acls[aclKey] = id
	}
	if path == "" || path == "/" {
		t.reload(root, "", data, id, &m)
		t.loading.root = true
		return nil
	}
	parent, name, ok := split(path)
	p := Node(0)
	if ok && name != "" && t.loading.root {
		p = t.loadedParent(parent)
	}
	if p == 0 {
		if parent == "/" {
			parent = ""
		}
		//lint:ignore ST1005 upstream's words
		return fmt.Errorf("Invalid Datatree, unable to find parent %s of path %s", parent, path)
	}
	if n := t.child(p, name); n != 0 {
		t.reload(n, path, data, id, &m)
		return nil
	}
	t.acls.retain(id)
	t.fill(t.link(p, name), path, data, id, &m)
	return nil
}

// loadedParent finds a znode that has come already.
func (t *Tree) loadedParent(path string) Node {
	l := t.loading
	if l.parent == 0 || string(l.under) != path {
		l.parent, l.under = t.Find(path), append(l.under[:0], path...)
	}
	return l.parent
}

// reload fills a record that may have been filled before.
func (t *Tree) reload(n Node, path string, data []byte, acl uint32, m *Meta) {
	r := t.at(n)
	if n != root || t.loading.root {
		t.unseal(r, path)
		t.dataSize -= chars(path) + int64(max(r.dataLen, 0))
		if r.owner != 0 {
			t.owners.remove(t.KindOf(r.owner), r.owner, n)
		}
		t.freeData(r)
		t.acls.unretain(r.acl)
	}
	t.acls.retain(acl)
	t.fill(n, path, data, acl, m)
}

// FinishLoad ends a load: lists that no znode names go, quotas are found and counted anew, as what a snapshot says of their
// use may be stale. zxid is that of the last transaction in the snapshot.
func (t *Tree) FinishLoad(zxid zk.Zxid) {
	for id := range t.acls.entries {
		t.acls.dropUnused(uint32(id))
	}
	if !t.loading.root { // a snapshot without a root has no node at all
		t.fill(root, "", []byte{}, openACL, &Meta{})
	}
	t.loading = nil
	if top := t.Find(quotaPath); top != 0 {
		for n := top; n != 0; n = t.following(n, top) {
			r := t.at(n)
			if string(t.name(r)) != limitsName {
				continue
			}
			if owner, ok := quotaOwner(t.Path(r.parent), limitsName); ok {
				t.quotas.add(owner)
				t.recount(owner)
			}
		}
	}
	t.lastZxid = zxid
}
