package sim

import (
	"bytes"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// reads is ReadTruth.
func (k *checks) reads(c *client, a *call) {
	var path string
	switch op := a.op.(type) {
	case *wire.GetData:
		path = op.Path
	case *wire.Exists:
		path = op.Path
	default:
		return
	}
	if a.code != zk.OK && a.code != zk.NoNode {
		return
	}
	r := k.w.history.at(path, a.zxid)
	_, data := a.op.(*wire.GetData)
	if r.exists != (a.code == zk.OK) || r.exists && (r.stat != a.stat || data && !bytes.Equal(r.data, a.data)) {
		k.w.fail("ReadTruth", "client %d reads %s as of %v: %d %q %+v; it was %t %q %+v", c.id, path, a.zxid, a.code, a.data, a.stat, r.exists, r.data, r.stat)
	}
}
