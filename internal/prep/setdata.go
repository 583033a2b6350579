package prep

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// setData: client protocol, section 3.4.3.
func (p *Prep) setData(r *Request, s *wire.SetData, z zk.Zxid) (txn.Type, txn.Body) {
	p.alive(r)
	if s.PathNull || zk.ValidatePath(s.Path) != nil {
		refuse(zk.BadArguments)
	}
	was := p.must(s.Path, 0)
	p.allow(r, was, zk.PermWrite)
	if p.cfg.EnforceQuota {
		p.quota(s.Path, int64(len(s.Data))-int64(len(p.data(was))), 0)
	}
	version(s.Version, was.meta.Version)
	known := txn.Known{Tree: p.tree, Node: uint32(was.node), Czxid: was.meta.Czxid, Was: uint32(was.digest)}
	rec := p.change(s.Path, was, z)
	rec.hasData, rec.data = true, s.Data
	rec.meta.Version++
	if rec.meta.Version == -1 { // -1 means "any" in a request, so no znode may have it (upstream since 3.10)
		rec.meta.Version = 0
	}
	rec.meta.Mzxid, rec.meta.Mtime = z, r.Now
	p.changed(s.Path, rec)
	known.Is, known.HasDigest = uint32(rec.digest), p.cfg.Digest
	return txn.TypeSetData, &txn.SetData{Path: s.Path, Data: s.Data, Version: rec.meta.Version, Known: known}
}
