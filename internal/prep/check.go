package prep

import (
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// check, within a multi only: the znode exists and has this version.
func (p *Prep) check(r *Request, c *wire.Check) (txn.Type, txn.Body) {
	p.alive(r)
	if zk.ValidatePath(c.Path) != nil {
		refuse(zk.BadArguments)
	}
	was := p.must(c.Path, 0)
	p.allow(r, was, zk.PermRead)
	version(c.Version, was.meta.Version)
	return txn.TypeCheck, &txn.Check{Path: c.Path, Version: was.meta.Version + 1}
}
