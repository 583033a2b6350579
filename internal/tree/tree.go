package tree

import (
	"encoding/binary"
	"iter"
	"strings"
	"unsafe"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/slab"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/zk"
)

// Options is how a Tree reads its input.
type Options struct {
	// Seed of the hash by which znodes are found. It should differ between processes and be known to no client; nothing
	// that leaves the tree depends on it.
	Seed uint64
	// ExtendedTypes lets owners of the form of section 3.9 of the client protocol mean a time to live
	// (zookeeper.extendedTypesEnabled).
	ExtendedTypes bool
	// Emulate353TTL reads every negative owner but a container's as a time to live, as 3.5.3 wrote them
	// (zookeeper.emulate353TTLNodes). It needs ExtendedTypes.
	Emulate353TTL bool
	// NoDigest leaves the digest out: Digest is 0 and digests in transactions are not compared.
	NoDigest bool
	// Advise is told of each large block of the tree's memory before it is used; see slab.Advice. It may be nil.
	Advise slab.Advice
}

// Node is a znode of a Tree, valid until the next change of the tree. 0 is none.
type Node uint32

// root is the first record of every tree.
const root Node = 1

// The paths that every tree has.
const (
	zookeeperPath = "/zookeeper"
	quotaPath     = "/zookeeper/quota"
	configPath    = "/zookeeper/config"
)

// Tree is all znodes. Make one with New.
type Tree struct {
	opt     Options
	records slab.Pool[record]
	index   slab.Index // records by parent and name
	text    slab.Arena // names and data
	acls    aclTable
	owners  ownerTable
	quotas  quotaTrie
	views   []*View // the open ones

	lastZxid zk.Zxid
	digest   int64
	dataSize int64 // without the alias of the root
	pad      pad

	mismatches    int
	firstMismatch Mismatch

	loading *loading // between BeginLoad and FinishLoad

	report bool         // whether changes are collected in out
	out    []txn.Change // by Apply
}

// record is a znode. It holds no pointer.
type record struct {
	czxid, mzxid, pzxid zk.Zxid
	ctime, mtime        int64
	owner               int64
	version             int32
	cversion            int32 // raw: the number of creates
	aversion            int32
	acl                 uint32 // in aclTable
	parent              Node   // 0 for the root and for a free record
	first, next, prev   Node
	children            int32
	name                slab.Ref // a uvarint length and the bytes; 0 for the root
	data                slab.Ref
	dataLen             int32  // -1 is null
	crc                 uint32 // its digest; 0 where none is kept
}

// Meta is a znode's Stat as it is stored: CVersion counts creates, Owner tells the kind.
type Meta struct {
	Czxid, Mzxid, Pzxid         zk.Zxid
	Ctime, Mtime                int64 // ms since 1970
	Version, CVersion, AVersion int32
	Owner                       int64
}

// New makes the tree of an empty database: section 3.14 of the client protocol.
func New(o Options) *Tree {
	t := &Tree{opt: o}
	t.BeginLoad()
	open := int64(openKey)
	t.LoadACL(1, zk.WorldACL(zk.PermRead))
	for _, n := range []struct {
		path     string
		aclKey   int64
		aversion int32
	}{{"", open, 0}, {zookeeperPath, open, 0}, {quotaPath, open, 0}, {configPath, 1, -1}} {
		if err := t.LoadNode(n.path, []byte{}, n.aclKey, Meta{AVersion: n.aversion}); err != nil {
			panic(err) // the list is in order
		}
	}
	t.FinishLoad(0)
	return t
}

func (t *Tree) at(n Node) *record { return t.records.At(uint32(n)) }

// name is the name of r: a view.
func (t *Tree) name(r *record) []byte {
	if r.name == 0 {
		return nil
	}
	if n := int(t.text.Bytes(r.name, 1)[0]); n < 0x80 {
		return t.text.Bytes(r.name, n+1)[1:]
	}
	n, w := t.longName(r.name)
	return t.text.Bytes(r.name, n+w)[w:]
}

// longName reads the length of a name of 128 bytes or more, and how many bytes the length itself takes.
func (t *Tree) longName(ref slab.Ref) (n, width int) {
	u, w := binary.Uvarint(t.text.Bytes(ref, binary.MaxVarintLen32))
	return int(u), w
}

// nameBlock is the number of bytes behind r.name.
func (t *Tree) nameBlock(r *record) int {
	if r.name == 0 {
		return 0
	}
	if n := int(t.text.Bytes(r.name, 1)[0]); n < 0x80 {
		return n + 1
	}
	n, w := t.longName(r.name)
	return n + w
}

func (t *Tree) putName(name string) slab.Ref {
	var prefix [binary.MaxVarintLen32]byte
	w := binary.PutUvarint(prefix[:], uint64(len(name)))
	ref := t.text.Alloc(w + len(name))
	b := t.text.Bytes(ref, w+len(name))
	copy(b, prefix[:w])
	copy(b[w:], name)
	return ref
}

// data is r's data: a view; nil is null.
func (t *Tree) data(r *record) []byte {
	if r.dataLen < 0 {
		return nil
	}
	return t.text.Bytes(r.data, int(r.dataLen))
}

func (t *Tree) putData(r *record, data []byte) {
	r.data, r.dataLen = 0, -1
	if data != nil {
		r.data, r.dataLen = t.text.Put(data), int32(len(data))
	}
}

// replaceData puts data where it was if it takes the same room.
func (t *Tree) replaceData(r *record, data []byte) {
	if data == nil || r.dataLen <= 0 || slab.Size(len(data)) != slab.Size(int(r.dataLen)) {
		t.freeData(r)
		t.putData(r, data)
		return
	}
	r.dataLen = int32(len(data))
	copy(t.data(r), data)
}

func (t *Tree) freeData(r *record) { t.text.Free(r.data, int(r.dataLen)) }

// child is the child of p that is called name, or 0.
func (t *Tree) child(p Node, name string) Node {
	hash := slab.Hash(t.opt.Seed, uint32(p), name)
	for h := t.index.First(hash); h != 0; h = t.index.Next(h) {
		if r := t.records.At(h); r.parent == p && string(t.name(r)) == name {
			return Node(h)
		}
	}
	return 0
}

// Find is the znode at path, or 0. The path is looked up literally: "" and "/" are the root, anything else must begin with a
// slash and must not end with one. It does not allocate.
func (t *Tree) Find(path string) Node {
	if path == "" || path == "/" {
		return root
	}
	if path[0] != '/' {
		return 0
	}
	n := root
	for rest, more := path[1:], true; more; {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		if name == "" {
			return 0
		}
		if n = t.child(n, name); n == 0 {
			return 0
		}
	}
	return n
}

// Meta is n's Stat as it is stored.
func (t *Tree) Meta(n Node) Meta { return t.at(n).meta() }

func (r *record) meta() Meta {
	return Meta{
		Czxid: r.czxid, Mzxid: r.mzxid, Pzxid: r.pzxid, Ctime: r.ctime, Mtime: r.mtime,
		Version: r.version, CVersion: r.cversion, AVersion: r.aversion, Owner: r.owner,
	}
}

// Stat is n's Stat as clients see it (section 4 of the client protocol): the list of children changed once for each create
// and once for each delete, and only an ephemeral has an owner.
func (t *Tree) Stat(n Node) zk.Stat {
	r := t.at(n)
	s := zk.Stat{
		Czxid: r.czxid, Mzxid: r.mzxid, Ctime: r.ctime, Mtime: r.mtime,
		Version: r.version, CVersion: 2*r.cversion - r.children, AVersion: r.aversion,
		DataLength: max(r.dataLen, 0), NumChildren: r.children, Pzxid: r.pzxid,
	}
	if r.owner != 0 && t.KindOf(r.owner) == Ephemeral {
		s.EphemeralOwner = zk.SessionID(r.owner)
	}
	return s
}

// Data is n's data, nil for null: a view, valid until the next change of the tree.
func (t *Tree) Data(n Node) []byte { return t.data(t.at(n)) }

// ACL is n's list: shared, and not to be changed.
func (t *Tree) ACL(n Node) []zk.ACL { return t.acls.entries[t.at(n).acl].acl }

// IsOpen tells whether n's ACL gives everybody everything.
func (t *Tree) IsOpen(n Node) bool { return t.at(n).acl == openACL }

// NumChildren is the number of n's children.
func (t *Tree) NumChildren(n Node) int { return int(t.at(n).children) }

// Parent is n's parent, 0 for the root.
func (t *Tree) Parent(n Node) Node { return t.at(n).parent }

// Path is n's path, "/" for the root.
func (t *Tree) Path(n Node) string {
	if n == root {
		return "/"
	}
	b := t.appendPath(nil, n)
	return unsafe.String(&b[0], len(b)) // b is ours alone
}

// appendPath appends n's path, "" for the root.
func (t *Tree) appendPath(b []byte, n Node) []byte {
	size := 0
	for m := n; m != root; m = t.at(m).parent {
		size += 1 + len(t.name(t.at(m)))
	}
	at := len(b) + size
	if cap(b) < at {
		b = append(make([]byte, 0, at), b...)
	}
	b = b[:at]
	for m := n; m != root; m = t.at(m).parent {
		name := t.name(t.at(m))
		at -= len(name)
		copy(b[at:], name)
		at--
		b[at] = '/'
	}
	return b
}

// AppendChildren appends the names of n's children as jute's vector of ustrings, in order of creation.
func (t *Tree) AppendChildren(b []byte, n Node) []byte {
	r := t.at(n)
	b = jute.AppendInt(b, r.children)
	for c := r.first; c != 0; {
		r := t.at(c)
		name := t.name(r)
		b = jute.AppendString(b, unsafe.String(unsafe.SliceData(name), len(name))) // read only, and not kept
		c = r.next
	}
	return b
}

// Children yields names and nodes of n's children, in order of creation. The names are copies.
func (t *Tree) Children(n Node) iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		for c := t.at(n).first; c != 0; {
			r := t.at(c)
			next := r.next
			if !yield(string(t.name(r)), c) {
				return
			}
			c = next
		}
	}
}

// following is the next znode after n of the subtree of top, parents first; 0 at the end.
func (t *Tree) following(n, top Node) Node {
	r := t.at(n)
	if r.first != 0 {
		return r.first
	}
	for n != top {
		if r.next != 0 {
			return r.next
		}
		n = r.parent
		r = t.at(n)
	}
	return 0
}

// Descendants is the number of znodes below n, at all levels.
func (t *Tree) Descendants(n Node) int {
	if n == root {
		return t.NodeCount() - 1
	}
	count := 0
	for m := t.following(n, n); m != 0; m = t.following(m, n) {
		count++
	}
	return count
}

// NodeCount is the number of znodes. Apache prints one more, as it counts the root under each of its two names.
func (t *Tree) NodeCount() int { return t.records.Len() }

// DataSize is Apache's approximate_data_size: the characters of all paths (UTF-16 units; the root counts as "" and as "/")
// and the bytes of all data.
func (t *Tree) DataSize() int64 { return t.dataSize + int64(len("/")) }

// LastZxid is the zxid of the last transaction applied.
func (t *Tree) LastZxid() zk.Zxid { return t.lastZxid }

// SetLastZxid makes z the zxid that the next transaction must exceed.
func (t *Tree) SetLastZxid(z zk.Zxid) { t.lastZxid = z }

// chars is the length of s in Java: UTF-16 units.
func chars(s string) int64 {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0xF0: // above U+FFFF: a pair
			n += 2
		case c < 0x80 || c >= 0xC0:
			n++
		}
	}
	return int64(n)
}
