package sim

import (
	"fmt"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

var open = []zk.ACL{{Perms: zk.PermAll, ID: zk.ID{Scheme: "world", ID: "anyone"}}}

// act asks for something.
func (c *client) act(k *conn) {
	w := c.w
	key := fmt.Sprintf("/k%d", w.rng.IntN(w.Keys))
	switch n := w.rng.IntN(100); {
	case n < 12:
		c.ask(&call{op: &wire.Create{Path: key, Data: c.value(), ACL: open}})
	case n < 32:
		version := int32(-1)
		if w.chance(3) {
			version = int32(w.rng.IntN(4))
		}
		c.ask(&call{op: &wire.SetData{Path: key, Data: c.value(), Version: version}})
	case n < 38:
		c.ask(&call{op: &wire.Delete{Path: key, Version: -1}})
	case n < 54: // a synced read
		at := w.now
		c.ask(&call{op: &wire.Sync{Path: "/"}})
		c.ask(&call{op: &wire.GetData{Path: key}, synced: at + 1})
	case n < 66:
		c.read(&wire.GetData{Path: key})
	case n < 71:
		a := &armed{kind: dataWatch, path: key}
		c.ask(&call{op: &wire.GetData{Path: key, Watch: true}, watch: a})
	case n < 75:
		a := &armed{kind: existsWatch, path: key}
		c.ask(&call{op: &wire.Exists{Path: key, Watch: true}, watch: a})
	case n < 79:
		a := &armed{kind: childWatch, path: "/"}
		c.ask(&call{op: &wire.GetChildren{Path: "/", Watch: true}, watch: a})
	case n < 82:
		c.read(&wire.GetChildren{Path: "/", WithStat: true})
	case n < 87:
		c.ask(&call{op: &wire.Create{Path: fmt.Sprintf("/e%d", w.rng.IntN(8)), Data: c.value(), ACL: open, Mode: zk.Ephemeral}})
	case n < 90:
		c.ask(&call{op: &wire.Create{Path: "/s-", Data: c.value(), ACL: open, Mode: zk.EphemeralSequential}})
	case n < 91:
		c.ask(&call{op: &wire.Create{Path: "/p-", Data: c.value(), ACL: open, Mode: zk.PersistentSequential}})
	case n < 97:
		c.ask(&call{op: &wire.Multi{Ops: []wire.Op{
			&wire.SetData{Path: key, Data: c.value(), Version: -1},
			&wire.Create{Path: fmt.Sprintf("/e%d", w.rng.IntN(8)), Data: c.value(), ACL: open, Mode: zk.Ephemeral},
			&wire.Delete{Path: fmt.Sprintf("/e%d", w.rng.IntN(8)), Version: -1},
		}[:1+w.rng.IntN(3)]}})
	case n < 98:
		c.ask(&call{op: &wire.CloseSession{}})
	default:
		c.read(&wire.Exists{Path: key})
	}
}

func (c *client) read(op wire.Op) { c.ask(&call{op: op}) }
