package watch

import "github.com/zooid-io/zooid/zk"

// A client that comes back to another connection tells what it waited for, list by list, and the zxid up to which it has seen
// the tree. What it missed meanwhile is one event now; what it did not miss is a watch again (client protocol, section 5.6).
// Watches of addWatch have no catch-up: AddPersistent and AddRecursive serve those lists. Permissions are not asked.

// Node is what must be known of a znode to tell whether something was missed.
type Node struct {
	Exists bool
	Mzxid  zk.Zxid
	Pzxid  zk.Zxid
}

// RearmData serves an entry of dataWatches. missed: the event to send instead of waiting, with zxid -1.
func (t *Table) RearmData(path string, w Watcher, now Node, seen zk.Zxid) (event zk.EventType, missed bool) {
	switch {
	case !now.Exists:
		return zk.EventNodeDeleted, true
	case now.Mzxid > seen:
		return zk.EventNodeDataChanged, true
	}
	t.AddData(path, w)
	return 0, false
}

// RearmExist serves an entry of existWatches.
func (t *Table) RearmExist(path string, w Watcher, now Node) (event zk.EventType, missed bool) {
	if now.Exists {
		return zk.EventNodeCreated, true
	}
	t.AddData(path, w)
	return 0, false
}

// RearmChild serves an entry of childWatches.
func (t *Table) RearmChild(path string, w Watcher, now Node, seen zk.Zxid) (event zk.EventType, missed bool) {
	switch {
	case !now.Exists:
		return zk.EventNodeDeleted, true
	case now.Pzxid > seen:
		return zk.EventNodeChildrenChanged, true
	}
	t.AddChild(path, w)
	return 0, false
}
