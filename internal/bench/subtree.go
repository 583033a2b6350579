package bench

import (
	"context"
	"fmt"

	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/internal/wire"
	"github.com/zooid-io/zooid/zk"
)

// Filling and removing use these, whatever the work uses.
const (
	fillConns    = 16
	fillInFlight = 64
)

// clear removes the subtree and makes its few fixed znodes anew.
func (in *instance) clear(ctx context.Context) error {
	if err := in.remove(ctx); err != nil {
		return err
	}
	s, err := dial(ctx, in.addrs[0], 4096)
	if err != nil {
		return err
	}
	defer s.end()
	in.filled = 0
	for _, path := range []string{Root, dataRoot, churnRoot, watchRoot} {
		if err := s.create(path, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// fill creates keys 0 to n-1 with stamp 0. The crew it returns has measured the keys, not their parents; begin and done, if
// not nil, are called right before and after.
func (in *instance) fill(ctx context.Context, n int, value []byte, begin func(*crew), done func()) (c *crew, err error) {
	ss, err := openSessions(ctx, in.addrs, fillConns, 32<<10)
	if err != nil {
		return nil, err
	}
	defer func() { closeSessions(ss) }()
	inFlight := max(1, min(fillInFlight, maxWindowBytes/(len(value)+256)))
	share := func(total, i int) (from, to uint64) {
		return uint64(total) * uint64(i) / fillConns, uint64(total) * uint64(i+1) / fillConns
	}
	step := func(total int, sh shape, begin func(*crew), done func()) (*crew, error) {
		c := newCrew(ss, inFlight, func(i int) (source, uint64) {
			from, to := share(total, i)
			return &fillSource{sh, from}, to - from
		})
		if begin != nil {
			begin(c)
		}
		if err := c.finish(ctx); err != nil {
			return nil, err
		}
		if done != nil {
			done()
		}
		return c, firstCode(c.m.codes)
	}
	if _, err := step((n+bucketSize-1)/bucketSize, createBucketShape(), nil, nil); err != nil {
		return nil, fmt.Errorf("create parents: %w", err)
	}
	if c, err = step(n, createShape(value), begin, done); err != nil {
		return nil, fmt.Errorf("create znodes: %w", err)
	}
	in.filled = n
	return c, in.checkFilled(ctx, n, value)
}

// checkFilled reads some keys, among them the first and the last, and the number of children of the last parent.
func (in *instance) checkFilled(ctx context.Context, n int, value []byte) error {
	s, err := dial(ctx, in.addrs[0], 4096)
	if err != nil {
		return err
	}
	defer s.end()
	if _, err := s.call(&wire.Sync{Path: Root}); err != nil {
		return at("sync", Root, err)
	}
	keys := []uint64{0, uint64(n - 1)}
	for i := range uint64(32) {
		keys = append(keys, pick(i, uint64(n)))
	}
	for _, k := range keys {
		r, err := s.get(keyPath(dataRoot, k))
		if err != nil {
			return err
		}
		if err := checkValue(r.Data, value, k); err != nil {
			return err
		}
	}
	st, err := s.stat(dataRoot)
	if want := (n + bucketSize - 1) / bucketSize; err == nil && int(st.NumChildren) != want {
		return fmt.Errorf("%s has %d children where %d were created", dataRoot, st.NumChildren, want)
	}
	return err
}

// stat asks for a znode's Stat.
func (s *session) stat(path string) (zk.Stat, error) {
	body, err := s.call(&wire.Exists{Path: path})
	if err != nil {
		return zk.Stat{}, at("exists", path, err)
	}
	var r wire.StatReply
	d := jute.NewDecoder(body)
	r.Decode(d)
	return r.Stat, at("exists", path, d.Err())
}

// remove deletes the subtree, deepest znodes first, as far as there is one.
func (in *instance) remove(ctx context.Context) error {
	s, err := dial(ctx, in.addrs[0], 64<<10)
	if err != nil {
		return err
	}
	ss := []*session{s}
	defer closeSessions(ss)
	levels := [][]string{{Root}}
	if _, err := s.stat(Root); err != nil {
		if zk.CodeOf(err) == zk.NoNode {
			return nil
		}
		return err
	}
	// The tree is four levels deep, and only znodes of the third can have many siblings: level by level is cheap enough.
	for len(levels[len(levels)-1]) > 0 && len(levels) < 4 {
		var next []string
		for _, p := range levels[len(levels)-1] {
			names, err := s.children(p)
			if err != nil {
				return err
			}
			for _, n := range names {
				next = append(next, zk.JoinPath(p, n))
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		levels = append(levels, next)
	}
	for i := len(levels) - 1; i >= 0; i-- {
		paths := levels[i]
		if len(paths) == 0 {
			continue
		}
		c := newCrew(ss, 256, func(int) (source, uint64) { return &deleteSource{paths}, uint64(len(paths)) })
		if err := c.finish(ctx); err != nil {
			return err
		}
		delete(c.m.codes, zk.NoNode) // it is gone, whoever did it
		if err := firstCode(c.m.codes); err != nil {
			return fmt.Errorf("delete below %s: %w", Root, err)
		}
	}
	return nil
}

// firstCode makes an error of the errors that replies carried.
func firstCode(codes map[zk.Code]int64) error {
	for c, n := range codes {
		return fmt.Errorf("%s replies with %w", thousands(n), c)
	}
	return nil
}
