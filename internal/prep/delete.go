package prep

import (
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// DeleteContainer is the server's own request to remove a container or TTL znode that has had its time (section 3.10). No
// client may send it (Appendix A-6).
type DeleteContainer struct {
	Path      string
	NeverUsed int64 // ms after which a container goes that never had a child; 0 is never
}

// OpCode is OpDeleteContainer.
func (*DeleteContainer) OpCode() wire.OpCode { return wire.OpDeleteContainer }

// Append is never needed: the request does not travel.
func (*DeleteContainer) Append(b []byte) []byte { return b }

// special tells which znodes can never be deleted.
func special(path string) bool {
	switch path {
	case "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config":
		return true
	}
	return false
}

// delete: client protocol, section 3.4.2.
func (p *Prep) delete(r *Request, d *wire.Delete, z zk.Zxid) (txn.Type, txn.Body) {
	p.alive(r)
	if d.PathNull {
		refuse(zk.MarshallingError)
	}
	parent := shape(d.Path)
	if special(d.Path) {
		refuse(zk.BadArguments)
	}
	up := p.must(parent, 1)
	p.allow(r, up, zk.PermDelete)
	was := p.must(d.Path, 0)
	version(d.Version, was.meta.Version)
	if was.children > 0 {
		refuse(zk.NotEmpty)
	}
	p.removeChild(parent, up, z)
	p.remove(d.Path, was, z)
	return txn.TypeDelete, &txn.Delete{Path: d.Path}
}

func (p *Prep) deleteContainer(r *Request, d *DeleteContainer, z zk.Zxid) (txn.Type, txn.Body) {
	parent := shape(d.Path)
	if special(d.Path) {
		refuse(zk.BadArguments)
	}
	was := p.must(d.Path, 0)
	if was.children > 0 {
		refuse(zk.NotEmpty)
	}
	if !p.due(r, d, was) {
		refuse(zk.BadVersion)
	}
	up := p.must(parent, 1)
	p.removeChild(parent, up, z)
	p.remove(d.Path, was, z)
	return txn.TypeDeleteContainer, &txn.Delete{Path: d.Path}
}

// due tells whether a znode's time has come, now, with all that is decided: who looked for such znodes knows only what is applied, and
// since then the data may have been set, or another znode may have got the name.
func (p *Prep) due(r *Request, d *DeleteContainer, was *record) bool {
	age := r.Now - was.meta.Mtime
	switch owner := was.meta.Owner; p.tree.KindOf(owner) {
	case tree.Container:
		return was.meta.CVersion > 0 || d.NeverUsed != 0 && age > d.NeverUsed
	case tree.TTL:
		ttl := tree.TTLOf(owner)
		return ttl != 0 && age > ttl
	}
	return false
}
