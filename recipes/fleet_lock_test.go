package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/recipes"
	"github.com/zooid-io/zooid/zk"
)

// holders see who holds something at each moment, by what the tree says.
type holders struct {
	t    *testing.T
	name string
	most int
	// apart tells whether two may not hold it at the same time; nil is always.
	apart func(a, b string) bool

	mu     sync.Mutex
	inside map[*recipes.Hold]string // what it holds it as
	last   zk.Zxid
}

// exists tells whether a hold's znode is still there, and whether that could be found out.
func exists(ctx context.Context, c *client.Client, h *recipes.Hold) (there, sure bool) {
	ok, st, err := c.Exists(ctx, h.Path())
	return ok && st.Czxid == h.Token(), err == nil
}

// enter is called by who has acquired. Where others have not left, their znodes must be gone: they are about to hear of it.
func (k *holders) enter(h *recipes.Hold, c *client.Client, as string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inside == nil {
		k.inside = map[*recipes.Hold]string{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	alive := 1
	for o, was := range k.inside {
		if k.apart != nil && !k.apart(as, was) {
			continue
		}
		if c.Sync(ctx, o.Path()) != nil {
			continue
		}
		if there, sure := exists(ctx, c, o); there && sure {
			alive++
		}
	}
	back := k.most == 1 && k.apart == nil && h.Token() <= k.last
	if alive > k.most || back {
		if there, sure := exists(ctx, c, h); there && sure {
			k.t.Errorf("%s: %d hold it; token %v after %v", k.name, alive, h.Token(), k.last)
		}
	}
	k.inside[h] = as
	k.last = max(k.last, h.Token())
}

// leave is called before the release.
func (k *holders) leave(h *recipes.Hold) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.inside, h)
}

// keep holds something for a moment and releases it.
func (k *holders) keep(h *recipes.Hold, c *client.Client, as string) error {
	k.enter(h, c, as)
	pause(h.Context(), 3*time.Millisecond)
	k.leave(h)
	return h.Release(context.Background())
}

// empty waits until folders are empty.
func empty(t *testing.T, folders ...string) func(context.Context, *client.Client) {
	return func(_ context.Context, c *client.Client) {
		for _, f := range folders {
			eventuallyEmpty(t, c, f)
		}
	}
}

// Locks of all kinds, and both elections: with a deadline, without, and trying.
func lockDuties(t *testing.T) []*duty {
	lock := &holders{t: t, name: "lock", most: 1}
	share := &holders{t: t, name: "shared lock", most: 1, apart: func(a, b string) bool { return a == "write" || b == "write" }}
	lease := &holders{t: t, name: "semaphore", most: 2}
	multi := &holders{t: t, name: "multi-lock", most: 1, apart: func(_, _ string) bool { return true }}
	office := &holders{t: t, name: "election", most: 1}
	seat := &holders{t: t, name: "seat", most: 1}
	pick := func(ctx context.Context, acquire, try func(context.Context) (*recipes.Hold, error)) (*recipes.Hold, error) {
		switch rand.IntN(3) {
		case 0:
			return try(ctx)
		case 1:
			short, cancel := soon(ctx, 50*time.Millisecond)
			defer cancel()
			return acquire(short)
		}
		return acquire(ctx)
	}
	return []*duty{
		{name: "lock", hands: 3, work: func(ctx context.Context, _ int, c *client.Client) error {
			l := recipes.NewLock(c, "/lock")
			h, err := pick(ctx, l.Acquire, l.TryAcquire)
			if err != nil {
				return err
			}
			lock.enter(h, c, "")
			again, err := l.Acquire(ctx)
			switch {
			case err == nil && again.Token() == h.Token():
				err = again.Release(context.Background())
			case err == nil: // it was lost, and acquired anew
				lock.leave(h)
				return errors.Join(lock.keep(again, c, ""), h.Release(context.Background()))
			}
			lock.leave(h)
			return errors.Join(err, h.Release(context.Background()))
		}, check: empty(t, "/lock")},
		{name: "shared lock", hands: 4, work: func(ctx context.Context, hand int, c *client.Client) error {
			l := recipes.NewSharedLock(c, "/shared")
			as, acquire, try := "read", l.Read, l.TryRead
			if hand == 0 {
				as, acquire, try = "write", l.Write, l.TryWrite
			}
			h, err := pick(ctx, acquire, try)
			if err != nil {
				return err
			}
			return share.keep(h, c, as)
		}, check: empty(t, "/shared")},
		{name: "semaphore", hands: 3, work: func(ctx context.Context, _ int, c *client.Client) error {
			s := recipes.NewSemaphore(c, "/semaphore", 2)
			h, err := pick(ctx, s.Acquire, s.TryAcquire)
			if err != nil {
				return err
			}
			return lease.keep(h, c, "")
		}, check: empty(t, "/semaphore/locks", "/semaphore/leases")},
		{name: "multi-lock", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			all := []string{"/multi-a", "/multi-b", "/multi-c"}
			m := recipes.NewMultiLock(c, all[hand], all[(hand+1)%3]) // each two have one in common
			h, err := pick(ctx, m.Acquire, m.TryAcquire)
			if err != nil {
				return err
			}
			pause(h.Context(), time.Millisecond)
			return multi.keepAll(h, c)
		}, check: empty(t, "/multi-a", "/multi-b", "/multi-c")},
		{name: "election", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			e := recipes.NewElection(c, "/election", fmt.Append(nil, hand))
			if _, err := e.Candidates(ctx); err != nil {
				return err
			}
			term, err := e.Campaign(ctx)
			if err != nil {
				return err
			}
			office.enter(term.Hold, c, "")
			l, err := e.Leader(ctx)
			if err == nil && l.Token < term.Token() && term.Context().Err() == nil {
				if there, sure := exists(ctx, c, term.Hold); there && sure {
					t.Errorf("election: %s leads with %v, and %d has %v", l.ID, l.Token, hand, term.Token())
				}
			}
			if errors.Is(err, recipes.ErrNoLeader) { // the office was lost meanwhile
				err = nil
			}
			office.leave(term.Hold)
			return errors.Join(err, term.Resign(context.Background()))
		}, check: empty(t, "/election")},
		{name: "seat", hands: 3, work: func(ctx context.Context, hand int, c *client.Client) error {
			s := recipes.NewSeat(c, "/offices/seat", fmt.Append(nil, hand))
			h, err := pick(ctx, func(ctx context.Context) (*recipes.Hold, error) { term, err := s.Take(ctx); return term.Hold, err },
				func(ctx context.Context) (*recipes.Hold, error) { term, err := s.TryTake(ctx); return term.Hold, err })
			if err != nil {
				return err
			}
			return seat.keep(h, c, "")
		}, check: empty(t, "/offices")},
	}
}

// keepAll is keep for a hold of several locks, whose path is that of the first and whose token that of the last: one of their znodes
// tells whether all are held only together with its context.
func (k *holders) keepAll(h *recipes.Hold, c *client.Client) error {
	k.mu.Lock()
	if k.inside == nil {
		k.inside = map[*recipes.Hold]string{}
	}
	for o := range k.inside {
		// A context ends a little after its session: the znodes are asked.
		if there, err := together(c, o.Path(), h.Path()); there && err == nil && o.Context().Err() == nil && h.Context().Err() == nil {
			k.t.Errorf("%s: %s and %s are held", k.name, o.Path(), h.Path())
		}
	}
	k.inside[h] = ""
	k.mu.Unlock()
	pause(h.Context(), 3*time.Millisecond)
	k.leave(h)
	return h.Release(context.Background())
}

// together tells whether all paths are there at one moment.
func together(c *client.Client, paths ...string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	if err := c.Sync(ctx, paths[0]); err != nil {
		return false, err
	}
	all, err := recipes.ReadTogether(ctx, c, paths...)
	return len(all) == len(paths), err
}
