package prep

import (
	"errors"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Ensemble is what a reconfiguration is judged against.
type Ensemble interface {
	// Views are the committed configuration and the last that was seen. They are different while a reconfiguration is in flight.
	Views() (committed, lastSeen *ensemble.Config)
	// HasQuorum tells whether enough voters of a configuration are connected and in sync to go on under it.
	HasQuorum(next *ensemble.Config) bool
}

const configPath = "/zookeeper/config"

// reconfig: client protocol, section 3.4.13, the checks in its order. What it gives becomes the last seen configuration when it is
// proposed, so that a second one in flight is refused.
func (p *Prep) reconfig(r *Request, c *wire.Reconfig, z zk.Zxid) (txn.Type, txn.Body) {
	if !p.cfg.ReconfigEnabled {
		refuse(zk.ReconfigDisabled)
	}
	p.alive(r)
	if p.cfg.Ensemble == nil {
		refuse(zk.Unimplemented)
	}
	committed, seen := p.cfg.Ensemble.Views()
	if committed.Version != seen.Version {
		refuse(zk.ReconfigInProgress)
	}
	next, err := seen.Reconfigure(ensemble.Change{
		Joining: c.Joining, Leaving: c.Leaving, Members: c.Members, Whole: !c.MembersNull, From: c.CurConfigID,
	}, z, p.cfg.EnsembleRules)
	if err != nil {
		code := zk.BadArguments
		errors.As(err, &code)
		refuse(code)
	}
	if !p.cfg.Ensemble.HasQuorum(next) {
		refuse(zk.NewConfigNoQuorum)
	}
	p.allow(r, p.must(configPath, 0), zk.PermWrite)
	return txn.TypeReconfig, &txn.SetData{Path: configPath, Data: []byte(next.String()), Version: -1}
}
