package prep

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// setACL: client protocol, section 3.4.4. The new list holds at once for the requests behind this one.
func (p *Prep) setACL(r *Request, s *wire.SetACL, z zk.Zxid) (txn.Type, txn.Body) {
	p.alive(r)
	if s.PathNull || zk.ValidatePath(s.Path) != nil {
		refuse(zk.BadArguments)
	}
	if s.NullACLID {
		refuse(zk.MarshallingError)
	}
	acl, code := p.cfg.Rules.Fix(s.ACL, r.IDs)
	if code != zk.OK {
		refuse(code)
	}
	p.fits(s.Path, nil, acl)
	was := p.must(s.Path, 0)
	p.allow(r, was, zk.PermAdmin)
	version(s.Version, was.meta.AVersion)
	rec := p.change(s.Path, was, z)
	rec.acl, rec.open = acl, false
	rec.meta.AVersion++
	p.changed(s.Path, rec)
	return txn.TypeSetACL, &txn.SetACL{Path: s.Path, ACL: acl, AVersion: rec.meta.AVersion}
}
