package bench

import (
	"context"
	"errors"
	"sync"
)

// dialers is how many connections are opened at the same time.
const dialers = 32

// openSessions opens n sessions, spread over the addresses. On an error none stays open.
func openSessions(ctx context.Context, addrs []string, n, inSize int) ([]*session, error) {
	ss := make([]*session, n)
	err := inParallel(n, min(n, dialers), func(i int) error {
		s, err := dial(ctx, addrs[i%len(addrs)], inSize)
		ss[i] = s
		return err
	})
	if err != nil {
		closeSessions(ss)
		return nil, err
	}
	return ss, nil
}

// closeSessions ends them all.
func closeSessions(ss []*session) {
	inParallel(len(ss), min(len(ss), dialers), func(i int) error {
		if ss[i] != nil {
			ss[i].end()
		}
		return nil
	})
}

// inParallel calls f for 0 to n-1 from some goroutines and returns the first error; after one, no more calls are begun.
func inParallel(n, goroutines int, f func(i int) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		next  int
		first error
	)
	for range goroutines {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= n || first != nil
				mu.Unlock()
				if stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// crew is the workers of one round and their meter.
type crew struct {
	m       *meter
	workers []*worker
}

// newCrew gives each session a worker; source makes each its source and its limit.
func newCrew(ss []*session, inFlight int, source func(i int) (source, uint64)) *crew {
	c := &crew{m: newMeter()}
	for i, s := range ss {
		src, limit := source(i)
		c.workers = append(c.workers, &worker{s: s, src: src, g: newGauge(c.m), inFlight: inFlight, limit: limit})
	}
	return c
}

// ops is the number of replies so far.
func (c *crew) ops() (n int64) {
	for _, w := range c.workers {
		n += w.g.ops.Load()
	}
	return n
}

// run lets all workers run until they end; the first error, or the end of ctx, ends them all by closing their connections.
func (c *crew) run(ctx context.Context, loop func(*worker) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		for _, w := range c.workers {
			w.s.c.Close()
		}
	})
	defer stop()
	var wg sync.WaitGroup
	for _, w := range c.workers {
		wg.Go(func() {
			if err := loop(w); err != nil {
				cancel(err) // only the first one is kept
			}
			w.g.done()
		})
	}
	wg.Wait()
	stop()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

// finish runs workers that have limits, measuring from the first to the last reply.
func (c *crew) finish(ctx context.Context) error {
	c.m.begin()
	return c.run(ctx, (*worker).closed)
}
