package prep

import (
	"slices"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/zk"
)

// record is a znode as it will be when all prepared txns are applied.
type record struct {
	zxid     zk.Zxid   // the last txn that touched it; 0 if none does any more
	node     tree.Node // in the tree; 0 if it is only going to be there
	exists   bool
	meta     tree.Meta
	children int32
	open     bool // the ACL lets everybody do everything
	acl      []zk.ACL
	digest   int64  // of the znode; 0 of one that does not count
	hasData  bool   // data is here; else it is the tree's
	data     []byte // nil is null
}

// touched says that the txn with this zxid touched this path.
type touched struct {
	zxid  zk.Zxid
	path  string
	rec   *record      // of the path
	owner zk.SessionID // not 0: the txn begins or ends this session, or makes an ephemeral of it; there is no path then
}

// underway is what outstanding txns do to a session.
type underway struct {
	begins bool     // one creates it
	ends   bool     // one closes it
	paths  []string // of the ephemerals that they create; some may be gone again
	txns   int
}

// undo is a record as it was before a multi touched it; nil where nothing was pending.
type undo struct {
	path string
	rec  *record
}

// find gives the state of a path with everything outstanding, in slot 0 or 1 of the scratch records if nothing about it is.
// It is not to be changed; change gives a record that is. The result is never nil; look at exists.
func (p *Prep) find(path string, slot int) *record {
	if path == "" {
		path = "/"
	}
	if rec := p.pending[path]; rec != nil {
		return rec
	}
	rec := &p.scratch[slot]
	*rec = record{}
	p.load(path, rec)
	return rec
}

func (p *Prep) load(path string, rec *record) {
	n := p.tree.Find(path)
	if n == 0 {
		return
	}
	rec.exists, rec.node = true, n
	rec.meta = p.tree.Meta(n)
	rec.children = int32(p.tree.NumChildren(n))
	rec.digest = p.tree.NodeDigest(n)
	rec.open = p.tree.IsOpen(n)
	if !rec.open {
		rec.acl = p.tree.ACL(n)
	}
}

// must is find, refused with NoNode where there is none.
func (p *Prep) must(path string, slot int) *record {
	rec := p.find(path, slot)
	if !rec.exists {
		refuse(zk.NoNode)
	}
	return rec
}

// change gives the pending record of a path, to be changed for txn z; was is the state found before, whose digest is taken
// off here. The caller changes the record, then calls changed.
func (p *Prep) change(path string, was *record, z zk.Zxid) *record {
	if path == "" {
		path = "/"
	}
	p.digest -= was.digest
	rec := was
	if was == &p.scratch[0] || was == &p.scratch[1] {
		rec = nil // nothing was pending
	}
	if p.inMulti {
		p.undo = append(p.undo, undo{path, rec})
		rec = nil // keep the old record for the undo; a new one takes its place
	}
	if rec == nil {
		rec = p.take()
		*rec = *was
		p.pending[path] = rec
	}
	if rec.zxid != z {
		rec.zxid = z
		p.queue = append(p.queue, touched{zxid: z, path: path, rec: rec})
	}
	return rec
}

// changed adds the digest of what a record has become.
func (p *Prep) changed(path string, rec *record) {
	if path == "" {
		path = "/"
	}
	rec.digest = 0
	if !rec.exists || !p.cfg.Digest || !tree.CountsInDigest(path) {
		return
	}
	rec.digest = p.tree.Foretell(path, p.data(rec), &rec.meta)
	p.digest += rec.digest
}

// data is that of a znode that exists.
func (p *Prep) data(rec *record) []byte {
	if rec.hasData {
		return rec.data
	}
	return p.tree.Data(rec.node) // nothing outstanding changes it, or makes the znode, so it is what the tree has
}

func (p *Prep) take() *record {
	if n := len(p.free); n > 0 {
		rec := p.free[n-1]
		p.free = p.free[:n-1]
		return rec
	}
	return new(record)
}

func (p *Prep) release(rec *record) {
	*rec = record{}
	if len(p.free) < 1024 {
		p.free = append(p.free, rec)
	}
}

// addChild makes the parent of a new znode remember it. Section 4: one more create, and pzxid, unless the counter is full.
func (p *Prep) addChild(path string, was *record, z zk.Zxid) (cversion int32) {
	rec := p.change(path, was, z)
	rec.children++
	cversion = nextCVersion(rec.meta.CVersion)
	if cversion > rec.meta.CVersion {
		rec.meta.CVersion, rec.meta.Pzxid = cversion, z
	}
	p.changed(path, rec)
	return cversion
}

// nextCVersion counts one more create. At its end the counter stays (ZOOKEEPER-4706 is about one that goes on below zero): a
// sequential create is refused with NodeExists then, instead of being given a name that sorts wrongly.
func nextCVersion(c int32) int32 {
	if c == 1<<31-1 {
		return c
	}
	return c + 1
}

// removeChild makes the parent of a deleted znode forget it.
func (p *Prep) removeChild(path string, was *record, z zk.Zxid) {
	rec := p.change(path, was, z)
	rec.children--
	rec.meta.Pzxid = max(rec.meta.Pzxid, z)
	p.changed(path, rec)
}

// remove makes a znode gone.
func (p *Prep) remove(path string, was *record, z zk.Zxid) {
	rec := p.change(path, was, z)
	*rec = record{zxid: z}
	p.changed(path, rec)
}

// ephemerals lists what a session will own when all prepared txns are applied, sorted.
func (p *Prep) ephemerals(s zk.SessionID) []string {
	var paths []string
	for _, path := range p.tree.Ephemerals(s) {
		if rec := p.pending[path]; rec == nil || (rec.exists && rec.meta.Owner == int64(s)) {
			paths = append(paths, path)
		}
	}
	if u := p.underway[s]; u != nil {
		for _, path := range u.paths {
			if rec := p.pending[path]; rec != nil && rec.exists && rec.meta.Owner == int64(s) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// note remembers that txn z does something to session s, and gives the place to say what.
func (p *Prep) note(s zk.SessionID, z zk.Zxid) *underway {
	u := p.underway[s]
	if u == nil {
		u = &underway{}
		p.underway[s] = u
	}
	u.txns++
	p.queue = append(p.queue, touched{zxid: z, owner: s})
	return u
}

// settle forgets one of these: it is applied, or undone.
func (p *Prep) settle(s zk.SessionID) {
	if u := p.underway[s]; u != nil {
		if u.txns--; u.txns == 0 {
			delete(p.underway, s)
		}
	}
}
