package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

const (
	openACL = 0  // the id of world:anyone with all permissions
	openKey = -1 // its key on disk, where it is not listed
)

// ACLEntry is a list of a snapshot and the key by which its znodes name it.
type ACLEntry struct {
	Key int64
	ACL []zk.ACL
}

// aclTable keeps each distinct list once. An id is an index into entries and is used again after the last release; a key
// is a number for the disk and is not.
type aclTable struct {
	entries []aclEntry
	byText  map[string]uint32
	free    []uint32
	lastKey int64
	scratch []byte
}

type aclEntry struct {
	acl  []zk.ACL // nil: the entry is free
	text string   // encoded, the key in byText; "" if it is not there
	key  int64
	refs int // znodes; for openACL not counted
}

func newACLTable() aclTable {
	return aclTable{
		entries: []aclEntry{{acl: zk.WorldACL(zk.PermAll), key: openKey}},
		byText:  map[string]uint32{},
	}
}

func isOpen(acl []zk.ACL) bool {
	return len(acl) == 1 && acl[0].Perms == zk.PermAll && acl[0].ID == zk.ID{Scheme: "world", ID: "anyone"}
}

// intern is the id of acl, with one more reference. A null list is the open one, as upstream.
func (a *aclTable) intern(acl []zk.ACL) uint32 {
	if acl == nil || isOpen(acl) {
		return openACL
	}
	a.scratch = jute.AppendACL(a.scratch[:0], acl)
	id, ok := a.byText[string(a.scratch)]
	if !ok {
		id = a.add(a.lastKey+1, acl)
		a.name(id)
	}
	a.entries[id].refs++
	return id
}

// add makes an entry without references and without a place in byText.
func (a *aclTable) add(key int64, acl []zk.ACL) uint32 {
	own := make([]zk.ACL, len(acl))
	for i, e := range acl {
		own[i] = zk.ACL{Perms: e.Perms, ID: zk.ID{Scheme: strings.Clone(e.ID.Scheme), ID: strings.Clone(e.ID.ID)}}
	}
	a.lastKey = max(a.lastKey, key)
	e := aclEntry{acl: own, key: key}
	if k := len(a.free); k > 0 {
		id := a.free[k-1]
		a.free = a.free[:k-1]
		a.entries[id] = e
		return id
	}
	a.entries = append(a.entries, e)
	return uint32(len(a.entries) - 1)
}

// name lets intern find the entry, unless another has the same list.
func (a *aclTable) name(id uint32) {
	a.scratch = jute.AppendACL(a.scratch[:0], a.entries[id].acl)
	if _, ok := a.byText[string(a.scratch)]; !ok {
		a.entries[id].text = string(a.scratch)
		a.byText[a.entries[id].text] = id
	}
}

// retain adds a reference.
func (a *aclTable) retain(id uint32) {
	if id != openACL {
		a.entries[id].refs++
	}
}

// release takes a reference away, and the entry with the last.
func (a *aclTable) release(id uint32) {
	if id == openACL {
		return
	}
	a.unretain(id)
	a.dropUnused(id)
}

// unretain takes a reference away and keeps the entry.
func (a *aclTable) unretain(id uint32) {
	if id != openACL {
		a.entries[id].refs--
	}
}

func (a *aclTable) dropUnused(id uint32) {
	e := &a.entries[id]
	if id == openACL || e.refs > 0 || e.acl == nil {
		return
	}
	if e.text != "" {
		delete(a.byText, e.text)
	}
	*e = aclEntry{}
	a.free = append(a.free, id)
}

// list is every list but the open one, by key.
func (a *aclTable) list() []ACLEntry {
	var v []ACLEntry
	for _, e := range a.entries[1:] {
		if e.acl != nil {
			v = append(v, ACLEntry{e.key, e.acl})
		}
	}
	slices.SortFunc(v, func(x, y ACLEntry) int { return cmp.Compare(x.Key, y.Key) })
	return v
}

// setACL changes the list and its version, and nothing else of the stat.
func (t *Tree) setACL(h *txn.Header, kind txn.Type, s *txn.SetACL) txn.Result {
	n := t.Find(s.Path)
	if n == 0 {
		return failed(zk.NoNode)
	}
	t.touch(n)
	r := t.at(n)
	t.unseal(r, s.Path)
	r.aversion = s.AVersion
	t.reseal(r, s.Path)
	t.replaceACL(n, s.ACL)
	return txn.Result{Type: kind, Stat: t.Stat(n)}
}

func (t *Tree) replaceACL(n Node, acl []zk.ACL) {
	t.touch(n)
	id := t.acls.intern(acl) // before the release, lest the same list goes and comes back under another key
	t.acls.release(t.at(n).acl)
	t.at(n).acl = id
}
