package replica

import (
	"strings"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// addWatch: section 5.7. Neither the path nor a permission is looked at; a null path never fires.
func (r *Replica) addWatch(c *Conn, op *wire.AddWatch, out []byte) ([]byte, zk.Code) {
	if !op.PathNull {
		path := strings.Clone(op.Path)
		if op.Mode == zk.WatchPersistentRecursive {
			r.watches.AddRecursive(path, c.watcher)
		} else {
			r.watches.AddPersistent(path, c.watcher)
		}
	}
	return jute.AppendInt(out, 0), zk.OK
}

// queryWatch is checkWatches and removeWatches.
func (r *Replica) queryWatch(c *Conn, op *wire.WatchQuery, out []byte) ([]byte, zk.Code) {
	found := false
	if !op.PathNull {
		if op.Remove {
			found = r.watches.Remove(op.Path, c.watcher, op.Type)
		} else {
			found = r.watches.Contains(op.Path, c.watcher, op.Type)
		}
	}
	if !found {
		return out, zk.NoWatcher
	}
	return out, zk.OK
}

// setWatches re-arms what a client had before it reconnected, and tells it at once what it missed: section 5.6. These
// notices are not gated by ACLs and say zxid -1.
func (r *Replica) setWatches(c *Conn, s *wire.SetWatches, e *Effects) {
	tell := func(t zk.EventType, path string) {
		at := e.begin()
		e.buf = wire.AppendNoticeFrame(e.buf, -1, t, path)
		e.end(at, Send{Conn: c, Notice: true})
	}
	if s.Data == nil {
		return
	}
	for _, path := range s.Data {
		n := r.tree.Find(path)
		switch {
		case n == 0:
			tell(zk.EventNodeDeleted, path)
		case r.tree.Meta(n).Mzxid > s.RelativeZxid:
			tell(zk.EventNodeDataChanged, path)
		default:
			r.watches.AddData(strings.Clone(path), c.watcher)
		}
	}
	if s.Exist == nil {
		return
	}
	for _, path := range s.Exist {
		if r.tree.Find(path) != 0 {
			tell(zk.EventNodeCreated, path)
		} else {
			r.watches.AddData(strings.Clone(path), c.watcher)
		}
	}
	if s.Child == nil {
		return
	}
	for _, path := range s.Child {
		n := r.tree.Find(path)
		switch {
		case n == 0:
			tell(zk.EventNodeDeleted, path)
		case r.tree.Meta(n).Pzxid > s.RelativeZxid:
			tell(zk.EventNodeChildrenChanged, path)
		default:
			r.watches.AddChild(strings.Clone(path), c.watcher)
		}
	}
	for _, path := range s.Persistent {
		r.watches.AddPersistent(strings.Clone(path), c.watcher)
	}
	if s.Persistent == nil {
		return
	}
	for _, path := range s.Recursive {
		r.watches.AddRecursive(strings.Clone(path), c.watcher)
	}
}
