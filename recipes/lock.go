package recipes

import (
	"context"
	"sync"

	"github.com/zooid-io/zooid/client"
)

// Lock is a lock that at most one handle holds, in whatever process. Contenders are served in the order in which they came; a release
// wakes one of them, and not all.
//
//	l := recipes.NewLock(c, "/locks/invoice")
//	h, err := l.Acquire(ctx)
//	if err != nil { ... }
//	defer h.Release(ctx)
//	work(h.Context(), h.Token())
//
// It is re-entrant by handle: a handle that holds the lock gets it again at once, and has released it when it was released as often.
// So two goroutines that should exclude each other take two handles.
//
// In the tree: path is a container, each contender an ephemeral sequential znode below it. See Layout.
type Lock struct {
	// Layout names the znode; Data is what it carries, for people who look who holds the lock. Set them before the first use.
	Layout Layout
	Data   []byte

	c    *client.Client
	path string
	kind kind
	rule rule

	turn chan struct{} // capacity 1: held by who acquires

	mu    sync.Mutex
	held  *Hold // the last one, which may be over
	count int   // of its releases to come
}

// NewLock is a handle of the lock at path.
func NewLock(c *client.Client, path string) *Lock { return newLock(c, path, exclusive, alone) }

func newLock(c *client.Client, path string, k kind, r rule) *Lock {
	return &Lock{c: c, path: path, kind: k, rule: r, turn: make(chan struct{}, 1)}
}

// Acquire waits for the lock. When ctx ends first nobody has to wait for this contender: its znode goes. Errors: ErrLost, when it was
// deleted while it waited; those of ctx; zk.SessionExpired, zk.NoAuth and their kin.
func (l *Lock) Acquire(ctx context.Context) (*Hold, error) {
	return l.acquire(ctx, func(p *place) error { return p.wait(ctx, l.rule) })
}

// TryAcquire takes the lock if that is possible without waiting for somebody else, and gives ErrBusy if not.
func (l *Lock) TryAcquire(ctx context.Context) (*Hold, error) {
	return l.acquire(ctx, func(p *place) error {
		path, err := p.look(ctx, l.rule)
		if err == nil && path != "" {
			err = ErrBusy
		}
		return err
	})
}

func (l *Lock) acquire(ctx context.Context, wait func(*place) error) (*Hold, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	if h := l.again(); h != nil {
		return h, nil
	}
	p, err := joinIn(ctx, l.c, l.path, l.Layout.folder, func(guid string) string { return l.Layout.name(guid, l.kind) }, l.Data)
	if err != nil {
		return nil, err
	}
	if err := wait(p); err != nil {
		if ctx.Err() != nil {
			go p.sweep()
		} else if err := p.leave(ctx); err != nil {
			return nil, err
		}
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.count = p.hold(), 1
	return l.share(), nil
}

// again is one more share of what the handle holds, nil if it holds nothing.
func (l *Lock) again() *Hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 || l.held.ctx.Err() != nil {
		return nil
	}
	l.count++
	return l.share()
}

// share is one of the holds that are released one by one; the caller holds mu.
func (l *Lock) share() *Hold {
	whole := l.held
	h := &Hold{token: whole.token, path: whole.path}
	h.ctx, h.cancel = context.WithCancelCause(whole.ctx)
	h.free = func(ctx context.Context) error {
		l.mu.Lock()
		if l.held != whole {
			l.mu.Unlock()
			return context.Cause(whole.ctx)
		}
		l.count--
		last := l.count == 0
		l.mu.Unlock()
		if last {
			return whole.Release(ctx)
		}
		return nil
	}
	return h
}

// SharedLock is a lock that is held by one writer or by any number of readers. It is fair: who came first goes first, and a reader
// behind a waiting writer waits too. Curator's InterProcessReadWriteLock and, with its Layout, kazoo's ReadLock and WriteLock may
// stand in the same line; so may a Lock, which counts as a writer for all but Curator's, which does not see it.
type SharedLock struct {
	Layout Layout
	Data   []byte

	c    *client.Client
	path string
}

// NewSharedLock is a handle of the lock at path. Each call acquires for itself: a handle is not re-entrant.
func NewSharedLock(c *client.Client, path string) *SharedLock { return &SharedLock{c: c, path: path} }

func (s *SharedLock) reader() *Lock { return s.lock(shared, together) }
func (s *SharedLock) writer() *Lock { return s.lock(writing, alone) }

func (s *SharedLock) lock(k kind, r rule) *Lock {
	l := newLock(s.c, s.path, k, r)
	l.Layout, l.Data = s.Layout, s.Data
	return l
}

// Read waits for a share. For errors see Lock.Acquire.
func (s *SharedLock) Read(ctx context.Context) (*Hold, error) { return s.reader().Acquire(ctx) }

// Write waits for the whole.
func (s *SharedLock) Write(ctx context.Context) (*Hold, error) { return s.writer().Acquire(ctx) }

// TryRead is Read without waiting for somebody else: ErrBusy.
func (s *SharedLock) TryRead(ctx context.Context) (*Hold, error) { return s.reader().TryAcquire(ctx) }

// TryWrite is Write without waiting for somebody else: ErrBusy.
func (s *SharedLock) TryWrite(ctx context.Context) (*Hold, error) { return s.writer().TryAcquire(ctx) }
