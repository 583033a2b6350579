package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Semaphore is held by so many at once, and served in the order in which they came. All handles must have the same size.
//
// In the tree, as Curator's InterProcessSemaphoreV2 has it: path/locks is a Lock, whose holder alone looks for a free lease, so that
// a release wakes one; path/leases has an ephemeral znode for each lease. With the Layout of kazoo's Semaphore the lock is beside path,
// with "-__lock__" at the end of its name, and the leases are path's children.
type Semaphore struct {
	// Layout is where lock and leases are; Data is what a lease's znode carries. Set them before the first use.
	Layout Layout
	Data   []byte

	c    *client.Client
	path string
	size int
}

// NewSemaphore is a handle of the semaphore at path, for size holders. Each Acquire is a lease of its own.
func NewSemaphore(c *client.Client, path string, size int) *Semaphore {
	return &Semaphore{c: c, path: path, size: size}
}

// Acquire waits for a lease. For errors see Lock.Acquire. Tokens rise with each lease given.
func (s *Semaphore) Acquire(ctx context.Context) (*Hold, error) {
	h, err := s.lock().Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer h.Release(ctx)
	return s.lease(ctx, true)
}

// TryAcquire takes a lease if one is free and nobody else is about to take it, and gives ErrBusy if not.
func (s *Semaphore) TryAcquire(ctx context.Context) (*Hold, error) {
	h, err := s.lock().TryAcquire(ctx)
	if err != nil {
		return nil, err
	}
	defer h.Release(ctx)
	return s.lease(ctx, false)
}

// lock is who may look for a lease.
func (s *Semaphore) lock() *Lock {
	if s.Layout == Kazoo {
		l := NewLock(s.c, s.path+"-__lock__")
		l.Layout = Kazoo
		return l
	}
	return NewLock(s.c, zk.JoinPath(s.path, "locks"))
}

// lease takes a lease under the lock. Whatever is in the folder counts as one, as it does for Curator and kazoo, whose leases have
// no number.
func (s *Semaphore) lease(ctx context.Context, wait bool) (*Hold, error) {
	folder, make := zk.JoinPath(s.path, "leases"), Curator.folder
	if s.Layout == Kazoo {
		folder, make = s.path, s.kazooFolder
	}
	p, err := joinIn(ctx, s.c, folder, make, func(guid string) string { return "_c_" + guid + "-lease-" }, s.Data)
	if err != nil {
		return nil, err
	}
	for {
		names, changed, err := watchChildren(ctx, s.c, folder)
		if err == nil {
			if !slices.ContainsFunc(names, func(name string) bool { return p.path == zk.JoinPath(folder, name) }) {
				return nil, fmt.Errorf("%w: somebody has deleted %s", ErrLost, p.path)
			}
			if len(names) <= s.size {
				return p.hold(), nil
			}
			if !wait {
				err = ErrBusy
			}
		}
		if err != nil {
			go p.sweep()
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			go p.sweep()
			return nil, context.Cause(ctx)
		}
	}
}

// kazooFolder makes the folder of the leases as kazoo does, which reads in it how many there may be.
func (s *Semaphore) kazooFolder(ctx context.Context, c *client.Client, path string) error {
	if parent, _, ok := zk.SplitPath(path); ok {
		if err := MakeFolder(ctx, c, parent, zk.Persistent); err != nil {
			return err
		}
	}
	err := Insist(ctx, func() error {
		_, _, err := c.Create(ctx, path, strconv.AppendInt(nil, int64(s.size), 10), zk.Persistent)
		return err
	})
	if errors.Is(err, zk.NodeExists) {
		return nil
	}
	return err
}

// MultiLock holds several locks as one: all or none. It takes them in the order of their paths, so that two of them that share some
// locks do not wait for each other.
type MultiLock struct{ locks []*Lock }

// NewMultiLock is a handle of the locks at the paths; a path given twice counts once.
func NewMultiLock(c *client.Client, paths ...string) *MultiLock {
	paths = slices.Clone(paths)
	slices.Sort(paths)
	m := &MultiLock{}
	for _, p := range slices.Compact(paths) {
		m.locks = append(m.locks, NewLock(c, p))
	}
	return m
}

// Acquire waits for all. The Hold's context ends when any is lost; its path is that of the first. Its token is the highest: it rises
// from holder to holder of the same locks, and says nothing to holders of some of them only.
// For errors see Lock.Acquire.
func (m *MultiLock) Acquire(ctx context.Context) (*Hold, error) {
	return m.acquire(ctx, (*Lock).Acquire)
}

// TryAcquire takes all if that is possible without waiting for somebody else, and gives ErrBusy if not.
func (m *MultiLock) TryAcquire(ctx context.Context) (*Hold, error) {
	return m.acquire(ctx, (*Lock).TryAcquire)
}

func (m *MultiLock) acquire(ctx context.Context, one func(*Lock, context.Context) (*Hold, error)) (*Hold, error) {
	all := &Hold{}
	all.ctx, all.cancel = context.WithCancelCause(context.Background())
	var held []*Hold
	all.free = func(ctx context.Context) (err error) {
		for _, h := range slices.Backward(held) {
			if e := h.Release(ctx); e != nil && err == nil {
				err = e
			}
		}
		return err
	}
	for _, l := range m.locks {
		h, err := one(l, ctx)
		if err != nil {
			all.cancel(ErrReleased)
			all.free(ctx)
			return nil, err
		}
		held = append(held, h)
		all.token = max(all.token, h.token)
		if all.path == "" {
			all.path = h.path
		}
	}
	for _, h := range held {
		context.AfterFunc(h.ctx, func() {
			if cause := context.Cause(h.ctx); all.ctx.Err() == nil {
				all.cancel(cause)
				all.free(context.Background()) // what is left of it is worth nothing
			}
		})
	}
	return all, nil
}
