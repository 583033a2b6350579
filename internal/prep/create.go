package prep

import (
	"fmt"
	"strings"

	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// create: client protocol, section 3.4.1, the checks in its order.
func (p *Prep) create(r *Request, c *wire.Create, z zk.Zxid) (txn.Type, txn.Body) {
	op := c.OpCode()
	p.checkMode(op, c)
	if known := p.alive(r); !known && c.Mode.IsEphemeral() && op != wire.OpCreateContainer {
		refuse(zk.EphemeralOnLocalSession)
	}
	path := c.Path
	if c.PathNull || c.NullACLID {
		refuse(zk.MarshallingError)
	}
	parent := shape(path)
	acl, code := p.cfg.Rules.Fix(c.ACL, r.IDs)
	if code != zk.OK {
		refuse(code)
	}
	p.fits(path, c.Data, acl)
	up := p.must(parent, 1)
	p.allow(r, up, zk.PermCreate)
	if c.Mode.IsSequential() {
		path += fmt.Sprintf("%010d", up.meta.CVersion)
	}
	if zk.ValidatePath(path) != nil {
		refuse(zk.BadArguments)
	}
	was := p.find(path, 0)
	if was.exists {
		refuse(zk.NodeExists)
	}
	if p.tree.KindOf(up.meta.Owner) == tree.Ephemeral {
		refuse(zk.NoChildrenForEphemerals)
	}
	p.quota(path, int64(len(c.Data)), 1)

	body := &txn.Create{Type: txn.Type(op), Path: path, Data: c.Data, ACL: acl}
	var owner int64
	switch op {
	case wire.OpCreateContainer:
		owner = tree.ContainerOwner
	case wire.OpCreateTTL:
		body.TTL = c.TTL
		owner = tree.TTLOwner(c.TTL)
	default:
		if c.Mode.IsEphemeral() {
			body.Ephemeral = true
			owner = int64(r.Session)
		}
	}
	body.ParentCVersion = p.addChild(parent, up, z)
	rec := p.change(path, was, z)
	*rec = record{
		zxid: z, exists: true, hasData: true, data: c.Data, acl: acl,
		meta: tree.Meta{Czxid: z, Mzxid: z, Pzxid: z, Ctime: r.Now, Mtime: r.Now, Owner: owner},
	}
	p.changed(path, rec)
	if body.Ephemeral {
		u := p.note(r.Session, z)
		u.paths = append(u.paths, path)
	}
	return body.Type, body
}

// checkMode: flags, TTL nodes, range of the TTL. The opcode decides the kind of znode; flags only add ephemeral and
// sequential. A TTL without a TTL mode stops Apache (Appendix A-2); here it is refused.
func (p *Prep) checkMode(op wire.OpCode, c *wire.Create) {
	if !c.Mode.Known() {
		refuse(zk.BadArguments)
	}
	if c.Mode.IsTTL() {
		if !p.cfg.ExtendedTypes {
			refuse(zk.Unimplemented)
		}
		if op != wire.OpCreateTTL || c.TTL <= 0 || c.TTL > zk.MaxTTL {
			refuse(zk.BadArguments)
		}
		return
	}
	if op == wire.OpCreateTTL {
		refuse(zk.BadArguments)
	}
}

// shape refuses a path without a slash or with a NUL, and gives the parent's path.
func shape(path string) (parent string) {
	parent, _, ok := zk.SplitPath(path)
	if !ok || strings.IndexByte(path, 0) >= 0 {
		refuse(zk.BadArguments)
	}
	return parent
}

// quota refuses what would pass a hard limit of the deepest quota above (or at) the path. Only the counters of applied txns
// are asked, as upstream does: a multi or a pipeline can overshoot.
func (p *Prep) quota(path string, bytes, count int64) {
	if !p.cfg.EnforceQuota || (bytes == 0 && count == 0) {
		return
	}
	q, ok := p.tree.QuotaOf(path)
	if !ok {
		return
	}
	if q.LimitsErr != nil {
		refuse(zk.MarshallingError)
	}
	over := func(hard, used, more int64) bool { return more != 0 && hard > -1 && used+more > hard }
	if over(q.Limits.CountHard, q.Usage.Count, count) || over(q.Limits.BytesHard, q.Usage.Bytes, bytes) {
		refuse(zk.QuotaExceeded)
	}
}
