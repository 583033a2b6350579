package watch

import (
	"math/bits"

	"github.com/zooid-io/zooid/internal/slab"
	"github.com/zooid-io/zooid/zk"
)

// Watcher is a connection, numbered by the caller: small and dense, since the table keeps 12 bytes for each number up to the
// largest seen. A number may be used again after Drop. At most MaxWatcher.
type Watcher uint32

// MaxWatcher is the largest number a Watcher may have.
const MaxWatcher Watcher = 1<<28 - 1

// list is one of the three lists of a place.
type list uint32

const (
	data list = iota
	child
	recursive
	lists
)

// The bits of a watch. In the list recursive all are persistent.
const (
	standard   = 1 // one notice, then gone
	persistent = 2
	modes      = standard | persistent
)

// place is a path that somebody waits for.
type place struct {
	bytes slab.Ref
	len   uint32
	first [lists]uint32 // the oldest watch of each list, or 0
}

// watch is one connection in one list of one place. Both rings are closed: the first's prev is the last.
type watch struct {
	place        uint32
	who          uint32 // watcher<<4 | list<<2 | modes
	prev, next   uint32 // in the list
	older, newer uint32 // among the watches of the connection
}

func key(w Watcher, l list) uint32     { return uint32(w)<<4 | uint32(l)<<2 }
func (x *watch) watcher() Watcher      { return Watcher(x.who >> 4) }
func (x *watch) list() list            { return list(x.who >> 2 & 3) }
func (x *watch) is(p, key uint32) bool { return x.place == p && x.who&^modes == key }

// owner is a connection.
type owner struct {
	first uint32 // of the ring of its watches, or 0
	paths uint32 // on whose data side it is
	told  uint32 // the last trigger that gave it a notice
}

// Table is all watches of one server. Not safe for concurrent use.
type Table struct {
	seed   uint64
	places slab.Pool[place]
	byPath slab.Index // of places
	bytes  slab.Arena

	watches slab.Pool[watch]
	byKey   slab.Index // of watches, by place, watcher and list
	owners  []owner    // by Watcher

	trigger  uint32 // number of the present trigger, see owner.told
	count    [lists]int
	longest  int // no recursive watch is on a longer path; forgotten when the last goes
	pairs    int // connection and path, data side
	paths    int // with a data side
	watchers int // with a data side
}

// New makes an empty table. seed is secret to clients, so that they cannot choose paths that collide.
func New(seed uint64) *Table { return &Table{seed: seed} }

// AddData waits once for what getData and exists wait for. Like its siblings it is idempotent.
func (t *Table) AddData(path string, w Watcher) { t.add(path, w, data, standard) }

// AddChild waits once for what getChildren waits for.
func (t *Table) AddChild(path string, w Watcher) { t.add(path, w, child, standard) }

// AddPersistent waits for all changes of path and of its children's names, until it is removed.
func (t *Table) AddPersistent(path string, w Watcher) {
	t.add(path, w, data, persistent)
	t.add(path, w, child, persistent)
}

// AddRecursive waits for all changes of path and everything below, but never for NodeChildrenChanged, until it is removed.
func (t *Table) AddRecursive(path string, w Watcher) {
	t.add(path, w, recursive, persistent)
	t.longest = max(t.longest, len(path))
}

func (t *Table) add(path string, w Watcher, l list, mode uint32) {
	p := t.open(path)
	h := t.find(p, w, l)
	if h == 0 {
		h = t.link(p, w, l)
	}
	t.watches.At(h).who |= mode
}

// Remove ends what typ means of the connection's watches on exactly this path (client protocol, section 5.7). False: nothing
// matched.
func (t *Table) Remove(path string, w Watcher, typ zk.WatcherType) bool {
	p := t.lookup(path)
	if p == 0 {
		return false
	}
	found := false
	for l, mode := range meant(typ) {
		if mode != 0 && t.take(p, w, list(l), mode) {
			found = true
		}
	}
	t.close(p)
	return found
}

// Contains tells whether the connection has a watch of the type on exactly this path. Others' do not count.
func (t *Table) Contains(path string, w Watcher, typ zk.WatcherType) bool {
	p := t.lookup(path)
	if p == 0 {
		return false
	}
	for l, mode := range meant(typ) {
		if h := t.find(p, w, list(l)); h != 0 && t.watches.At(h).who&mode != 0 {
			return true
		}
	}
	return false
}

// meant gives for each list the bits that a type selects. A persistent watch is in both lists or in none.
func meant(typ zk.WatcherType) (m [lists]uint32) {
	switch typ {
	case zk.WatcherData:
		m[data] = standard
	case zk.WatcherChildren:
		m[child] = standard
	case zk.WatcherPersistent:
		m[data], m[child] = persistent, persistent
	case zk.WatcherPersistentRecursive:
		m[recursive] = persistent
	case zk.WatcherAny:
		m = [lists]uint32{modes, modes, modes}
	}
	return m
}

// take clears bits of a watch, and ends it with the last.
func (t *Table) take(p uint32, w Watcher, l list, mode uint32) bool {
	h := t.find(p, w, l)
	if h == 0 {
		return false
	}
	x := t.watches.At(h)
	if x.who&mode == 0 {
		return false
	}
	if x.who &^= mode; x.who&modes == 0 {
		t.unlink(h)
	}
	return true
}

// Drop ends all watches of a connection. Its cost is that of its own watches, whoever else waits for the same paths.
func (t *Table) Drop(w Watcher) {
	if int(w) >= len(t.owners) {
		return
	}
	for {
		h := t.owners[w].first
		if h == 0 {
			return
		}
		p := t.watches.At(h).place
		t.unlink(h)
		t.close(p)
	}
}

// lookup is the place of path, or 0.
func (t *Table) lookup(path string) uint32 {
	for p := t.byPath.First(slab.Hash(t.seed, 0, path)); p != 0; p = t.byPath.Next(p) {
		if string(t.text(t.places.At(p))) == path {
			return p
		}
	}
	return 0
}

func (t *Table) text(x *place) []byte { return t.bytes.Bytes(x.bytes, int(x.len)) }

// open is the place of path, new if need be.
func (t *Table) open(path string) uint32 {
	p := t.lookup(path)
	if p == 0 {
		p = t.places.New()
		*t.places.At(p) = place{bytes: t.bytes.PutString(path), len: uint32(len(path))}
		t.byPath.Insert(slab.Hash(t.seed, 0, path), p)
	}
	return p
}

// close forgets the place if nobody waits there any more. 0 is no place.
func (t *Table) close(p uint32) {
	if p == 0 {
		return
	}
	if x := t.places.At(p); x.first == [lists]uint32{} {
		t.byPath.Remove(p)
		t.bytes.Free(x.bytes, int(x.len))
		t.places.Free(p)
	}
}

func (t *Table) hash(p, key uint32) uint32 {
	hi, lo := bits.Mul64(t.seed^uint64(p)<<32^uint64(key), 0x9e3779b97f4a7c15)
	return uint32((hi ^ lo) >> 16)
}

// find is the watch of w in the list, or 0.
func (t *Table) find(p uint32, w Watcher, l list) uint32 {
	if t.places.At(p).first[l] == 0 {
		return 0
	}
	k := key(w, l)
	h := t.byKey.First(t.hash(p, k))
	for h != 0 && !t.watches.At(h).is(p, k) {
		h = t.byKey.Next(h)
	}
	return h
}

// link puts a new watch without any mode at the end of the list.
func (t *Table) link(p uint32, w Watcher, l list) uint32 {
	if w > MaxWatcher {
		panic("watch: the number of a watcher is too large")
	}
	if n := int(w) + 1 - len(t.owners); n > 0 {
		t.owners = append(t.owners, make([]owner, n)...)
	}
	if l != child && t.twin(p, w, l) == 0 {
		t.tally(p, w, 1)
	}
	t.count[l]++

	h := t.watches.New()
	x := t.watches.At(h)
	*x = watch{place: p, who: key(w, l), prev: h, next: h, older: h, newer: h}
	if head := &t.places.At(p).first[l]; *head == 0 {
		*head = h
	} else {
		first := t.watches.At(*head)
		x.next, x.prev = *head, first.prev
		t.watches.At(first.prev).next = h
		first.prev = h
	}
	if head := &t.owners[w].first; *head == 0 {
		*head = h
	} else {
		first := t.watches.At(*head)
		x.newer, x.older = *head, first.older
		t.watches.At(first.older).newer = h
		first.older = h
	}
	t.byKey.Insert(t.hash(p, x.who), h)
	return h
}

// unlink ends a watch. Its place may be left without any: the caller closes it.
func (t *Table) unlink(h uint32) {
	x := t.watches.At(h)
	p, w, l := x.place, x.watcher(), x.list()
	head := &t.places.At(p).first[l]
	if x.next == h {
		*head = 0
	} else {
		t.watches.At(x.prev).next = x.next
		t.watches.At(x.next).prev = x.prev
		if *head == h {
			*head = x.next
		}
	}
	head = &t.owners[w].first
	if x.newer == h {
		*head = 0
	} else {
		t.watches.At(x.older).newer = x.newer
		t.watches.At(x.newer).older = x.older
		if *head == h {
			*head = x.newer
		}
	}
	t.byKey.Remove(h)
	t.watches.Free(h)

	if l != child && t.twin(p, w, l) == 0 {
		t.tally(p, w, -1)
	}
	if t.count[l]--; t.count[recursive] == 0 {
		t.longest = 0
	}
}

// twin is the watch of w in the other list of the data side.
func (t *Table) twin(p uint32, w Watcher, l list) uint32 { return t.find(p, w, data+recursive-l) }

// tally counts a connection on the data side of a place: n is 1 just before its first watch there, -1 just after its last.
func (t *Table) tally(p uint32, w Watcher, n int) {
	t.pairs += n
	if x := t.places.At(p); x.first[data] == 0 && x.first[recursive] == 0 {
		t.paths += n
	}
	o := &t.owners[w]
	if n > 0 && o.paths == 0 || n < 0 && o.paths == 1 {
		t.watchers += n
	}
	o.paths += uint32(n)
}
