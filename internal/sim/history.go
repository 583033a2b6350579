package sim

import (
	"path"
	"slices"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// history is what the ensemble has committed, in order: it only grows. A tree of its own is the model that servers are compared with.
type history struct {
	log     ledger
	txns    []*txn.Txn
	digests []int64 // after each entry
	first   int64   // before any
	model   *tree.Tree
	events  map[string][]zk.Zxid // when a znode was created, changed or deleted
	kids    map[string][]zk.Zxid // when its list of children changed
	revs    map[string][]rev     // what it was from a zxid on
	calls   []*call
	notes   []note                // what watches tell of
	swept   int                   // znodes that leaders have deleted by themselves
	wanted  map[zk.SessionID]bool // have asked for an ephemeral
	global  map[zk.SessionID]bool // were made the ensemble's
	configs []*ensemble.Config    // that at first, and those that were committed
}

// rev is a state of a znode.
type rev struct {
	zxid   zk.Zxid
	exists bool
	data   []byte
	stat   zk.Stat
}

func (h *history) init(t *tree.Tree, first *ensemble.Config) {
	h.model, h.first, h.configs = t, t.Digest(), []*ensemble.Config{first}
	h.wanted, h.global = map[zk.SessionID]bool{}, map[zk.SessionID]bool{}
	h.events, h.kids, h.revs = map[string][]zk.Zxid{}, map[string][]zk.Zxid{}, map[string][]rev{}
}

// add appends what was committed now.
func (h *history) add(e entry, x *txn.Txn) {
	h.log, h.txns = append(h.log, e), append(h.txns, x)
	if g := configOf(x); g != nil {
		h.configs = append(h.configs, g)
	}
	_, changes := h.model.Apply(x, nil)
	h.digests = append(h.digests, h.model.Digest())
	for _, c := range changes {
		put(h.events, c.Path, c.Zxid)
		h.notes = append(h.notes, note{c.Zxid, kinds[c.Kind], c.Path})
		if c.Kind != txn.NodeDataChanged {
			h.notes = append(h.notes, note{c.Zxid, zk.EventNodeChildrenChanged, path.Dir(c.Path)})
			put(h.kids, path.Dir(c.Path), c.Zxid)
		}
		r := rev{zxid: c.Zxid}
		if n := h.model.Find(c.Path); n != 0 {
			r.exists, r.data, r.stat = true, slices.Clone(h.model.Data(n)), h.model.Stat(n)
		}
		list := h.revs[c.Path]
		if n := len(list); n > 0 && list[n-1].zxid == c.Zxid {
			list = list[:n-1]
		}
		h.revs[c.Path] = append(list, r)
	}
}

// kinds are the events of changes.
var kinds = map[txn.ChangeKind]zk.EventType{
	txn.NodeCreated: zk.EventNodeCreated, txn.NodeDeleted: zk.EventNodeDeleted, txn.NodeDataChanged: zk.EventNodeDataChanged,
}

func put(m map[string][]zk.Zxid, path string, z zk.Zxid) {
	if l := m[path]; len(l) == 0 || l[len(l)-1] != z {
		m[path] = append(l, z)
	}
}

// digest is that of the tree as of a zxid.
func (h *history) digest(z zk.Zxid) int64 {
	if n := h.log.upTo(z); n > 0 {
		return h.digests[n-1]
	}
	return h.first
}

// at is a znode as of a zxid.
func (h *history) at(path string, z zk.Zxid) rev {
	list := h.revs[path]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].zxid <= z {
			return list[i]
		}
	}
	return rev{}
}

// between tells whether a list has something in (after, upTo], and what.
func between(list []zk.Zxid, after, upTo zk.Zxid) (zk.Zxid, bool) {
	i, _ := slices.BinarySearch(list, after+1)
	if i < len(list) && list[i] <= upTo {
		return list[i], true
	}
	return 0, false
}

// cause is the request that a txn is for.
type cause struct {
	session zk.SessionID
	xid     int32
}

// carried are the requests that were carried out, not refused.
func (h *history) carried() map[cause]bool {
	done := map[cause]bool{}
	for _, x := range h.txns {
		refused := x.Type == txn.TypeError
		if m, ok := x.Body.(*txn.Multi); ok {
			refused = m.Failed()
		}
		if !refused && x.Cxid > 0 {
			done[cause{x.Session, x.Cxid}] = true
		}
	}
	return done
}
