package recipes

import (
	"context"
	"errors"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Barrier holds everybody up until it is lifted. In the tree it is a znode: while it is there, the barrier is down. Curator's
// DistributedBarrier and kazoo's Barrier are the same.
type Barrier struct {
	c    *client.Client
	path string
}

// NewBarrier is a handle of the barrier at path.
func NewBarrier(c *client.Client, path string) *Barrier { return &Barrier{c, path} }

// Lower puts the barrier down. It stays down until somebody lifts it, whatever becomes of this session.
func (b *Barrier) Lower(ctx context.Context) error {
	return MakeFolder(ctx, b.c, b.path, zk.Persistent)
}

// Lift lets everybody through.
func (b *Barrier) Lift(ctx context.Context) error { return removeThis(ctx, b.c, b.path) }

// Wait returns when the barrier is not down.
func (b *Barrier) Wait(ctx context.Context) error {
	for {
		var changed <-chan zk.Event
		err := Insist(ctx, func() (err error) { _, _, changed, err = b.c.GetW(ctx, b.path); return err })
		if errors.Is(err, zk.NoNode) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// DoubleBarrier lets a number of parties begin together and end together, again and again.
//
// In the tree: each party is an ephemeral znode below path, and path's own data says "begun" while a round is under way. The parties
// of a round are those that came before it began: whoever comes later waits for the next one. A party whose session ends is
// taken for one that has left, before the beginning as after it; so nothing that a dead party leaves behind keeps others.
type DoubleBarrier struct {
	c    *client.Client
	path string
	size int
}

// NewDoubleBarrier is a handle of the barrier at path for size parties.
func NewDoubleBarrier(c *client.Client, path string, size int) *DoubleBarrier {
	return &DoubleBarrier{c: c, path: path, size: size}
}

// begun is the data of a barrier's folder during a round.
const begun = "begun"

// Round is one party's part in a round.
type Round struct {
	b     *DoubleBarrier
	place *place
	began zk.Zxid
	*Hold
}

// Enter waits until enough parties have come. The Round's Context ends when this party's session is lost.
func (b *DoubleBarrier) Enter(ctx context.Context) (*Round, error) {
	if err := MakeFolder(ctx, b.c, b.path, zk.Persistent); err != nil {
		return nil, err
	}
	p, err := join(ctx, b.c, b.path, func(guid string) string { return "_c_" + guid + "-party-" }, nil)
	if err != nil {
		return nil, err
	}
	began, err := b.await(ctx, p)
	if err != nil {
		go p.sweep()
		return nil, err
	}
	return &Round{b, p, began, p.hold()}, nil
}

// await waits for the beginning of a round that p is a party of.
func (b *DoubleBarrier) await(ctx context.Context, p *place) (zk.Zxid, error) {
	for {
		var data []byte
		var st zk.Stat
		var changed, left <-chan zk.Event
		err := Insist(ctx, func() (err error) { data, st, changed, err = b.c.GetW(ctx, b.path); return err })
		if err != nil {
			return 0, err
		}
		var parties []*place
		if string(data) == begun && st.Mzxid > p.stat.Czxid {
			return st.Mzxid, nil
		} else if string(data) == begun { // an earlier round: it ends when all of its parties have gone
			if parties, left, err = b.parties(ctx, st.Mzxid, true); err == nil && len(parties) == 0 {
				err = b.mark(ctx, "", st.Version)
			}
		} else if parties, _, err = b.parties(ctx, 1<<62, false); err == nil && len(parties) >= b.size {
			err = b.mark(ctx, begun, st.Version)
		}
		if err != nil {
			return 0, err
		}
		select {
		case <-changed:
		case <-left:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// mark sets the folder's data unless somebody has changed it since.
func (b *DoubleBarrier) mark(ctx context.Context, data string, version int32) error {
	err := Insist(ctx, func() error { _, err := b.c.Set(ctx, b.path, []byte(data), version); return err })
	if errors.Is(err, zk.BadVersion) {
		return nil
	}
	return err
}

// parties are those that came before a txn. With watch, changed tells when the first of them goes.
func (b *DoubleBarrier) parties(ctx context.Context, than zk.Zxid, watch bool) (all []*place, changed <-chan zk.Event, err error) {
	var names []string
	err = Insist(ctx, func() (err error) { names, _, err = b.c.Children(ctx, b.path); return err })
	if err != nil {
		return nil, nil, err
	}
	for _, in := range lineUp(names) {
		p := &place{c: b.c, folder: b.path, path: zk.JoinPath(b.path, in.name)}
		err := Insist(ctx, func() (err error) {
			if watch && changed == nil {
				_, p.stat, changed, err = b.c.GetW(ctx, p.path)
			} else {
				_, p.stat, err = b.c.Get(ctx, p.path)
			}
			return err
		})
		if errors.Is(err, zk.NoNode) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if p.stat.Czxid < than {
			all = append(all, p)
		}
	}
	return all, changed, nil
}

// Leave says that this party has done its part, and waits until all parties of the round have.
func (r *Round) Leave(ctx context.Context) error {
	if err := r.Release(ctx); err != nil {
		return err
	}
	b := r.b
	for {
		var data []byte
		var st zk.Stat
		err := Insist(ctx, func() (err error) { data, st, err = b.c.Get(ctx, b.path); return err })
		if err != nil {
			return err
		}
		if string(data) != begun || st.Mzxid != r.began {
			return nil
		}
		parties, left, err := b.parties(ctx, r.began, true)
		if err != nil {
			return err
		}
		if len(parties) == 0 {
			return b.mark(ctx, "", st.Version)
		}
		select {
		case <-left:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
