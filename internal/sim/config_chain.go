package sim

import (
	"bytes"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/txn"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// chain is what ConfigChain remembers.
type chain struct {
	texts   map[zk.Zxid]string           // of each version that was seen, but for version 0
	looked  map[ensemble.SID]zab.Configs // that were looked at
	highest map[ensemble.SID]zk.Zxid     // committed version that is in a server's files
}

func (c *chain) init() {
	c.texts, c.looked, c.highest = map[zk.Zxid]string{}, map[ensemble.SID]zab.Configs{}, map[ensemble.SID]zk.Zxid{}
}

// configOf is the configuration that a txn brings, nil if none.
func configOf(x *txn.Txn) *ensemble.Config {
	set, ok := x.Body.(*txn.SetData)
	if !ok || x.Type != txn.TypeReconfig {
		return nil
	}
	g, err := ensemble.Parse(string(set.Data))
	if err != nil {
		return nil
	}
	return g
}

// head is the last configuration that was committed.
func (h *history) head() *ensemble.Config { return h.configs[len(h.configs)-1] }

// force is the configuration in force when a txn was committed, which that does not change itself.
func (h *history) force(z zk.Zxid) *ensemble.Config {
	for i := len(h.configs) - 1; i > 0; i-- {
		if h.configs[i].Version < z {
			return h.configs[i]
		}
	}
	return h.configs[0]
}

// joint is ConfigChain, of the first server that shows a change: it is on the disks of quorums of both configurations, the old one's being
// CommitDurable. What is committed behind it needs the new one's.
func (k *checks) joint(s *server, e entry) {
	if !k.w.Reconfig {
		return
	}
	if x, err := txn.Decode(e.payload); err == nil {
		if g := configOf(x); g != nil && !k.has(g, e.zxid) {
			k.w.fail("ConfigChain", "%d has committed the change %v, and of its own quorum that %s", s.sid, e.zxid, k.who(e.zxid))
		}
	}
}

// configs is ConfigChain, of a server's configurations after each of its steps: what is committed is in the history, and is the same
// everywhere; it never goes back.
func (k *checks) configs(s *server) {
	now, was := s.core.Configs(), k.looked[s.sid]
	if now == was {
		return
	}
	k.looked[s.sid] = now
	for _, g := range []*ensemble.Config{now.Committed, now.LastSeen} {
		if g.Version == 0 {
			continue
		}
		text := g.String()
		if first, ok := k.texts[g.Version]; !ok {
			k.texts[g.Version] = text
		} else if first != text {
			k.w.fail("ConfigChain", "at %d, version %x is\n%s\nand was\n%s", s.sid, int64(g.Version), text, first)
		}
	}
	g := now.Committed
	if was.Committed == g {
		return
	}
	if was.Committed != nil && g.Version < was.Committed.Version {
		k.w.fail("ConfigChain", "%d goes back from version %x to %x", s.sid, int64(was.Committed.Version), int64(g.Version))
	}
	h := &k.w.history
	switch {
	case g.Version == 0:
	case g.Version.Counter() == 0: // the first ones, under the first leader's number
		if !g.SameMembers(h.configs[0]) || len(h.configs) > 1 && h.configs[1].Version < g.Version {
			k.w.fail("ConfigChain", "%d has version %x committed, which is\n%s", s.sid, int64(g.Version), g)
		}
	default:
		for _, c := range h.configs {
			if c.Version == g.Version {
				if c.String() != g.String() {
					k.w.fail("ConfigChain", "at %d, version %x is\n%s\nand in the history\n%s", s.sid, int64(g.Version), g, c)
				}
				return
			}
		}
		k.w.fail("ConfigChain", "%d takes version %x for committed, which nobody has committed; the last is %x", s.sid, int64(g.Version), int64(h.head().Version))
	}
}

// starts is ConfigChain, of what a start finds in the files.
func (k *checks) starts(s *server, c *zab.Configs) {
	if v := k.highest[s.sid]; c.Committed.Version < v {
		k.w.fail("ConfigChain", "%d starts with version %x, and had written %x", s.sid, int64(c.Committed.Version), int64(v))
	}
	delete(k.looked, s.sid)
}

// rewritten is a server whose files an operator has written.
func (k *checks) rewritten(s *server) {
	delete(k.highest, s.sid)
	delete(k.looked, s.sid)
}

// configRead is ConfigChain, of the answer to a change.
func (k *checks) configRead(c *client, a *call) {
	if _, ok := a.op.(*wire.Reconfig); !ok || a.code != zk.OK {
		return
	}
	for _, g := range k.w.history.configs {
		if g.Version == a.zxid && bytes.Equal(a.data, []byte(g.String())) {
			return
		}
	}
	k.w.fail("ConfigChain", "client %d is told that the configuration is, as of %v,\n%s", c.id, a.zxid, a.data)
}
