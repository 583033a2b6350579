package replica

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/watch"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// addWatch: section 5.7. Neither the path nor a permission is looked at; a null path never fires.
func (r *Replica) addWatch(c *Conn, op *wire.AddWatch, out []byte) ([]byte, zk.Code) {
	if !op.PathNull {
		if op.Mode == zk.WatchPersistentRecursive {
			r.watches.AddRecursive(op.Path, c.watcher)
		} else {
			r.watches.AddPersistent(op.Path, c.watcher)
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
// notices are not gated by ACLs and say zxid -1. A null list ends it, with what came before carried out.
func (r *Replica) setWatches(c *Conn, s *wire.SetWatches, e *Effects) {
	for _, list := range []struct {
		paths []string
		rearm func(path string, now watch.Node) (zk.EventType, bool)
	}{
		{s.Data, func(path string, now watch.Node) (zk.EventType, bool) {
			return r.watches.RearmData(path, c.watcher, now, s.RelativeZxid)
		}},
		{s.Exist, func(path string, now watch.Node) (zk.EventType, bool) {
			return r.watches.RearmExist(path, c.watcher, now)
		}},
		{s.Child, func(path string, now watch.Node) (zk.EventType, bool) {
			return r.watches.RearmChild(path, c.watcher, now, s.RelativeZxid)
		}},
		{s.Persistent, func(path string, _ watch.Node) (zk.EventType, bool) {
			r.watches.AddPersistent(path, c.watcher)
			return 0, false
		}},
		{s.Recursive, func(path string, _ watch.Node) (zk.EventType, bool) {
			r.watches.AddRecursive(path, c.watcher)
			return 0, false
		}},
	} {
		if list.paths == nil {
			return
		}
		for _, path := range list.paths {
			var now watch.Node
			if n := r.tree.Find(path); n != 0 {
				m := r.tree.Meta(n)
				now = watch.Node{Exists: true, Mzxid: m.Mzxid, Pzxid: m.Pzxid}
			}
			if event, missed := list.rearm(path, now); missed {
				at := e.begin()
				e.buf = wire.AppendNoticeFrame(e.buf, -1, event, path)
				e.end(at, Send{Conn: c, Notice: true})
			}
		}
	}
}
