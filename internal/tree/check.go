package tree

import (
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/internal/slab"
	"github.com/zooid-io/zooid/zk"
)

// Check walks the whole tree and says where it contradicts itself: lists of children and their counts, the index, paths,
// owners, references to ACLs, memory, sizes, quotas and the digest.
func (t *Tree) Check() error {
	var (
		count, ephemerals, linked int
		size, digest, used        int64
		refs                      = map[uint32]int{}
		owned                     = map[zk.SessionID]int{}
		quotas                    = 0
	)
	for n := root; n != 0; n = t.following(n, root) {
		if count++; count > t.NodeCount() {
			return fmt.Errorf("more znodes are linked than the %d there are", t.NodeCount())
		}
		r, path := t.at(n), t.Path(n)
		if err := t.checkChildren(n); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if got := t.Find(path); got != n {
			return fmt.Errorf("%s is record %d, Find gives %d", path, n, got)
		}
		if n == root {
			path = ""
		}
		size += chars(path) + int64(max(r.dataLen, 0))
		used += int64(slab.Size(t.nameBlock(r)) + slab.Size(int(r.dataLen)))
		if t.counts(path) {
			m := t.Meta(n)
			digest += NodeDigest(path, t.data(r), &m)
		}
		if int(r.acl) >= len(t.acls.entries) || t.acls.entries[r.acl].acl == nil {
			return fmt.Errorf("%s has ACL %d, which there is not", path, r.acl)
		}
		refs[r.acl]++
		if r.owner != 0 {
			linked++
			l := t.owners.linkOf[n]
			if l == 0 || t.owners.links.At(l).node != n {
				return fmt.Errorf("%s is not in the list of its owner", path)
			}
			if t.KindOf(r.owner) == Ephemeral {
				ephemerals++
				owned[zk.SessionID(r.owner)]++
			}
		}
		if parent, name, ok := zk.SplitPath(path); ok && name == limitsName {
			if owner, ok := quotaOwner(parent, name); ok {
				quotas++
				if !t.quotas.has(owner) {
					return fmt.Errorf("%s is not known as a quota", path)
				}
			}
		}
	}
	if live := t.index.Len(); count != t.NodeCount() || live != count-1 {
		return fmt.Errorf("%d znodes are linked, %d there are, %d indexed", count, t.NodeCount(), live)
	}
	if linked != t.owners.links.Len() || linked != len(t.owners.linkOf) || ephemerals != t.owners.ephemerals || len(owned) != len(t.owners.sessions) {
		return fmt.Errorf("%d znodes have an owner and %d are ephemeral, of %d sessions; listed are %d, %d, %d",
			linked, ephemerals, len(owned), t.owners.links.Len(), t.owners.ephemerals, len(t.owners.sessions))
	}
	if err := t.checkOwners(owned, linked-ephemerals); err != nil {
		return err
	}
	if quotas != t.quotas.n || quotas != len(t.Quotas()) {
		return fmt.Errorf("%d znodes set a quota, %d are known, %d listed", quotas, t.quotas.n, len(t.Quotas()))
	}
	if size != t.dataSize {
		return fmt.Errorf("data size is %d, counted %d", t.dataSize, size)
	}
	if digest != t.digest {
		return fmt.Errorf("digest is %d, computed %d", t.digest, digest)
	}
	if used != t.text.Used() {
		return fmt.Errorf("names and data take %d bytes, the arena has %d in use", used, t.text.Used())
	}
	return errors.Join(t.checkACLs(refs), t.index.Check(), t.text.Check())
}

func (t *Tree) checkChildren(n Node) error {
	r := t.at(n)
	var count int32
	last := Node(0)
	for c := r.first; c != 0; c = t.at(c).next {
		cr := t.at(c)
		if count++; count > r.children {
			return fmt.Errorf("more than %d children are linked", r.children)
		}
		if cr.parent != n {
			return fmt.Errorf("child record %d has parent %d", c, cr.parent)
		}
		if last != 0 && cr.prev != last {
			return fmt.Errorf("child record %d comes after %d and says %d", c, last, cr.prev)
		}
		last = c
	}
	if count != r.children {
		return fmt.Errorf("%d children are linked, %d counted", count, r.children)
	}
	if r.first != 0 && t.at(r.first).prev != last {
		return fmt.Errorf("the first child says that %d is the last, not %d", t.at(r.first).prev, last)
	}
	return nil
}

// checkOwners walks the lists of owners: owned is how many znodes each session should have, rest how many the lists of the
// containers and of the times to live together.
func (t *Tree) checkOwners(owned map[zk.SessionID]int, rest int) error {
	walk := func(first uint32, kind Kind, owner int64) (count int, err error) {
		for l := first; l != 0; l = t.owners.links.At(l).next {
			n := t.owners.links.At(l).node
			if r := t.at(n); t.KindOf(r.owner) != kind || kind == Ephemeral && r.owner != owner {
				return count, fmt.Errorf("%s is in the list of another owner, %#x", t.Path(n), owner)
			}
			if count++; count > t.owners.links.Len() {
				return count, fmt.Errorf("the list of owner %#x does not end", owner)
			}
		}
		return count, nil
	}
	for id, want := range owned {
		got, err := walk(t.owners.sessions[id], Ephemeral, int64(id))
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("session %v owns %d znodes, %d are listed", id, want, got)
		}
	}
	containers, err := walk(t.owners.containers, Container, ContainerOwner)
	ttls, err2 := walk(t.owners.ttls, TTL, 0)
	if containers+ttls != rest {
		return errors.Join(err, err2, fmt.Errorf("%d containers and %d with a time to live are listed, of %d", containers, ttls, rest))
	}
	return errors.Join(err, err2)
}

func (t *Tree) checkACLs(refs map[uint32]int) error {
	named := 0
	for i, e := range t.acls.entries[1:] {
		id := uint32(i + 1)
		if e.acl == nil && e.refs == 0 && refs[id] == 0 {
			continue // free
		}
		if e.refs != refs[id] || e.refs <= 0 || e.acl == nil || e.key > t.acls.lastKey {
			return fmt.Errorf("ACL %d of key %d (last %d) counts %d znodes, %d have it", id, e.key, t.acls.lastKey, e.refs, refs[id])
		}
		if e.text != "" {
			named++
			if got, ok := t.acls.byText[e.text]; !ok || got != id {
				return fmt.Errorf("ACL %d is found as %d", id, got)
			}
		}
	}
	if named != len(t.acls.byText) {
		return fmt.Errorf("%d ACLs can be found, the index has %d", named, len(t.acls.byText))
	}
	return nil
}
