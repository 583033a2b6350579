package sim

import (
	"slices"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// armed is a watch that a client has.
type armed struct {
	kind watchKind
	path string
	at   zk.Zxid // everything beyond it has to be told
}

type watchKind int

const (
	dataWatch watchKind = iota
	existsWatch
	childWatch
)

// arm remembers a watch of an answer. A data watch on what is missing is none; what is there already stays.
func (c *client) arm(a *call) {
	t := a.watch
	if t == nil || a.code != zk.OK && (t.kind != existsWatch || a.code != zk.NoNode) {
		return
	}
	if t.kind == existsWatch && a.code == zk.OK {
		t.kind = dataWatch
	}
	t.at = a.zxid
	for _, o := range c.watches {
		if o.kind == t.kind && o.path == t.path {
			return
		}
	}
	c.watches = append(c.watches, t)
}

// rearm tells a new server which watches there are.
func (c *client) rearm() {
	op := &wire.SetWatches{Type: wire.OpSetWatches2, RelativeZxid: c.seen, Data: []string{}, Exist: []string{}, Child: []string{}, Persistent: []string{}, Recursive: []string{}}
	for _, t := range c.watches {
		switch t.kind {
		case dataWatch:
			op.Data = append(op.Data, t.path)
		case existsWatch:
			op.Exist = append(op.Exist, t.path)
		case childWatch:
			op.Child = append(op.Child, t.path)
		}
	}
	for _, t := range c.lasting {
		if t.recursive {
			op.Recursive = append(op.Recursive, t.path)
		} else {
			op.Persistent = append(op.Persistent, t.path)
		}
	}
	c.ask(&call{op: op, xid: wire.XidSetWatches})
}

// spent takes off what a notice has spent. It tells whether there was anything.
func (c *client) spent(ev zk.Event) bool {
	n := len(c.watches)
	c.watches = slices.DeleteFunc(c.watches, func(t *armed) bool {
		if t.path != ev.Path {
			return false
		}
		switch ev.Type {
		case zk.EventNodeChildrenChanged:
			return t.kind == childWatch
		case zk.EventNodeDeleted:
			return true
		}
		return t.kind != childWatch
	})
	return len(c.watches) < n
}
