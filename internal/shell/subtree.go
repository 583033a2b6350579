package shell

import (
	"context"
	"errors"
	"slices"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// node is a znode that walk found.
type node struct {
	path  string
	depth int // below where the walk began
	stat  zk.Stat
}

// walk gives a subtree: its root first, then level by level, names sorted. A level is asked in one batch, so a walk takes as many
// round trips as the tree is deep. What vanishes meanwhile is left out; that the root is missing is an error.
func walk(ctx context.Context, c *client.Client, root string) ([]node, error) {
	return walkReadable(ctx, c, root, nil)
}

// walkReadable is walk, but below the root it goes around what may not be read, if closed is given: it is called with each of these.
// They are in the result, with what their parent knows of them: the path.
func walkReadable(ctx context.Context, c *client.Client, root string, closed func(path string)) ([]node, error) {
	level := []node{{path: root}}
	var all []node
	for len(level) > 0 {
		var next []node
		for part := range slices.Chunk(level, 1000) {
			b := c.Batch()
			var rs []*client.ChildrenResult
			for _, n := range part {
				rs = append(rs, b.Children(n.path))
			}
			b.Flush(ctx) // each result has its error
			for i, r := range rs {
				n := part[i]
				switch {
				case r.Err == nil:
				case n.depth > 0 && errors.Is(r.Err, zk.NoNode):
					continue
				case n.depth > 0 && errors.Is(r.Err, zk.NoAuth) && closed != nil:
					closed(n.path)
				default:
					return nil, r.Err
				}
				n.stat = r.Stat
				all = append(all, n)
				slices.Sort(r.Children)
				for _, name := range r.Children {
					next = append(next, node{path: zk.JoinPath(n.path, name), depth: n.depth + 1})
				}
			}
		}
		level = next
	}
	return all, nil
}

// depthFirst puts what walk gave into the order of a drawing: each znode before what is below it, siblings by name.
func depthFirst(all []node) []node {
	below := map[string][]node{}
	for _, n := range all[1:] {
		parent, _, _ := zk.SplitPath(n.path)
		below[parent] = append(below[parent], n)
	}
	ordered := make([]node, 0, len(all))
	var visit func(n node)
	visit = func(n node) {
		ordered = append(ordered, n)
		for _, m := range below[n.path] {
			visit(m)
		}
	}
	visit(all[0])
	return ordered
}
