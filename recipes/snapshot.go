package recipes

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// ReadTogether reads znodes as they are at one moment: no write comes between them. One that is not there, or may not be read, is
// missing in the answer. Servers since 3.6.
func ReadTogether(ctx context.Context, c *client.Client, paths ...string) (map[string]*Node, error) {
	results := make([]*client.GetResult, len(paths))
	err := Insist(ctx, func() error {
		r := c.MultiRead()
		for i, p := range paths {
			results[i] = r.Get(p)
		}
		return r.Read(ctx)
	})
	if err != nil {
		return nil, err
	}
	all := map[string]*Node{}
	for i, r := range results {
		switch {
		case r.Err == nil:
			all[paths[i]] = &Node{paths[i], r.Data, r.Stat}
		case !skipped(r.Err):
			return nil, r.Err
		}
	}
	return all, nil
}

// treeTries is how often ReadTree reads a tree that grows and shrinks under its eyes.
const treeTries = 100

// ReadTree reads a znode and all below it as they are at one moment. It reads until the list of znodes stayed the same, for only then
// it knows what to read together: not for trees that always change, nor for those that are more than one answer should hold. A znode
// that may not be read is left out, with what is below it.
func ReadTree(ctx context.Context, c *client.Client, root string) (map[string]*Node, error) {
	paths := []string{root}
	for range treeTries {
		gets, lists := make([]*client.GetResult, len(paths)), make([]*client.ChildrenResult, len(paths))
		err := Insist(ctx, func() error {
			r := c.MultiRead()
			for i, p := range paths {
				gets[i], lists[i] = r.Get(p), r.Children(p)
			}
			return r.Read(ctx)
		})
		if err != nil {
			return nil, err
		}
		all := map[string]*Node{}
		next := map[string]bool{root: true}
		for i, p := range paths {
			if gets[i].Err != nil || lists[i].Err != nil {
				for _, err := range []error{gets[i].Err, lists[i].Err} {
					if err != nil && !skipped(err) {
						return nil, err
					}
				}
				continue
			}
			all[p] = &Node{p, gets[i].Data, gets[i].Stat}
			for _, name := range lists[i].Children {
				next[zk.JoinPath(p, name)] = true
			}
		}
		if want := slices.Sorted(maps.Keys(next)); !slices.Equal(want, paths) {
			paths = want
			continue
		}
		return all, nil
	}
	return nil, fmt.Errorf("the tree at %s changed %d times while it was read", root, treeTries)
}
