package sim

import (
	"sort"
	"strings"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// note is an event of the history, as a watch may tell of it.
type note struct {
	zxid zk.Zxid
	typ  zk.EventType
	path string
}

// lasting is a persistent watch that a client has.
type lasting struct {
	path      string
	recursive bool
	live      bool // on the connection that there is; what happens between two connections is not told
	next      int  // of the history's notes: those before it were told, or are of no interest
}

func (t *lasting) wants(n *note) bool {
	if !t.recursive {
		return n.path == t.path
	}
	return n.typ != zk.EventNodeChildrenChanged && (n.path == t.path || t.path == "/" || strings.HasPrefix(n.path, t.path+"/"))
}

// due is the next note that has to be told, nil if there is none as yet.
func (t *lasting) due(h *history) *note {
	for ; t.next < len(h.notes); t.next++ {
		if n := &h.notes[t.next]; t.wants(n) {
			return n
		}
	}
	return nil
}

// last adds a persistent watch that an answer has made, or makes those live that were set anew.
func (c *client) last(a *call) {
	if a.code != zk.OK {
		return
	}
	h := &c.w.history
	from := sort.Search(len(h.notes), func(i int) bool { return h.notes[i].zxid > a.zxid })
	switch op := a.op.(type) {
	case *wire.AddWatch:
		recursive := op.Mode == zk.WatchPersistentRecursive
		for _, t := range c.lasting {
			if t.path == op.Path && t.recursive == recursive {
				return
			}
		}
		c.lasting = append(c.lasting, &lasting{path: op.Path, recursive: recursive, live: true, next: from})
	case *wire.SetWatches:
		for _, t := range c.lasting {
			t.live, t.next = true, from
		}
	}
}

// misses is PersistentWatch, of an answer: it shows no change that a persistent watch has to tell, and has not told.
func (k *checks) misses(c *client, a *call) {
	for _, t := range c.lasting {
		if n := t.due(&k.w.history); t.live && n != nil && n.zxid <= a.zxid {
			k.w.fail("PersistentWatch", "client %d has a persistent watch of %s; %s %d shows %v, and nothing has told of %d %s as of %v", c.id, t.path, a.op.OpCode(), a.xid, a.zxid, n.typ, n.path, n.zxid)
		}
	}
}

// tells is PersistentWatch, of a notice: it is the next of each persistent watch that wants it. It tells whether there is any.
func (k *checks) tells(c *client, ev zk.Event) (any bool) {
	if ev.Zxid <= 0 {
		return false // of a watch that was set anew
	}
	told := note{ev.Zxid, ev.Type, ev.Path}
	for _, t := range c.lasting {
		if !t.live || !t.wants(&told) {
			continue
		}
		any = true
		n := t.due(&k.w.history)
		if n == nil || *n != told {
			k.w.fail("PersistentWatch", "client %d has a persistent watch of %s, and is told %d %s as of %v; next is %v", c.id, t.path, ev.Type, ev.Path, ev.Zxid, n)
			continue
		}
		t.next++
	}
	return any
}
