package tree

import (
	"encoding/binary"
	"slices"

	"github.com/zooid-io/zooid/internal/invariant"
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// View is the tree as it was at Freeze, to be written out while the tree goes on changing.
//
// Nothing is copied at Freeze. Next goes through the records from the first to the last and emits those it has not emitted
// yet, parents before their children. Whoever is about to change or remove a record that Next has not come to calls touch,
// which emits it at once, as it still is, into a buffer that Next takes first. So every znode is emitted once, as it was at
// Freeze, and a change pays only for the first time it meets a znode. A record that was free at Freeze is marked when it is
// given out, as if it had been emitted.
//
//	records   1   2   3   4   5   6   7          cursor at 4: 1-3 are out
//	emitted   x   x   x   .   .   x   .          6 was changed: it is out or in the buffer, and so are its parents
//
// Next may run beside reads of the tree, not beside changes or another Next. The price of a view is one bit for each znode
// and the buffer, which grows with the changes while Next does not get to run.
type View struct {
	t       *Tree
	zxid    zk.Zxid
	digest  int64
	count   int
	acls    []ACLEntry
	emitted []uint64 // bit for each record below limit
	limit   Node
	cursor  Node
	out     int      // znodes emitted
	pending [][]byte // emitted by touch: whole entries in pieces of about pieceSize
	stack   []Node
	closed  bool
}

const pieceSize = 64 << 10

// Freeze opens a view of the tree as it is. There may be several: a snapshot's, and one for each learner that is sent the tree.
func (t *Tree) Freeze() *View {
	limit := Node(t.records.Slots())
	v := &View{
		t: t, zxid: t.lastZxid, digest: t.digest, count: t.NodeCount(), acls: t.acls.list(),
		emitted: make([]uint64, limit/64+1), limit: limit, cursor: root,
	}
	t.views = append(t.views, v)
	return v
}

// Zxid is the last transaction that the view shows.
func (v *View) Zxid() zk.Zxid { return v.zxid }

// Digest is the digest of the tree at Freeze.
func (v *View) Digest() int64 { return v.digest }

// Count is the number of znodes at Freeze.
func (v *View) Count() int { return v.count }

// ACLs is the lists at Freeze by key, without the open one, whose key is -1.
func (v *View) ACLs() []ACLEntry { return v.acls }

// Close ends the view. It is a change of the tree: it must not run beside reads or Next.
func (v *View) Close() {
	v.t.views = slices.DeleteFunc(v.t.views, func(o *View) bool { return o == v })
	v.pending, v.cursor, v.closed = nil, v.limit, true
}

// Next appends whole entries of znodes, about max bytes, at least one entry unless there is none. An entry is path, data,
// key of the ACL and the stored Stat, as in a snapshot; the root comes first and its path is "". more is false when
// everything is out.
func (v *View) Next(b []byte, max int) (_ []byte, more bool) {
	end := len(b) + max
	for len(v.pending) > 0 {
		b = append(b, v.pending[0]...)
		v.pending[0] = nil
		v.pending = v.pending[1:]
		if len(b) >= end {
			return b, true
		}
	}
	for v.cursor < v.limit {
		n := v.cursor
		v.cursor++
		if v.isOut(n) || !v.t.live(n) {
			continue
		}
		if b = v.emit(b, n); len(b) >= end {
			return b, true
		}
	}
	invariant.Check(v.closed || v.out == v.count, invariant.TreeShape, "view at %v emitted %d znodes of %d", v.zxid, v.out, v.count)
	return b, false
}

func (v *View) isOut(n Node) bool { return v.emitted[n/64]>>(n%64)&1 == 1 }
func (v *View) markOut(n Node)    { v.emitted[n/64] |= 1 << (n % 64) }

// touch emits n if it was there at Freeze and is not out.
func (v *View) touch(n Node) {
	if n >= v.limit || v.isOut(n) {
		return
	}
	last := len(v.pending) - 1
	if last < 0 || len(v.pending[last]) >= pieceSize {
		v.pending = append(v.pending, nil)
		last++
	}
	v.pending[last] = v.emit(v.pending[last], n)
}

// born marks a record that is being given out.
func (v *View) born(n Node) {
	if n < v.limit {
		v.markOut(n)
	}
}

// emit appends n, and before it those of its ancestors that are not out. An ancestor of a record that was there at Freeze was
// there too, and in the same place: znodes do not move.
func (v *View) emit(b []byte, n Node) []byte {
	v.stack = v.stack[:0]
	for ; n != 0 && !v.isOut(n); n = v.t.at(n).parent {
		v.stack = append(v.stack, n)
	}
	for i := len(v.stack) - 1; i >= 0; i-- {
		v.markOut(v.stack[i])
		v.out++
		b = v.t.appendEntry(b, v.stack[i])
	}
	return b
}

// appendEntry appends the entry of n in a snapshot (section 4.1 of the storage reference).
func (t *Tree) appendEntry(b []byte, n Node) []byte {
	r := t.at(n)
	// The path is built behind the place of its length, and written again only if it is not UTF-8 as Java writes it.
	at := len(b)
	b = t.appendPath(jute.AppendInt(b, 0), n)
	path := b[at+4:]
	if slices.ContainsFunc(path, func(c byte) bool { return c >= 0xF0 }) {
		b = jute.AppendString(b[:at], string(path))
	} else {
		binary.BigEndian.PutUint32(b[at:], uint32(len(path)))
	}
	b = jute.AppendBuffer(b, t.data(r))
	b = jute.AppendLong(b, t.acls.entries[r.acl].key)
	b = jute.AppendLong(b, int64(r.czxid))
	b = jute.AppendLong(b, int64(r.mzxid))
	b = jute.AppendLong(b, r.ctime)
	b = jute.AppendLong(b, r.mtime)
	b = jute.AppendInt(b, r.version)
	b = jute.AppendInt(b, r.cversion)
	b = jute.AppendInt(b, r.aversion)
	b = jute.AppendLong(b, r.owner)
	return jute.AppendLong(b, int64(r.pzxid))
}
