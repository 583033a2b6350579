package tree

import (
	"slices"

	"github.com/zooid-io/zooid/internal/slab"
	"github.com/zooid-io/zooid/zk"
)

// Kind is what ends a znode, besides a delete.
type Kind uint8

// The kinds.
const (
	Persistent Kind = iota // nothing
	Ephemeral              // the end of the session that owns it
	Container              // having lost the last child
	TTL                    // having had no children and no new data for some time
)

// ContainerOwner is the stored owner of a container.
const ContainerOwner int64 = -1 << 63

const (
	extendedMask = -1 << 56            // the high byte: an extended type
	typeMask     = 0xFFFF << 40        // which: 0 is TTL
	ttlMask      = int64(0xFFFFFFFFFF) // 40 bits of ms
)

// KindOf tells the kind by the stored owner: section 3.9 of the client protocol. An owner that has the high byte of an
// extended type but not one that is known, which upstream dies of, is a session.
func (t *Tree) KindOf(owner int64) Kind {
	switch {
	case owner == 0:
		return Persistent
	case owner == ContainerOwner:
		return Container
	case t.opt.ExtendedTypes && owner&extendedMask == extendedMask && owner&typeMask == 0:
		return TTL
	case t.opt.ExtendedTypes && t.opt.Emulate353TTL && owner < 0:
		return TTL
	}
	return Ephemeral
}

// TTLOwner is the stored owner of a znode that lives for ttl ms, 0 < ttl <= zk.MaxTTL.
func TTLOwner(ttl int64) int64 { return extendedMask | ttl&ttlMask }

// TTLOf is the time to live, in ms, that a stored owner of kind TTL means. Of what 3.5.3 wrote it is the low 40 bits too, as
// upstream.
func TTLOf(owner int64) int64 { return owner & ttlMask }

// ownerTable lists the znodes that have an owner: for each session its ephemerals, all containers, all with a time to live.
type ownerTable struct {
	links      slab.Pool[ownerLink]
	linkOf     map[Node]uint32
	sessions   map[zk.SessionID]uint32 // the first link
	containers uint32
	ttls       uint32
	ephemerals int
}

type ownerLink struct {
	node       Node
	next, prev uint32
}

func newOwnerTable() ownerTable {
	return ownerTable{linkOf: map[Node]uint32{}, sessions: map[zk.SessionID]uint32{}}
}

func (o *ownerTable) first(k Kind, owner int64) uint32 {
	switch k {
	case Container:
		return o.containers
	case TTL:
		return o.ttls
	}
	return o.sessions[zk.SessionID(owner)]
}

func (o *ownerTable) setFirst(k Kind, owner int64, l uint32) {
	switch {
	case k == Container:
		o.containers = l
	case k == TTL:
		o.ttls = l
	case l == 0:
		delete(o.sessions, zk.SessionID(owner))
	default:
		o.sessions[zk.SessionID(owner)] = l
	}
}

func (o *ownerTable) add(k Kind, owner int64, n Node) {
	l, first := o.links.New(), o.first(k, owner)
	*o.links.At(l) = ownerLink{node: n, next: first}
	if first != 0 {
		o.links.At(first).prev = l
	}
	o.setFirst(k, owner, l)
	o.linkOf[n] = l
	if k == Ephemeral {
		o.ephemerals++
	}
}

func (o *ownerTable) remove(k Kind, owner int64, n Node) {
	l := o.linkOf[n]
	delete(o.linkOf, n)
	link := *o.links.At(l)
	if link.next != 0 {
		o.links.At(link.next).prev = link.prev
	}
	if link.prev != 0 {
		o.links.At(link.prev).next = link.next
	} else {
		o.setFirst(k, owner, link.next)
	}
	o.links.Free(l)
	if k == Ephemeral {
		o.ephemerals--
	}
}

// Ephemerals is the paths of the znodes that the session owns, sorted.
func (t *Tree) Ephemerals(s zk.SessionID) []string {
	var paths []string
	for l := t.owners.sessions[s]; l != 0; l = t.owners.links.At(l).next {
		paths = append(paths, t.Path(t.owners.links.At(l).node))
	}
	slices.Sort(paths)
	return paths
}

// EphemeralOwners is the sessions that own znodes, sorted.
func (t *Tree) EphemeralOwners() []zk.SessionID {
	ids := make([]zk.SessionID, 0, len(t.owners.sessions))
	for id := range t.owners.sessions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// EphemeralCount is the number of znodes that sessions own.
func (t *Tree) EphemeralCount() int { return t.owners.ephemerals }

// Expired is the paths of the containers and the znodes with a time to live that should be deleted at now, sorted (section
// 3.10 of the client protocol): of those without children, a container that had some, or has been without for longer than
// neverUsed (0 is for ever), and a znode whose data is older than its time to live. All in ms.
func (t *Tree) Expired(now, neverUsed int64) []string {
	var paths []string
	for l := t.owners.containers; l != 0; l = t.owners.links.At(l).next {
		n := t.owners.links.At(l).node
		if r := t.at(n); r.children == 0 && (r.cversion > 0 || neverUsed != 0 && now-r.mtime > neverUsed) {
			paths = append(paths, t.Path(n))
		}
	}
	for l := t.owners.ttls; l != 0; l = t.owners.links.At(l).next {
		n := t.owners.links.At(l).node
		if r := t.at(n); r.children == 0 && TTLOf(r.owner) != 0 && now-r.mtime > TTLOf(r.owner) {
			paths = append(paths, t.Path(n))
		}
	}
	slices.Sort(paths)
	return paths
}
