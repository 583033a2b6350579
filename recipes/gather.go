package recipes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Gather is a queue of parties that is served in groups: as soon as enough have come, those that came first make a group, and each of
// them gets the same list. Nobody is in two groups, and in no group twice.
//
// In the tree: each party is an ephemeral znode below path; one transaction writes the list into the znodes of all that are in it.
type Gather struct {
	c    *client.Client
	path string
	size int
}

// NewGather is a handle of the queue at path for groups of size.
func NewGather(c *client.Client, path string, size int) *Gather { return &Gather{c, path, size} }

// Gathering is a group that has come together.
type Gathering struct {
	*Hold          // of this party: Release it when done
	Index int      // of this party in Parties
	Names []string // the znodes of the parties, in the order in which they came
	Data  [][]byte // what they brought
}

// gathered is what a znode says: what its party brought, and then the group.
type gathered struct {
	Data  []byte   `json:"data,omitempty"`
	Names []string `json:"names,omitempty"`
	All   [][]byte `json:"all,omitempty"`
}

// Join waits until this party is in a group. data is for the others. When ctx ends first, and the group has not come together at that
// moment, the party is in none.
func (g *Gather) Join(ctx context.Context, data []byte) (*Gathering, error) {
	mine, err := json.Marshal(gathered{Data: data})
	if err != nil {
		return nil, err
	}
	p, err := join(ctx, g.c, g.path, func(guid string) string { return "_c_" + guid + "-party-" }, mine)
	if err != nil {
		return nil, err
	}
	all, err := g.await(ctx, p)
	if err != nil {
		go p.sweep()
		return nil, err
	}
	r := &Gathering{Hold: p.hold(), Names: all.Names, Data: all.All}
	for i, name := range all.Names {
		if zk.JoinPath(g.path, name) == p.path {
			r.Index = i
		}
	}
	return r, nil
}

func (g *Gather) await(ctx context.Context, p *place) (all gathered, err error) {
	for {
		var data []byte
		var changed <-chan zk.Event
		err := Insist(ctx, func() (err error) { data, _, changed, err = g.c.GetW(ctx, p.path); return err })
		if errors.Is(err, zk.NoNode) {
			err = fmt.Errorf("%w: somebody has deleted %s", ErrLost, p.path)
		}
		if err != nil {
			return all, err
		}
		all = gathered{}
		if err := json.Unmarshal(data, &all); err != nil || len(all.Names) > 0 {
			return all, err
		}
		// A party that comes makes the group if it can. One that went may have left room for those behind it, so that the first in
		// line looks whenever the line changes.
		first, line, err := g.assemble(ctx, p)
		if err != nil {
			return all, err
		}
		if !first {
			line = nil
		}
		select {
		case <-changed:
		case <-line:
		case <-ctx.Done():
			return all, context.Cause(ctx)
		}
	}
}

// assemble makes a group of those who came first and are in none, if they are enough. first tells whether p is the first of them.
func (g *Gather) assemble(ctx context.Context, p *place) (first bool, line <-chan zk.Event, err error) {
	names, line, err := watchChildren(ctx, g.c, g.path)
	if err != nil {
		return false, nil, err
	}
	var all gathered
	for _, in := range lineUp(names) {
		path := zk.JoinPath(g.path, in.name)
		var data []byte
		var st zk.Stat
		err := Insist(ctx, func() (err error) { data, st, err = g.c.Get(ctx, path); return err })
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return false, nil, err
		}
		var party gathered
		if json.Unmarshal(data, &party) != nil || st.Version > 0 {
			continue
		}
		if len(all.Names) == 0 {
			first = path == p.path
		}
		all.Names, all.All = append(all.Names, in.name), append(all.All, party.Data)
		if len(all.Names) == g.size {
			break
		}
	}
	if len(all.Names) < g.size {
		return first, line, nil
	}
	said, err := json.Marshal(all)
	if err != nil {
		return false, nil, err
	}
	tx := g.c.Multi()
	for _, name := range all.Names {
		tx.Set(zk.JoinPath(g.path, name), said, 0) // version 0: in no group yet
	}
	switch err := tx.Commit(ctx); {
	case err == nil, errors.Is(err, zk.BadVersion), errors.Is(err, zk.NoNode), broken(err):
		// Ours, or somebody else's; or somebody has gone. Look again at once.
		now := make(chan zk.Event)
		close(now)
		return true, now, nil
	default:
		return false, nil, err
	}
}
