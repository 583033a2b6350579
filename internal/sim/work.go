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
	if w.chance(7) {
		c.lease(key)
		return
	}
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

// lease asks for something about znodes that the leader deletes by itself, and for persistent watches.
func (c *client) lease(key string) {
	w := c.w
	box := fmt.Sprintf("/c%d", w.rng.IntN(2))
	inside := fmt.Sprintf("%s/x%d", box, w.rng.IntN(2))
	brief := fmt.Sprintf("/t%d", w.rng.IntN(3))
	switch w.rng.IntN(12) {
	case 0, 1:
		c.ask(&call{op: &wire.Create{Type: wire.OpCreateContainer, Path: box, Data: c.value(), ACL: open, Mode: zk.Container}})
	case 2, 3:
		c.ask(&call{op: &wire.Create{Path: inside, Data: c.value(), ACL: open}})
	case 4, 5:
		c.ask(&call{op: &wire.Delete{Path: inside, Version: -1}})
	case 6, 7:
		c.ask(&call{op: &wire.Create{Type: wire.OpCreateTTL, Path: brief, Data: c.value(), ACL: open, Mode: zk.PersistentTTL, TTL: w.between(200, 3000)}})
	case 8:
		c.ask(&call{op: &wire.SetData{Path: brief, Data: c.value(), Version: -1}})
	case 9:
		if w.chance(2) {
			c.ask(&call{op: &wire.Create{Path: brief + "/y", Data: c.value(), ACL: open}})
		} else {
			c.ask(&call{op: &wire.Delete{Path: brief + "/y", Version: -1}})
		}
	case 10:
		c.ask(&call{op: &wire.AddWatch{Path: []string{"/", key, box}[w.rng.IntN(3)], Mode: zk.WatchPersistent}})
	case 11:
		c.ask(&call{op: &wire.AddWatch{Path: []string{"/", box, inside}[w.rng.IntN(3)], Mode: zk.WatchPersistentRecursive}})
	}
}

func (c *client) read(op wire.Op) { c.ask(&call{op: op}) }
