package clientcore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Kind is the list that a watch stands in.
type Kind uint8

// The kinds. The first three fire once.
const (
	Data       Kind = iota // getData, and exists of a znode that was there
	Exist                  // exists of a znode that was missing
	Child                  // getChildren
	Persistent             // addWatch
	Recursive              // addWatch, recursive
	kinds
)

// oneShot tells whether watches of the kind fire once.
func (k Kind) oneShot() bool { return k <= Child }

// Type is what removeWatches calls the kind.
func (k Kind) Type() zk.WatcherType {
	return [kinds]zk.WatcherType{zk.WatcherData, zk.WatcherData, zk.WatcherChildren, zk.WatcherPersistent, zk.WatcherPersistentRecursive}[k]
}

// removedEvent is what the owner of a removed watch is told.
func (k Kind) removedEvent() zk.EventType {
	return [kinds]zk.EventType{zk.EventDataWatchRemoved, zk.EventDataWatchRemoved, zk.EventChildWatchRemoved, zk.EventPersistentRemoved,
		zk.EventPersistentRemoved}[k]
}

// Watch is a registration.
type Watch struct {
	Kind  Kind
	Path  string // as the server knows it
	Owner any    // the driver's
}

// registry remembers the watches of a session: servers forget them with the connection.
type registry [kinds]map[string][]*Watch

func (r *registry) add(w *Watch) {
	if r[w.Kind] == nil {
		r[w.Kind] = map[string][]*Watch{}
	}
	r[w.Kind][w.Path] = append(r[w.Kind][w.Path], w)
}

// register adds the watch of a call that was answered, in the list that the answer puts it in.
func (c *Core) register(k *Call, code zk.Code) {
	w := k.Watch
	switch {
	case code == zk.OK && w.Kind == Exist:
		w.Kind = Data
	case code == zk.OK, code == zk.NoNode && w.Kind == Exist: // only exists watches what is not there (section 3.4.5)
	default:
		return
	}
	switch op := k.Op.(type) {
	case *wire.GetData:
		w.Path = op.Path
	case *wire.Exists:
		w.Path = op.Path
	case *wire.GetChildren:
		w.Path = op.Path
	case *wire.AddWatch:
		w.Path = op.Path
	}
	c.watches.add(w)
}

// fire tells the watches that an event concerns. Servers send one event for each change, however many watches there are
// (section 5.3); one-shot ones are gone with it.
func (r *registry) fire(out *Effects, e zk.Event) {
	e.Path = strings.Clone(e.Path) // it outlives the frame
	once := func(k Kind) {
		for _, w := range r[k][e.Path] {
			out.Fired = append(out.Fired, Fired{Watch: w, Event: e, Last: true})
		}
		delete(r[k], e.Path)
	}
	every := func(k Kind, path string) {
		for _, w := range r[k][path] {
			out.Fired = append(out.Fired, Fired{Watch: w, Event: e})
		}
	}
	switch e.Type {
	case zk.EventNodeCreated, zk.EventNodeDataChanged:
		once(Data)
		once(Exist)
	case zk.EventNodeChildrenChanged:
		once(Child)
	case zk.EventNodeDeleted:
		once(Data)
		once(Exist)
		once(Child)
	default:
		return
	}
	every(Persistent, e.Path)
	if e.Type == zk.EventNodeChildrenChanged || len(r[Recursive]) == 0 {
		return
	}
	for path := e.Path; ; {
		every(Recursive, path)
		parent, _, ok := zk.SplitPath(path)
		if path == "/" || !ok {
			return
		}
		path = parent
	}
}

// removed forgets the watches of one type at a path, and tells their owners, with the state of the connection. any says that there
// were some.
func (r *registry) removed(out *Effects, path string, which zk.WatcherType, s zk.State) (any bool) {
	for k := range kinds {
		if which != zk.WatcherAny && which != k.Type() {
			continue
		}
		for _, w := range r[k][path] {
			e := zk.Event{Type: k.removedEvent(), State: s, Path: path, Zxid: -1}
			out.Fired = append(out.Fired, Fired{Watch: w, Event: e, Last: true})
			any = true
		}
		delete(r[k], path)
	}
	return any
}

// Unwatch forgets the watches of one type at a path without a server, and tells their owners. A server that has them goes on to send
// their events, which then concern nobody. any says that there were some.
func (c *Core) Unwatch(path string, which zk.WatcherType) (any bool) {
	s := zk.StateDisconnected
	if c.state == Connected || c.state == ConnectedReadOnly {
		s = zk.StateSyncConnected
	}
	return c.watches.removed(&c.effects, path, which, s)
}

// ended forgets all watches, and tells their owners of the session's end.
func (r *registry) ended(out *Effects, s zk.State) {
	for k := range kinds {
		for _, path := range r.paths(k) {
			for _, w := range r[k][path] {
				e := zk.Event{Type: zk.EventNone, State: s, Path: path, Zxid: -1}
				out.Fired = append(out.Fired, Fired{Watch: w, Event: e, Last: true})
			}
		}
		r[k] = nil
	}
}

// paths are those of one kind, in order.
func (r *registry) paths(k Kind) []string { return slices.Sorted(maps.Keys(r[k])) }

// Forget drops one registration; its owner is not told. last says that the server keeps a watch that nobody waits for any more, and
// may be asked to remove it: no other registration, and no call under way, is for the same kind and path.
func (c *Core) Forget(w *Watch) (last bool) {
	of := c.watches[w.Kind][w.Path]
	i := slices.Index(of, w)
	if i < 0 {
		return false
	}
	if of = slices.Delete(of, i, i+1); len(of) > 0 {
		c.watches[w.Kind][w.Path] = of
		return false
	}
	delete(c.watches[w.Kind], w.Path)
	asks := func(k *Call) bool {
		op, ok := k.Op.(*wire.AddWatch)
		return ok && k.fate != done && k.Watch != nil && k.Watch.Kind == w.Kind && op.Path == w.Path
	}
	return !slices.ContainsFunc(c.calls.calls[c.calls.head:], asks) && !slices.ContainsFunc(c.held, asks)
}

// maxRearm is how many bytes of paths go into one setWatches: with all of them in one frame, a client of many watches would pass the
// server's limit and could never come back (ZOOKEEPER-706). Apache's client cuts at the same length.
const maxRearm = 128 << 10

// rearm sets all watches again (section 5.6): events for what has changed since the last zxid seen come before the replies.
func (c *Core) rearm() {
	var s wire.SetWatches
	size, filled := 0, false
	begin := func() {
		s = wire.SetWatches{RelativeZxid: c.lastZxid, Data: []string{}, Exist: []string{}, Child: []string{}, Persistent: []string{}, Recursive: []string{}}
		size, filled = 0, false
	}
	flush := func() {
		if !filled {
			return
		}
		if len(s.Persistent)+len(s.Recursive) > 0 { // servers before 3.6 do not know the other
			s.Type = wire.OpSetWatches2
		}
		c.out = wire.AppendRequestFrame(c.out, wire.XidSetWatches, &s)
		c.rearming++
	}
	begin()
	for k := range kinds {
		list := [kinds]*[]string{&s.Data, &s.Exist, &s.Child, &s.Persistent, &s.Recursive}[k]
		for _, path := range c.watches.paths(k) {
			if filled && size+4+len(path) > maxRearm-64 { // 64 for the frame, the header and the counts
				flush()
				begin()
			}
			*list = append(*list, path)
			size, filled = size+4+len(path), true
			if !k.oneShot() {
				c.resumed = append(c.resumed, c.watches[k][path]...)
			}
		}
	}
	flush()
}

// rearmed takes the reply to a setWatches. When all have come, the persistent watches are told that they may have missed something:
// servers do not catch up for these.
func (c *Core) rearmed(h wire.ReplyHeader) error {
	if c.rearming == 0 {
		return fmt.Errorf("a reply to setWatches, but none was sent")
	}
	if h.Err != zk.OK {
		return fmt.Errorf("the watches could not be set again: %w", h.Err)
	}
	if c.rearming--; c.rearming > 0 {
		return nil
	}
	for _, w := range c.resumed {
		if slices.Contains(c.watches[w.Kind][w.Path], w) {
			e := zk.Event{Type: zk.EventNone, State: zk.StateSyncConnected, Path: w.Path, Zxid: -1}
			c.effects.Fired = append(c.effects.Fired, Fired{Watch: w, Event: e, Gap: true})
		}
	}
	c.resumed = nil
	return nil
}
