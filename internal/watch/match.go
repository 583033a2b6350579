package watch

import (
	"strings"

	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Notice is what a watch yields: one event for one connection.
type Notice struct {
	Watcher Watcher
	Type    zk.EventType
	Path    string // of the znode that changed, never that of an ancestor that was watched
	Zxid    zk.Zxid
	ACL     []zk.ACL // who cannot READ by this list must not get the notice; shared, immutable
}

// Match appends the notices of a change to out and consumes the standard watches that fire (client protocol, sections 5.2
// and 5.3; the package comment has the order). Nobody waiting costs two look-ups and no memory.
func (t *Table) Match(c txn.Change, out []Notice) []Notice {
	if t.watches.Len() == 0 {
		return out
	}
	n := Notice{Path: c.Path, Zxid: c.Zxid, ACL: c.ACL}
	switch c.Kind {
	case txn.NodeCreated:
		n.Type = zk.EventNodeCreated
	case txn.NodeDeleted:
		n.Type = zk.EventNodeDeleted
	case txn.NodeDataChanged:
		n.Type = zk.EventNodeDataChanged
	default:
		panic("watch: a change of unknown kind")
	}
	if c.Path == "" { // not a znode, though clients may wait for it
		return out
	}
	p := t.lookup(c.Path)
	t.next()
	out = t.fire(p, data, n, out)
	if t.count[recursive] > 0 {
		out = t.climb(p, n, out)
	}
	if c.Kind == txn.NodeDeleted { // still the same trigger: who was told is not told again, but its child watch is gone
		out = t.fire(p, child, n, out)
	}
	t.close(p)

	if c.Kind == txn.NodeDataChanged || t.count[child] == 0 {
		return out
	}
	parent, ok := parentOf(c.Path)
	if !ok {
		return out
	}
	p = t.lookup(parent)
	t.next()
	out = t.fire(p, child, Notice{Type: zk.EventNodeChildrenChanged, Path: parent, Zxid: c.Zxid, ACL: c.ParentACL}, out)
	t.close(p)
	return out
}

// next begins a trigger.
func (t *Table) next() {
	if t.trigger++; t.trigger == 0 { // after 2^32 of them old marks would look new
		for i := range t.owners {
			t.owners[i].told = 0
		}
		t.trigger = 1
	}
}

// tell appends the notice n for w unless this trigger has told it.
func (t *Table) tell(w Watcher, n Notice, out []Notice) []Notice {
	o := &t.owners[w]
	if o.told == t.trigger {
		return out
	}
	o.told = t.trigger
	n.Watcher = w
	return append(out, n)
}

// fire tells everybody in the list data or child and clears the standard bits. 0 is no place.
func (t *Table) fire(p uint32, l list, n Notice, out []Notice) []Notice {
	if p == 0 {
		return out
	}
	h := t.places.At(p).first[l]
	if h == 0 {
		return out
	}
	for last := t.watches.At(h).prev; ; {
		x := t.watches.At(h)
		here, next := h, x.next
		out = t.tell(x.watcher(), n, out)
		if x.who &^= standard; x.who&modes == 0 {
			t.unlink(here)
		}
		if here == last {
			return out
		}
		h = next
	}
}

// climb tells those who wait for everything below the path or an ancestor of it.
func (t *Table) climb(p uint32, n Notice, out []Notice) []Notice {
	for path, ok := n.Path, true; ok; path, ok = parentOf(path) {
		if len(path) > t.longest {
			continue
		}
		if len(path) != len(n.Path) {
			p = t.lookup(path)
		}
		if p == 0 {
			continue
		}
		first := t.places.At(p).first[recursive]
		for h := first; h != 0; {
			x := t.watches.At(h)
			out = t.tell(x.watcher(), n, out)
			if h = x.next; h == first {
				break
			}
		}
	}
	return out
}

// parentOf is the path of the parent: of "/a" it is "/", "/" has none, nor has what is no path.
func parentOf(path string) (parent string, ok bool) {
	switch i := strings.LastIndexByte(path, '/'); {
	case i < 0 || path == "/":
		return "", false
	case i == 0:
		return "/", true
	default:
		return path[:i], true
	}
}
