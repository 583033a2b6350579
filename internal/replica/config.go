package replica

import (
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/zab"
)

// configOf is the configuration that a txn installs, nil for all but a reconfiguration.
func configOf(x *txn.Txn) *ensemble.Config {
	s, ok := x.Body.(*txn.SetData)
	if !ok || x.Type != txn.TypeReconfig {
		return nil
	}
	return parseConfig(s.Data)
}

// configure shows the committed configuration in /zookeeper/config. Its time is this server's, so the znode is no part of the digest
// (ensemble protocol, section 8.2).
func (r *Replica) configure(c zab.Configs) {
	r.tree.SetConfig([]byte(c.Committed.String()), c.Committed.Version, r.lastTick)
}

// views shows the agreement to package prep.
type views struct{ *zab.Core }

func (v views) Views() (committed, lastSeen *ensemble.Config) {
	c := v.Configs()
	return c.Committed, c.LastSeen
}

// parseConfig reads what a reconfiguration installs; nil if it is none.
func parseConfig(text []byte) *ensemble.Config {
	c, err := ensemble.Parse(string(text))
	if err != nil {
		return nil
	}
	return c
}
