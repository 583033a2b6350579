package recipes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Node is a znode as a Cache knows it.
type Node struct {
	Path string
	Data []byte // not to be changed
	Stat zk.Stat
}

// Change is what a Cache has come to know. Before is nil for a znode that is new, After for one that is gone.
type Change struct{ Before, After *Node }

// Cache is a copy of a znode and all that is below it, kept up to date by one persistent recursive watch, whatever the tree's size.
// Servers since 3.6.
//
// It follows the servers: each znode is as it was at some moment, never older than before, and as it is now soon after. Several
// changes in short time may be seen as one. While there is no connection it stays as it is, and then catches up.
// After the session's end it changes no more: see Done. Of a Stat, what tells of children (CVersion, Pzxid, NumChildren) may be of an
// earlier moment than the rest: the watch says when a child comes or goes, and not that its parent's Stat has changed.
type Cache struct {
	c     *client.Client
	root  string
	watch *client.Watch
	stop  context.CancelFunc
	done  chan struct{}
	heed  func(Change)

	mu      sync.RWMutex
	nodes   map[string]*Node
	changed chan struct{} // closed at the next change
	err     error
}

// NewCache begins to follow the tree at root, and returns when it has read it. root need not exist. heed, if not nil, is told of every
// change, one after the other, from the first reading on; it should not take long. It is called from the cache's goroutine.
func NewCache(ctx context.Context, c *client.Client, root string, heed func(Change)) (*Cache, error) {
	k := &Cache{c: c, root: root, heed: heed, done: make(chan struct{}), nodes: map[string]*Node{}, changed: make(chan struct{})}
	err := Insist(ctx, func() (err error) { k.watch, err = c.AddWatch(ctx, root, zk.WatchPersistentRecursive); return err })
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	k.stop = stop
	if err := k.reload(ctx); err != nil {
		stop()
		close(k.done)
		_ = k.watch.Close(ctx)
		return nil, err
	}
	go k.follow(life)
	return k, nil
}

// Close ends it. What it holds stays readable.
func (k *Cache) Close() {
	k.stop()
	<-k.done
}

// Done is closed when the cache changes no more: after Close, or with the session. Err says which.
func (k *Cache) Done() <-chan struct{} { return k.done }

// Err is why the cache changes no more, nil while it does and after Close.
func (k *Cache) Err() error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.err
}

// follow is the cache's goroutine.
func (k *Cache) follow(ctx context.Context) {
	defer close(k.done)
	for {
		n, err := k.watch.Next(ctx)
		if err == nil {
			err = k.take(ctx, n)
		}
		if ctx.Err() != nil {
			closing, cancel := context.WithTimeout(context.Background(), lastPause)
			_ = k.watch.Close(closing)
			cancel()
			return
		}
		if err != nil {
			k.mu.Lock()
			k.err = err
			close(k.changed)
			k.changed = make(chan struct{})
			k.mu.Unlock()
			return
		}
	}
}

// take reads what a notice and those behind it are about; each path once.
func (k *Cache) take(ctx context.Context, n client.Notice) error {
	paths := map[string]bool{}
	for {
		if n.Missed != client.MissedNothing {
			return k.reload(ctx)
		}
		paths[n.Path] = true
		select {
		case next, ok := <-k.watch.C():
			if ok {
				n = next
				continue
			}
		default:
		}
		break
	}
	_, err := k.read(ctx, slices.Sorted(maps.Keys(paths)))
	return err
}

// atOnce is how many reads are sent without waiting for their answers.
const atOnce = 256

// ask reads something of each of some paths, in one batch, until its connection holds. read adds a read to it, and tells where its error will
// be; a znode that is skipped fails none of the others.
func ask[R any](ctx context.Context, c *client.Client, paths []string, read func(b *client.Batch, path string) (R, *error)) (results []R, err error) {
	err = Insist(ctx, func() error {
		b := c.Batch()
		errs := make([]*error, len(paths))
		results = make([]R, len(paths))
		for i, p := range paths {
			results[i], errs[i] = read(b, p)
		}
		_ = b.Flush(ctx) // each result has its own error
		for _, err := range errs {
			if *err != nil && !skipped(*err) {
				return *err
			}
		}
		return nil
	})
	return results, err
}

// read brings paths up to date, and tells which of them have children.
func (k *Cache) read(ctx context.Context, paths []string) (parents []string, err error) {
	for group := range slices.Chunk(paths, atOnce) {
		results, err := ask(ctx, k.c, group, func(b *client.Batch, path string) (*client.GetResult, *error) {
			r := b.Get(path)
			return r, &r.Err
		})
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			if r.Err != nil {
				k.set(group[i], nil)
				continue
			}
			k.set(group[i], &Node{group[i], r.Data, r.Stat})
			if r.Stat.NumChildren > 0 {
				parents = append(parents, group[i])
			}
		}
	}
	return parents, nil
}

// list gives the children of paths. A znode that is gone has none.
func (k *Cache) list(ctx context.Context, paths []string) (children []string, err error) {
	for group := range slices.Chunk(paths, atOnce) {
		results, err := ask(ctx, k.c, group, func(b *client.Batch, path string) (*client.ChildrenResult, *error) {
			r := b.Children(path)
			return r, &r.Err
		})
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			for _, name := range r.Children {
				children = append(children, zk.JoinPath(group[i], name))
			}
		}
	}
	return children, nil
}

// skipped tells that a znode is not in the cache: it is not there, or may not be read.
func skipped(err error) bool { return errors.Is(err, zk.NoNode) || errors.Is(err, zk.NoAuth) }

// reload reads everything, level by level. What is no longer there goes. A znode that had no children when it was read is not asked for
// them: the watch, which was set before, tells of those that come.
func (k *Cache) reload(ctx context.Context) error {
	there := map[string]bool{}
	for level := []string{k.root}; len(level) > 0; {
		parents, err := k.read(ctx, level)
		if err != nil {
			return err
		}
		for _, p := range level {
			there[p] = true
		}
		if level, err = k.list(ctx, parents); err != nil {
			return err
		}
	}
	k.mu.RLock()
	var gone []string
	for p := range k.nodes {
		if !there[p] {
			gone = append(gone, p)
		}
	}
	k.mu.RUnlock()
	_, err := k.read(ctx, gone)
	return err
}

// set replaces a znode, nil for none.
func (k *Cache) set(path string, n *Node) {
	k.mu.Lock()
	old := k.nodes[path]
	if old == nil && n == nil || old != nil && n != nil && old.Stat == n.Stat {
		k.mu.Unlock()
		return
	}
	if n == nil {
		delete(k.nodes, path)
	} else {
		k.nodes[path] = n
	}
	k.mu.Unlock()
	if k.heed != nil {
		k.heed(Change{old, n})
	}
	k.mu.Lock() // who waits for Changed finds that heed knows
	defer k.mu.Unlock()
	close(k.changed)
	k.changed = make(chan struct{})
}

// Get gives a znode, nil if there is none.
func (k *Cache) Get(path string) *Node {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.nodes[path]
}

// Below lists the children of path that are known, sorted by name.
func (k *Cache) Below(path string) (list []*Node) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for p, n := range k.nodes {
		if parent, _, ok := zk.SplitPath(p); ok && parent == path && p != "/" {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b *Node) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// All lists all znodes, sorted by path.
func (k *Cache) All() []*Node {
	k.mu.RLock()
	defer k.mu.RUnlock()
	list := slices.Collect(maps.Values(k.nodes))
	slices.SortFunc(list, func(a, b *Node) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// Changed gives a channel that is closed when the cache changes after this call, or ends. Take it before reading, and nothing is
// missed:
//
//	for {
//		changed := cache.Changed()
//		use(cache.All())
//		<-changed
//	}
func (k *Cache) Changed() <-chan struct{} {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.changed
}
